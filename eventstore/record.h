// What a record is: bytes with a header. A Batch collects the records of one append.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"

namespace stele::eventstore {

struct RecordHeader {
  InstanceId instance;
  Seq first_seq;  // of the record's events; they are numbered without gaps
  uint32_t event_count = 0;
  TimeUs time;
  Position causation;      // the record that led to this one; 0: none
  std::string_view actor;  // who asked; empty: the engine itself. At most kMaxActorBytes
  // Where the request came from, "rest 10.0.0.7"; empty: it is not known, or was not asked from
  // outside. At most kMaxSourceBytes
  std::string_view source;
};

struct RecordView {
  ShardId shard;
  Position position;
  RecordHeader header;
  std::string_view body;  // 8-byte aligned; a Cap'n Proto message of schemas/record.capnp
  // Of a record whose payloads are sealed (record_cipher.h): how; empty: they are not, or a cursor
  // has opened them.
  std::string_view seal;
  bool erased = false;  // it had payloads; their key was destroyed and they are gone
};

// Records that will become one block. Reused: Clear keeps the memory. Not for concurrent use.
class Batch {
 public:
  // `body` is copied. REQUIRES: its size is a multiple of 8, actor and source are within their
  // limits and the whole within kMaxRecordBytes.
  void Add(const RecordHeader& header, std::string_view body);
  // A record that another batch encoded.
  void AddFrame(std::string_view frame);
  // The records of `other` from number `from` on.
  void Append(const Batch& other, uint32_t from = 0);
  // Keeps the first `count` records. REQUIRES: there are that many.
  void Truncate(uint32_t count);
  void Clear();

  uint32_t count() const { return static_cast<uint32_t>(offsets_.size()); }
  size_t bytes() const { return frames_.size(); }
  // Record frames as docs/log-format.md describes them, one after the other.
  std::string_view frames() const { return frames_; }
  // Where each frame starts.
  std::span<const uint32_t> offsets() const { return offsets_; }

 private:
  std::string frames_;
  std::vector<uint32_t> offsets_;
};

}  // namespace stele::eventstore
