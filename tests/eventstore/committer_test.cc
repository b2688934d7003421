#include "eventstore/committer.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "eventstore/memory_store.h"
#include "tests/eventstore/records.h"

namespace stele::eventstore {
namespace {

constexpr ShardId kShard(0);

// What a committer said, for a test to wait on.
class Answers {
 public:
  Committer::Durable callback() {
    return [this](const Result<Position>& durable) {
      std::lock_guard lock(mutex_);
      EXPECT_FALSE(error_.has_value()) << "an answer after the error";
      if (!durable) {
        error_ = durable.error();
      } else {
        EXPECT_GT(*durable, last_);
        last_ = *durable;
        ++count_;
      }
      changed_.notify_all();
    };
  }
  void WaitFor(Position position) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return last_ >= position || error_; });
  }
  Error WaitForError() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return error_.has_value(); });
    return *error_;
  }
  Position last() {
    std::lock_guard lock(mutex_);
    return last_;
  }
  int count() {
    std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  Position last_;
  int count_ = 0;
  std::optional<Error> error_;
};

// Holds the first write back until it is let go.
class Gate {
 public:
  explicit Gate(MemoryStore& store) {
    store.OnWrite([this](uint64_t number) {
      std::unique_lock lock(mutex_);
      reached_ = std::max(reached_, number);
      changed_.notify_all();
      changed_.wait(lock, [&] { return open_; });
    });
  }
  void WaitUntilReached() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return reached_ > 0; });
  }
  void Open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t reached_ = 0;
  bool open_ = false;
};

TEST(Committer, WritesInTheOrderOfSubmission) {
  MemoryStore store;
  Answers answers;
  {
    Committer committer(store, kShard, answers.callback());
    for (uint64_t i = 0; i < 3000; ++i) {
      Batch batch = RoundRobin(1 + i % 7, 1, 1);
      batch.Clear();
      for (uint64_t k = 0; k < 1 + i % 7; ++k) AddRecord(&batch, 1 + i, 1 + k);
      const Position first = committer.Submit(batch);
      EXPECT_EQ(batch.count(), 0u);
      if (i % 100 == 0) answers.WaitFor(first);
    }
    committer.Stop();
  }
  const auto records = ReadLog(store);
  uint64_t at = 0;
  for (uint64_t i = 0; i < 3000; ++i)
    for (uint64_t k = 0; k < 1 + i % 7; ++k, ++at) {
      ASSERT_EQ(records[at].instance, 1 + i);
      ASSERT_EQ(records[at].seq, 1 + k);
    }
  EXPECT_EQ(records.size(), at);
  EXPECT_EQ(answers.last(), Position(at));
  EXPECT_EQ(store.VerifyChain(kShard), at);
}

TEST(Committer, GathersWhatComesWhileABlockIsWritten) {
  MemoryStore store;
  Gate gate(store);
  Answers answers;
  Committer committer(store, kShard, answers.callback());
  Batch batch = RoundRobin(1, 1, 1);
  committer.Submit(batch);
  gate.WaitUntilReached();
  for (uint64_t i = 0; i < 100; ++i) {
    batch = RoundRobin(1, 1, 2 + i);
    committer.Submit(batch);
  }
  gate.Open();
  committer.Stop();
  EXPECT_EQ(answers.last(), Position(101));
  EXPECT_EQ(store.writes(), 2u);
}

TEST(Committer, SplitsALargeSubmissionSoThatSealingAndWritingOverlap) {
  MemoryStore store;
  Answers answers;
  Committer committer(store, kShard, answers.callback());
  Batch batch = RoundRobin(1000, 10, 1);
  committer.Submit(batch);
  committer.Stop();
  EXPECT_EQ(answers.last(), Position(1000));
  EXPECT_GT(store.writes(), 1u);
  EXPECT_EQ(ReadLog(store).size(), 1000u);
}

TEST(Committer, KeepsTheOrderOfABacklogOfManyBlocks) {
  MemoryStore store;
  Gate gate(store);
  Answers answers;
  Committer committer(store, kShard, answers.callback());
  Batch batch = RoundRobin(1, 1, 1);
  committer.Submit(batch);
  gate.WaitUntilReached();
  // Some 6 MiB behind a disk that stands still, and more while it goes on.
  for (uint64_t i = 0; i < 400; ++i) {
    if (i == 300) gate.Open();
    batch.Add(HeaderFor(2 + i, 1, 1), std::string(16'384, 'x'));
    committer.Submit(batch);
  }
  committer.Stop();
  const auto records = ReadLog(store);
  ASSERT_EQ(records.size(), 401u);
  for (uint64_t i = 0; i < 400; ++i) ASSERT_EQ(records[1 + i].instance, 2 + i);
  EXPECT_EQ(store.VerifyChain(kShard), 401u);
}

TEST(Committer, GivesALargeRecordABlockOfItsOwn) {
  MemoryStore store;
  Answers answers;
  Committer committer(store, kShard, answers.callback());
  Batch batch;
  const std::string body(3 << 20, 'x');
  AddRecord(&batch, 1, 1);
  batch.Add(HeaderFor(1, 2), body);
  AddRecord(&batch, 1, 3);
  committer.Submit(batch);
  committer.Stop();
  EXPECT_EQ(store.writes(), 3u);
  EXPECT_EQ(ReadLog(store).size(), 3u);
}

TEST(Committer, TellsTheErrorOnceAndStops) {
  for (const WriteFault fault : {WriteFault::kNothingWritten, WriteFault::kTorn}) {
    MemoryStore store;
    store.InjectFault(2, fault);
    Answers answers;
    Committer committer(store, kShard, answers.callback());
    Batch batch = RoundRobin(1, 1, 1);
    answers.WaitFor(committer.Submit(batch));
    for (uint64_t i = 0; i < 500; ++i) {
      batch = RoundRobin(2, 1, 2 + 2 * i);
      committer.Submit(batch);
    }
    EXPECT_EQ(answers.WaitForError().code, ErrorCode::kStoreWriteFailed);
    committer.Stop();
    EXPECT_EQ(answers.last(), Position(1));
    EXPECT_EQ(ReadLog(*store.Crash()).size(), 1u);
  }
}

TEST(Committer, CountsBlocksBySize) {
  MemoryStore store;
  Gate gate(store);
  Answers answers;
  Committer committer(store, kShard, answers.callback());
  Batch batch = RoundRobin(1, 1, 1);
  committer.Submit(batch);
  gate.WaitUntilReached();
  batch = RoundRobin(100, 1, 2);
  committer.Submit(batch);
  gate.Open();
  committer.Stop();
  const DoublingCounts::Reading records = committer.block_records();
  EXPECT_EQ(records.counts[0], 1u) << "the first record, alone";
  EXPECT_EQ(records.counts[7], 1u) << "the others: up to 128";
  EXPECT_EQ(records.sum, 101u);
  EXPECT_GT(committer.block_bytes().sum, 0u);
}

TEST(DoublingCounts, PutsAValueUnderTheFirstPowerOfTwoThatIsNotSmaller) {
  DoublingCounts counts;
  for (const uint64_t value : {0u, 1u, 2u, 3u, 4u, 5u, 8u, 9u}) counts.Add(value);
  counts.Add(uint64_t{1} << 31);
  counts.Add((uint64_t{1} << 31) + 1);
  const DoublingCounts::Reading reading = counts.Read();
  EXPECT_EQ(reading.counts[0], 2u);
  EXPECT_EQ(reading.counts[1], 1u);
  EXPECT_EQ(reading.counts[2], 2u);
  EXPECT_EQ(reading.counts[3], 2u);
  EXPECT_EQ(reading.counts[4], 1u);
  EXPECT_EQ(reading.counts[31], 1u);
  EXPECT_EQ(reading.counts[DoublingCounts::kBounds], 1u);
  EXPECT_EQ(reading.sum, 32u + (uint64_t{2} << 31) + 1);
}

TEST(Committer, ContinuesWhereTheStoreIs) {
  MemoryStore store;
  ASSERT_OK(AppendNext(store, RoundRobin(5, 1, 1)));
  Answers answers;
  Committer committer(store, kShard, answers.callback());
  Batch batch = RoundRobin(1, 1, 6);
  EXPECT_EQ(committer.Submit(batch), Position(6));
  committer.Stop();
  EXPECT_EQ(store.VerifyChain(kShard), 6u);
}

TEST(Committer, StopsWhenThereWasNothingToDo) {
  MemoryStore store;
  Answers answers;
  Committer(store, kShard, answers.callback()).Stop();
  EXPECT_EQ(answers.count(), 0);
}

}  // namespace
}  // namespace stele::eventstore
