// A checkpoint that is under way. Not for others than the shard's files.
#pragma once

#include <functional>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "engine/runtime/shard.h"

namespace stele::runtime {

struct Shard::Checkpointing {
  Position position;         // everything at or before it is in the snapshots that are put
  InstanceId last_instance;  // the highest number in the log up to there
  TimeUs time;               // of the last record up to there
  struct Item {
    InstanceId instance;
    eventstore::Snapshot snapshot;
    std::string open;
  };
  std::vector<Item> items;
  std::vector<InstanceId> ended;
  const NoteChanges* notes = nullptr;  // the board's, which leaves them alone until the end
  std::function<void()> done;
  bool writing = false;
  // What the loop has put meanwhile: the thread must not put an older one over it. Held while
  // either of them puts.
  std::mutex mutex;
  std::set<InstanceId> newer_snapshots;
  std::set<InstanceId> newer_entries;
  std::thread thread;
  Status result;
};

}  // namespace stele::runtime
