// The store's notes as they are now: what the store has, under what was changed since its last
// checkpoint. Changes are written with the next checkpoint; a crash takes them back and recovery
// makes them again from the log.
//
// Thread: the shard's loop.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "eventstore/event_store.h"

namespace stele::runtime {

// Nothing: the note is erased.
using NoteChanges = std::map<std::string, std::optional<std::string>, std::less<>>;

class Notes {
 public:
  Notes(eventstore::EventStore& store, ShardId shard) : store_(store), shard_(shard) {}

  void Put(std::string key, std::string value) { recent_[std::move(key)] = std::move(value); }
  void Erase(std::string key) { recent_[std::move(key)] = std::nullopt; }
  Result<std::optional<std::string>> Get(std::string_view key) const;
  // In the order of the keys, until `visit` says false. `visit` must not change the notes.
  Status Scan(std::string_view prefix,
              const std::function<bool(std::string_view, std::string_view)>& visit) const;

  // The changes that the next checkpoint writes. They are still seen here.
  const NoteChanges& BeginWriting();
  // They are in the store.
  void EndWriting() { writing_.clear(); }

 private:
  eventstore::EventStore& store_;
  const ShardId shard_;
  NoteChanges recent_;
  NoteChanges writing_;  // older than `recent_`
};

// Parts of a key, so that no text can be taken for another: a length and the bytes; numbers
// big-endian, so that they sort.
std::string KeyPart(std::string_view text);
std::string KeyPart(uint64_t number);
std::string KeyPart(uint32_t number);
// Takes a number from the front of `key`. REQUIRES: KeyPart put it there.
uint64_t TakeNumber64(std::string_view& key);
uint32_t TakeNumber32(std::string_view& key);
std::string_view TakeText(std::string_view& key);

}  // namespace stele::runtime
