// A checkpoint that is under way. Not for others than the shard's files.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <thread>
#include <vector>

#include "engine/runtime/shard.h"

namespace stele::runtime {

struct Shard::Checkpointing {
  Position position;         // everything at or before it is in the snapshots that are put
  InstanceId last_instance;  // the highest number in the log up to there
  struct Item {
    InstanceId instance;
    eventstore::Snapshot snapshot;
    std::string open;
  };
  std::vector<Item> items;
  std::vector<InstanceId> ended;
  std::map<InstanceId, std::string> noted;  // open entries that the loop has put meanwhile
  const NoteChanges* notes = nullptr;       // the board's, which leaves them alone until the end
  std::function<void()> done;
  bool writing = false;
  std::thread thread;
  Status result;
};

}  // namespace stele::runtime
