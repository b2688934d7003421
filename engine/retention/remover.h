// Purging and erasing, step by step. Each begins with a record of the log that says so; then the
// views pass that record; then what it names goes. Whatever is interrupted is done by Finish, which
// whoever opens the log calls.
//
//     purge:   decided ─► views have passed ─► messages forgotten ─► archived ─► cut out
//              ─► keys forgotten
//     erasure: decided ─► views have passed ─► messages forgotten ─► views compacted
//              ─► keys destroyed
//
// Thread: one at a time, not the loop's: it waits for disks and views.
#pragma once

#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/retention/sent.h"
#include "engine/runtime/shard.h"
#include "eventstore/event_store.h"
#include "projections/projector.h"
#include "projections/removal.h"

namespace stele::retention {

// REQUIRES: they outlive what they are given to; the projector follows the log.
struct RemoverParts {
  eventstore::EventStore* store = nullptr;
  ShardId shard;
  const Clock* clock = nullptr;
  projections::Projector* projector = nullptr;
  std::vector<projections::MakeView> views;
  // Has `work` done on the loop of the shard and waits for its answer; kShardStopped when the
  // engine stops before it comes.
  using Work = std::function<void(runtime::Shard&, runtime::Shard::Answer)>;
  std::function<Result<Position>(Work work)> ask;
  std::stop_token stop;
  // For tests: told of each step that is done; an error stops there, as a crash would.
  std::function<Status(std::string_view step)> at_step;
};

struct PurgeReport {
  uint64_t instances = 0;
  uint64_t records = 0;
};

class Remover {
 public:
  explicit Remover(RemoverParts parts) : parts_(std::move(parts)) {}

  // Does what was decided before and is not done. `registry`: as of now. What was purged by it.
  Result<PurgeReport> Finish(const model::Registry& registry);
  // Purges these, which are sorted and at most model::kMaxRemovedAtOnce. `seen`, and how it is
  // refused: Shard::Purge.
  Result<PurgeReport> Purge(std::span<const InstanceId> instances, const model::Registry& registry,
                            Position seen, TimeUs closed_before, const std::string& reason,
                            const model::KeptAsker& asker);
  // The same for erasing, with what was sent to them, which may be all. kUnsupported: the log is
  // not encrypted.
  Status Erase(std::span<const InstanceId> instances, const Sent& sent, Position seen,
               const std::string& reason, const model::KeptAsker& asker);

 private:
  // What the record of a purge says of conditions of triggers (triggers::FoldConditions).
  // Returns up to where records of purges say so then.
  Result<Position> AddConditions(model::InstancesPurged& purged, Position last, Position seen);
  // What it says of messages: those of others that the instances had met, and the ids of their own.
  Status AddMet(model::InstancesPurged& purged, std::vector<model::MessagePlace> met,
                std::span<const InstanceId> instances) const;
  // On the loop.
  static Status AddIds(model::InstancesPurged& purged,
                       std::span<const projections::Leaving::Message> messages,
                       const runtime::Board& board);
  Result<PurgeReport> CutOut(std::span<const InstanceId> instances,
                             const projections::Leaving& leaving, Position purge);
  Status DestroyKeys(std::span<const InstanceId> instances, const Sent& sent);
  Status ForgetMessages(std::vector<Position> published);
  Status WaitForViews(Position position);
  Status Step(std::string_view step) const {
    return parts_.at_step ? parts_.at_step(step) : Status();
  }

  RemoverParts parts_;
  Position recorded_;  // as AddConditions told last
};

}  // namespace stele::retention
