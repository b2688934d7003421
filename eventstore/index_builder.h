// The background thread that moves the newest blocks' index from memory to disk, off the path of a
// commit.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "eventstore/shard_log.h"
#include "eventstore/state_db.h"

namespace stele::eventstore {

class IndexBuilder {
 public:
  // `on_error` is called once from the thread, which then stops.
  // REQUIRES: what is passed outlives the builder.
  IndexBuilder(const ShardLogs& shards, StateDb& state, size_t chunk_records,
               std::function<void(const Error&)> on_error);
  // Leaves what is not a chunk yet in memory: the next start reads it from the log.
  ~IndexBuilder();

  // The shard has news. Thread: any.
  void Wake();

  // Moves everything that is in memory to disk if it is a chunk.
  static Status BuildIfDue(ShardLog& shard, StateDb& state, size_t chunk_records);

 private:
  void Run();

  const ShardLogs& shards_;
  StateDb& state_;
  const size_t chunk_records_;
  const std::function<void(const Error&)> on_error_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace stele::eventstore
