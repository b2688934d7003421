#include "eventstore/index_builder.h"

namespace stele::eventstore {

IndexBuilder::IndexBuilder(const ShardLogs& shards, StateDb& state, size_t chunk_records,
                           std::function<void(const Error&)> on_error)
    : shards_(shards),
      state_(state),
      chunk_records_(chunk_records),
      on_error_(std::move(on_error)),
      thread_([this] { Run(); }) {}

IndexBuilder::~IndexBuilder() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void IndexBuilder::Wake() {
  {
    std::lock_guard lock(mutex_);
    if (woken_) return;
    woken_ = true;
  }
  changed_.notify_one();
}

Status IndexBuilder::BuildIfDue(ShardLog& shard, StateDb& state, size_t chunk_records) {
  if (shard.index().records() < chunk_records) return {};
  const TailIndex::Chunk chunk = shard.index().Collect();
  STELE_RETURN_IF_ERROR(state.Ingest(shard.id(), chunk.entries, chunk.end));
  // Readers look into memory first and on disk second, so that they see each entry at least once.
  shard.index().DropBefore(chunk.end);
  return {};
}

void IndexBuilder::Run() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return woken_ || stopping_; });
      if (stopping_) return;
      woken_ = false;
    }
    for (ShardLog* shard : shards_.All()) {
      shard->index().Tidy();
      if (auto built = BuildIfDue(*shard, state_, chunk_records_); !built) {
        on_error_(built.error());
        return;
      }
    }
  }
}

}  // namespace stele::eventstore
