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

// How many of the batch's records a block takes.
uint32_t BlockRecords(const Batch& batch, uint32_t in_flight) {
  const uint32_t half = (batch.count() + in_flight + 1) / 2;
  uint32_t count = std::min(batch.count(), std::max(kMinSplitRecords, half));
  const auto offsets = batch.offsets();
  const auto end = [&](uint32_t n) { return n < batch.count() ? offsets[n] : batch.bytes(); };
  if (end(count) <= kTargetBlockBytes) return count;
  const auto past = std::upper_bound(offsets.begin(), offsets.begin() + count, kTargetBlockBytes);
  count = static_cast<uint32_t>(past - offsets.begin()) - 1;
  return std::max(count, 1u);
}

}  // namespace

Committer::Committer(EventStore& store, ShardId shard, Durable on_durable)
    : store_(store),
      shard_(shard),
      on_durable_(std::move(on_durable)),
      sealed_(store.Tail(shard)),
      next_(sealed_.next) {
  for (std::thread& worker : workers_) worker = std::thread([this] { Work(); });
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

bool Committer::PendingIsEnough() const {
  if (failed_ || pending_.count() == 0) return false;
  if (in_flight_ == 0) return true;
  return pending_.count() >= kMinSplitRecords && pending_.count() >= in_flight_ / 2;
}

bool Committer::TakePending(Batch* batch) {
  std::unique_lock lock(mutex_);
  work_.wait(lock, [this] {
    return PendingIsEnough() || failed_ || (stopping_ && in_flight_ == 0) ||
           (stopping_ && pending_.count() > 0);
  });
  if (failed_ || pending_.count() == 0) return false;
  batch->Clear();
  std::swap(*batch, pending_);
  const uint32_t count = BlockRecords(*batch, in_flight_);
  pending_.Append(*batch, count);
  batch->Truncate(count);
  in_flight_ += count;
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
  BlockSealer sealer;
  Batch batch;
  for (;;) {
    std::unique_lock seal(seal_mutex_);
    if (!TakePending(&batch)) return;
    auto block = TakeSpareBlock();
    // What Submit accepts is within the limits of a block.
    const Status sealed = sealer.Seal(shard_, sealed_, batch, block.get());
    CHECK(sealed.has_value(), "{}", sealed.error().message);
    sealed_ = block->after;
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
