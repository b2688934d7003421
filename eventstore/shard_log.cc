#include "eventstore/shard_log.h"

#include <fmt/format.h>

#include <chrono>

namespace stele::eventstore {

LogTail ShardLog::tail() const {
  std::lock_guard lock(mutex_);
  return tail_;
}

void ShardLog::Advance(const LogTail& tail) {
  {
    std::lock_guard lock(mutex_);
    tail_ = tail;
  }
  moved_.notify_all();
}

bool ShardLog::WaitFor(Position position, int64_t timeout_us, const std::stop_token& stop) const {
  std::unique_lock lock(mutex_);
  return moved_.wait_for(lock, stop, std::chrono::microseconds(timeout_us),
                         [&] { return tail_.next > position; });
}

Status ShardLog::CheckFollows(const SealedBlock& block) const {
  const LogTail tail = this->tail();
  if (block.before == tail) return {};
  if (block.before.next != tail.next)
    return Fail(ErrorCode::kStoreWrongPosition,
                fmt::format("Expected an append at position {} of shard {} but found {}.",
                            tail.next.value, id_.value, block.before.next.value));
  return Fail(
      ErrorCode::kStoreWrongPosition,
      fmt::format("Expected an append at position {} of shard {} behind the block with hash "
                  "{} but found one behind {}.",
                  tail.next.value, id_.value, ToHex(tail.hash), ToHex(block.before.hash)));
}

Status ShardLog::CheckDurable(Position position, const char* what) const {
  const LogTail tail = this->tail();
  if (position < tail.next) return {};
  return Fail(
      ErrorCode::kStoreWrongPosition,
      fmt::format("Expected {} of shard {} at most at the last durable position {} but found "
                  "{}.",
                  what, id_.value, tail.next.value - 1, position.value));
}

void ShardLogs::SignHeads(HeadSigning signing) {
  std::lock_guard lock(mutex_);
  signing_ = std::move(signing);
  for (const auto& [id, log] : shards_) log->tree.SignWith(signing_);
}

ShardLog& ShardLogs::Get(ShardId shard) const {
  std::lock_guard lock(mutex_);
  auto& log = shards_[shard];
  if (log == nullptr) log = std::make_unique<ShardLog>(shard, signing_);
  return *log;
}

std::vector<ShardLog*> ShardLogs::All() const {
  std::lock_guard lock(mutex_);
  std::vector<ShardLog*> all;
  for (const auto& [id, log] : shards_) all.push_back(log.get());
  return all;
}

}  // namespace stele::eventstore
