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

struct NoteChange {
  std::optional<std::string> value;  // nothing: the note is erased
  bool is_new = false;               // the store has no such note
};
using NoteChanges = std::map<std::string, NoteChange, std::less<>>;

class Notes {
 public:
  Notes(eventstore::EventStore& store, ShardId shard) : store_(store), shard_(shard) {}

  void Put(std::string key, std::string value) { recent_[std::move(key)].value = std::move(value); }
  // The same for a key that no note has had: when it is erased before the next checkpoint, nothing
  // of it is left. Until Recovered it is Put, because a crash may have left later notes.
  void PutNew(std::string key, std::string value) {
    recent_.insert_or_assign(std::move(key), NoteChange{std::move(value), recovered_});
  }
  void Erase(std::string key);
  // The log has been read to its end.
  void Recovered() { recovered_ = true; }
  Result<std::optional<std::string>> Get(std::string_view key) const;
  // In the order of the keys, until `visit` says false. `visit` must not change the notes.
  Status Scan(std::string_view prefix,
              const std::function<bool(std::string_view, std::string_view)>& visit) const;

  // The changes that the next checkpoint writes. They are still seen here.
  const NoteChanges& BeginWriting();
  // How many changes wait for it.
  size_t changed() const { return recent_.size(); }
  // They are in the store.
  void EndWriting() { writing_.clear(); }

 private:
  eventstore::EventStore& store_;
  const ShardId shard_;
  NoteChanges recent_;
  NoteChanges writing_;  // older than `recent_`
  bool recovered_ = false;
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
