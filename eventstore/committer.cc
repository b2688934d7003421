#include "eventstore/committer.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "eventstore/block_sealer.h"
#include "eventstore/limits.h"

namespace stele::eventstore {
namespace {

// Fewer are not worth a block of their own while another block is on its way.
constexpr uint32_t kMinSplitRecords = 128;

// A block that begins at a multiple shares the nodes of six levels with the tree over all records,
// which are all but 1.6 % of them (log_tree.h).
constexpr uint32_t kEvenRecords = 64;

// Where the batch's record of that number begins; one past the last: where it ends.
size_t OffsetOf(const Batch& batch, uint32_t record) {
  return record < batch.count() ? batch.offsets()[record] : batch.bytes();
}

// How many of the batch's records from `from` on a block takes, of `waiting` that wait in all.
uint32_t BlockRecords(const Batch& batch, uint32_t from, uint32_t waiting, uint32_t in_flight) {
  const uint32_t half = (waiting + in_flight + 1) / 2;
  const uint32_t count = std::min(batch.count() - from, std::max(kMinSplitRecords, half));
  const size_t limit = OffsetOf(batch, from) + kTargetBlockBytes;
  if (OffsetOf(batch, from + count) <= limit) return count;
  const auto first = batch.offsets().begin() + from;
  const auto past = std::upper_bound(first, first + count, limit);
  return std::max(static_cast<uint32_t>(past - first) - 1, 1u);
}

// So many records or some fewer, so that the next block begins where nodes of both trees do.
uint32_t EvenRecords(Position first, uint32_t count) {
  const uint64_t over = (first.value - 1 + count) % kEvenRecords;
  return over < count ? count - static_cast<uint32_t>(over) : count;
}

void AppendRecords(const Batch& batch, uint32_t from, uint32_t count, Batch* to) {
  for (uint32_t i = from; i < from + count; ++i) {
    const size_t begin = OffsetOf(batch, i);
    to->AddFrame(batch.frames().substr(begin, OffsetOf(batch, i + 1) - begin));
  }
}

}  // namespace

Committer::Committer(EventStore& store, ShardId shard, Durable on_durable)
    : store_(store),
      shard_(shard),
      on_durable_(std::move(on_durable)),
      sealed_(store.Tail(shard)),
      next_(sealed_.next) {
  // Where there is no memory for a second thread the first one ends, too.
  try {
    for (std::thread& worker : workers_) worker = std::thread([this] { Work(); });
  } catch (...) {
    Stop();
    throw;
  }
}

Committer::~Committer() {
  Stop();
}

Position Committer::Submit(Batch& batch) {
  Position first;
  {
    std::lock_guard lock(mutex_);
    first = next_;
    next_ = next_.Plus(batch.count());
    if (pending_.count() == 0)
      std::swap(pending_, batch);
    else
      pending_.Append(batch);
    if (!PendingIsEnough()) {
      batch.Clear();
      return first;
    }
  }
  batch.Clear();
  work_.notify_one();
  return first;
}

void Committer::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  for (std::thread& worker : workers_)
    if (worker.joinable()) worker.join();
}

uint32_t Committer::Waiting() const {
  return left_ + pending_.count();
}

bool Committer::PendingIsEnough() const {
  const uint32_t waiting = Waiting();
  if (failed_ || waiting == 0) return false;
  if (in_flight_ == 0) return true;
  return waiting >= kMinSplitRecords && waiting >= in_flight_ / 2;
}

bool Committer::TakePending(Batch* batch) {
  std::unique_lock lock(mutex_);
  work_.wait(lock, [this] {
    return PendingIsEnough() || failed_ || (stopping_ && in_flight_ == 0) ||
           (stopping_ && Waiting() > 0);
  });
  if (failed_ || Waiting() == 0) return false;
  const uint32_t taken = taken_.count() - left_;
  if (left_ == 0) {
    taken_.Clear();
    std::swap(taken_, pending_);
    return TakeRecords(0, batch, std::move(lock));
  }
  // A little of both goes into one block; a long backlog is copied once, not with every block.
  if (taken_.bytes() + pending_.bytes() <= 2 * kTargetBlockBytes) {
    taken_.Append(pending_);
    pending_.Clear();
  }
  return TakeRecords(taken, batch, std::move(lock));
}

bool Committer::TakeRecords(uint32_t from, Batch* batch, std::unique_lock<std::mutex> lock) {
  const uint32_t rest = taken_.count() - from;
  const uint32_t waiting = rest + pending_.count();
  uint32_t count = BlockRecords(taken_, from, waiting, in_flight_);
  if (count < waiting) count = EvenRecords(sealed_.next, count);
  left_ = rest - count;
  in_flight_ += count;
  lock.unlock();
  batch->Clear();
  if (from == 0 && left_ == 0) {
    std::swap(*batch, taken_);
  } else {
    AppendRecords(taken_, from, count, batch);
  }
  return true;
}

std::unique_ptr<SealedBlock> Committer::TakeSpareBlock() {
  std::lock_guard lock(mutex_);
  if (spare_.empty()) return std::make_unique<SealedBlock>();
  auto block = std::move(spare_.back());
  spare_.pop_back();
  return block;
}

void Committer::Work() {
  BlockSealer sealer(store_.payload_keys());
  Batch batch;
  for (;;) {
    std::unique_lock seal(seal_mutex_);
    if (!TakePending(&batch)) return;
    auto block = TakeSpareBlock();
    // What Submit accepts is within the limits of a block; but keys of payloads are read.
    if (Status sealed = sealer.Seal(shard_, sealed_, batch, block.get()); !sealed) {
      block.reset();
      std::lock_guard lock(mutex_);
      seal_error_ = std::move(sealed).error();
    } else {
      sealed_ = block->after;
    }
    WriteInOrder(std::move(block), std::move(seal));
  }
}

void Committer::WriteInOrder(std::unique_ptr<SealedBlock> block,
                             std::unique_lock<std::mutex> seal) {
  std::unique_lock lock(mutex_);
  ready_.push_back(std::move(block));
  seal.unlock();
  if (writing_) return;
  writing_ = true;
  while (!ready_.empty() && !failed_) {
    block = std::move(ready_.front());
    ready_.pop_front();
    lock.unlock();
    if (block == nullptr) return Fail(*seal_error_);
    if (!WriteOne(*block)) return;
    lock.lock();
    spare_.push_back(std::move(block));
  }
  writing_ = false;
}

bool Committer::WriteOne(const SealedBlock& block) {
  if (Status written = store_.Write(block); !written) {
    Fail(written.error());
    return false;
  }
  block_records_.Add(block.after.next.value - block.before.next.value);
  block_bytes_.Add(block.value.size());
  bool enough;
  {
    std::lock_guard lock(mutex_);
    in_flight_ -= static_cast<uint32_t>(block.after.next.value - block.before.next.value);
    enough = PendingIsEnough() || stopping_;
  }
  if (enough) work_.notify_one();
  on_durable_(Position(block.after.next.value - 1));
  return true;
}

void Committer::Fail(const Error& error) {
  {
    std::lock_guard lock(mutex_);
    failed_ = true;
  }
  work_.notify_all();
  on_durable_(std::unexpected(error));
}

}  // namespace stele::eventstore
