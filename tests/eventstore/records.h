// Builders for the tests of the event store: batches, temporary directories, reading it all.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "eventstore/event_store.h"

namespace stele::eventstore {

class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "stele-test-XXXXXX").string();
    if (mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~TempDir() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// A body whose text tells which record it belongs to; a multiple of 8 long.
inline std::string BodyFor(uint64_t instance, uint64_t seq) {
  std::string body = fmt::format("body of instance {} from event {} on", instance, seq);
  body.resize((body.size() + 7) / 8 * 8);
  return body;
}

inline RecordHeader HeaderFor(uint64_t instance, uint64_t seq, uint32_t events = 1) {
  RecordHeader header;
  header.instance = InstanceId(instance);
  header.first_seq = Seq(seq);
  header.event_count = events;
  header.time = TimeUs(1'700'000'000'000'000 + static_cast<int64_t>(seq));
  header.causation = Position(seq / 2);
  header.actor = seq % 3 == 0 ? "an operator" : "";
  return header;
}

inline void AddRecord(Batch* batch, uint64_t instance, uint64_t seq, uint32_t events = 1) {
  batch->Add(HeaderFor(instance, seq, events), BodyFor(instance, seq));
}

// One block of `count` records, dealt to `instances` instances in turn, `seq` being the seq of each
// instance's first.
inline Batch RoundRobin(uint32_t count, uint64_t instances, uint64_t seq) {
  Batch batch;
  for (uint32_t i = 0; i < count; ++i) AddRecord(&batch, 1 + i % instances, seq + i / instances);
  return batch;
}

inline Status AppendNext(EventStore& store, const Batch& batch, ShardId shard = ShardId(0)) {
  return store.Append(shard, store.NextPosition(shard), batch);
}

struct ReadRecord {
  uint64_t position;
  uint64_t instance;
  uint64_t seq;
  std::string body;
  std::string actor;
  bool operator==(const ReadRecord&) const = default;
};

// What the cursor has, up to its end; fails the test at an error.
inline std::vector<ReadRecord> ReadAll(Cursor& cursor) {
  std::vector<ReadRecord> records;
  for (;;) {
    auto next = cursor.Next();
    if (!next) {
      ADD_FAILURE() << next.error().ToString();
      return records;
    }
    if (!*next) return records;
    const RecordView& view = **next;
    EXPECT_EQ(reinterpret_cast<uintptr_t>(view.body.data()) % 8, 0u);
    records.push_back({view.position.value, view.header.instance.value, view.header.first_seq.value,
                       std::string(view.body), std::string(view.header.actor)});
  }
}

inline std::vector<ReadRecord> ReadLog(const EventStore& store, uint64_t from = 1,
                                       ShardId shard = ShardId(0)) {
  auto cursor = store.Read(shard, Position(from));
  if (!cursor) {
    ADD_FAILURE() << cursor.error().ToString();
    return {};
  }
  return ReadAll(**cursor);
}

inline std::vector<ReadRecord> ReadHistory(const EventStore& store, uint64_t instance,
                                           uint64_t from = 1, ShardId shard = ShardId(0)) {
  auto cursor = store.ReadInstance(shard, InstanceId(instance), Seq(from));
  if (!cursor) {
    ADD_FAILURE() << cursor.error().ToString();
    return {};
  }
  return ReadAll(**cursor);
}

}  // namespace stele::eventstore

#define ASSERT_OK(expression)                                 \
  do {                                                        \
    const auto& status_of_ = (expression);                    \
    ASSERT_TRUE(status_of_) << status_of_.error().ToString(); \
  } while (false)
#define EXPECT_OK(expression)                                 \
  do {                                                        \
    const auto& status_of_ = (expression);                    \
    EXPECT_TRUE(status_of_) << status_of_.error().ToString(); \
  } while (false)
#define EXPECT_CODE(expression, wanted)                                                     \
  do {                                                                                      \
    const auto& status_of_ = (expression);                                                  \
    ASSERT_FALSE(status_of_);                                                               \
    EXPECT_EQ(status_of_.error().code, ErrorCode::wanted) << status_of_.error().ToString(); \
  } while (false)
