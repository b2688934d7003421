// Records on their way from the one who reads a log to those who decide them again.
#pragma once

#include <cstring>
#include <vector>

#include "eventstore/record.h"

namespace stele::replay {

// Copies of records, which may be taken to another thread.
class RecordBatch {
 public:
  void Add(const eventstore::RecordView& record) {
    const size_t words = (record.body.size() + sizeof(uint64_t) - 1) / sizeof(uint64_t);
    const size_t at = bodies_.size();
    bodies_.resize(at + words);
    std::memcpy(bodies_.data() + at, record.body.data(), record.body.size());
    entries_.push_back({record, at, record.body.size()});
  }
  size_t bytes() const { return bodies_.size() * sizeof(uint64_t); }
  size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  // Good as long as the batch. Who asked is not kept.
  eventstore::RecordView operator[](size_t index) const {
    const Entry& entry = entries_[index];
    eventstore::RecordView record = entry.record;
    record.header.actor = {};
    record.seal = {};
    record.body = {reinterpret_cast<const char*>(bodies_.data() + entry.at), entry.size};
    return record;
  }

 private:
  struct Entry {
    eventstore::RecordView record;
    size_t at;
    size_t size;
  };
  std::vector<uint64_t> bodies_;  // each at a whole word
  std::vector<Entry> entries_;
};

}  // namespace stele::replay
