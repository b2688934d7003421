// Firings that are in the log, or on their way there, and whose instances have not started yet.
//
// Not for concurrent use.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "base/payload.h"

namespace stele::triggers {

// What became of a firing: the instance; nothing when it is in the log but its start has to wait;
// an error when it starts nothing.
using Started = std::function<void(const Result<std::optional<InstanceId>>&)>;

struct Pending {
  TriggerId trigger;
  std::string key;
  TimeUs time;
  Payload input;
  // Of the request that fired it; neither is kept over a restart.
  std::string trace_parent;
  std::string source;
  bool buffered = false;  // until no other instance of the trigger runs; changed by Release
  bool at_once = false;   // starts although nothing fires by itself yet
  bool durable = false;   // the firing is in the log
  bool starting = false;  // the shard was asked
  TimeUs again;           // when to ask again; 0: not by time
  std::vector<Started> told;
};

class PendingFirings {
 public:
  // REQUIRES: there is none of that trigger and key.
  Pending& Add(Pending pending);
  Pending* Find(TriggerId trigger, std::string_view key);
  void Remove(TriggerId trigger, std::string_view key);
  bool empty() const { return pending_.empty(); }

  // By trigger, then in the order in which they were added. `visit` must not add, remove or
  // release.
  void ForEach(const std::function<void(Pending&)>& visit);
  // The first of those that wait for others of their trigger; null when none does.
  Pending* FirstBuffered(TriggerId trigger);
  size_t CountBuffered(TriggerId trigger) const;
  // Triggers that have such.
  std::vector<TriggerId> BufferedTriggers() const;
  // It waits for others no longer. REQUIRES: it is one of these.
  void Release(Pending& pending);
  // Whether one of the trigger is about to start.
  bool HasStarting(TriggerId trigger) const;

 private:
  using Place = std::pair<TriggerId, uint64_t>;
  struct Line {
    size_t all = 0;
    std::set<uint64_t> buffered;
  };
  std::map<Place, Pending> pending_;
  std::map<TriggerId, Line> lines_;  // of triggers that have any
  std::map<std::pair<TriggerId, std::string>, uint64_t, std::less<>> by_key_;
  uint64_t next_ = 0;
};

}  // namespace stele::triggers
