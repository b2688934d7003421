// What may be removed of the log: instances that have ended, all that is known of which lies before
// a position that the caller has seen.
#include <fmt/format.h>

#include "base/instance_ranges.h"
#include "engine/model/removal_limit.h"
#include "engine/runtime/shard.h"

namespace stele::runtime {

std::optional<Error> Shard::RefuseRemoved(InstanceId instance) const {
  if (!registry_.IsRemoved(instance)) return std::nullopt;
  return Error{ErrorCode::kInstanceErased,
               fmt::format("Expected an instance that is kept but found that {} was {}",
                           instance.value, registry_.IsErased(instance) ? "erased" : "purged")};
}

std::optional<Error> Shard::RefuseRemoval(std::span<const InstanceRange> instances,
                                          Position seen) const {
  if (instances.empty() || !model::MayBeRemoved(instances))
    return Error{ErrorCode::kLimitExceeded,
                 fmt::format("Expected 1 to {} instances in order but found {}",
                             model::kMaxRemovedAtOnce, CountOf(instances))};
  if (seen < opened_at_)
    return Error{ErrorCode::kBackPressure,
                 fmt::format("Expected the log to have been read up to position {} but found {}",
                             opened_at_.value, seen.value)};
  if (instances.back().last > last_instance_)
    return Error{ErrorCode::kUnknownInstance,
                 fmt::format("Expected an instance but found no {}", instances.back().last.value)};
  const auto refuse = [](InstanceId id) {
    return Error{ErrorCode::kWrongState,
                 fmt::format("Expected instance {} to have ended but found it open", id.value)};
  };
  for (const auto& [id, position] : reopened_)
    if (position > seen && Contains(instances, id)) return refuse(id);
  for (const auto& [id, live] : live_)
    if (!model::HasEnded(live->instance.status) && Contains(instances, id)) return refuse(id);
  return std::nullopt;
}

// They hold what their origin held, and whoever named that one did not know of them.
std::optional<Error> Shard::RefuseUnseenForks(std::span<const InstanceRange> instances,
                                              Position seen) const {
  for (const auto& [id, fork] : forked_)
    if (fork.position > seen && Contains(instances, fork.origin) && !Contains(instances, id))
      return Error{ErrorCode::kBackPressure,
                   fmt::format("Expected instances without forks that have come meanwhile but "
                               "found {}, of instance {}; try again",
                               id.value, fork.origin.value)};
  return std::nullopt;
}

void Shard::Purge(model::InstancesPurged purged, Position seen, model::Asker asker, Answer answer) {
  if (RefuseStopped(answer)) return;
  if (const auto refused = RefuseRemoval(purged.instances, seen))
    return answer(std::unexpected(*refused));
  for (const InstanceId id : InstancesIn(purged.instances))
    if (Contains(registry_.purge.instances, id)) return answer(std::unexpected(*RefuseRemoved(id)));
  // The registry tells the last purge apart, and whether it is done, but no two of them.
  if (!registry_.purge.instances.empty()) {
    const auto before =
        parts_.store->ReadInstance(options_.shard, registry_.purge.instances.front().first, Seq(1));
    if (before.has_value())
      return answer(
          Fail(ErrorCode::kWrongState,
               fmt::format("Expected the instances of the purge at position {} to be cut out but "
                           "found them there; call it again when they are",
                           registry_.purge.position.value)));
    if (before.error().code != ErrorCode::kInstanceErased)
      return answer(std::unexpected(before.error()));
  }
  RecordOfRegistry(std::move(purged), asker, std::move(answer));
}

void Shard::Erase(model::InstancesErased erased, Position seen, model::Asker asker, Answer answer) {
  if (RefuseStopped(answer)) return;
  // None: what goes is what was sent.
  if (!erased.instances.empty()) {
    std::optional<Error> refused = RefuseRemoval(erased.instances, seen);
    if (!refused.has_value()) refused = RefuseUnseenForks(erased.instances, seen);
    if (refused.has_value()) return answer(std::unexpected(*refused));
  }
  RecordOfRegistry(std::move(erased), asker, std::move(answer));
}

void Shard::ForgetKeys(const std::vector<std::pair<std::string, InstanceId>>& keys) {
  for (const auto& [key, instance] : keys) {
    const auto known = board_.ByIdempotencyKey(key);
    if (!known.has_value()) return Failed(known.error());
    // Somebody else may have it by now.
    if (*known == instance) board_.ForgetIdempotencyKey(key);
  }
}

}  // namespace stele::runtime
