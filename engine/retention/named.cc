#include "engine/retention/named.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "projections/views/closed.h"

namespace stele::retention {

namespace {

using eventstore::EventStore;
using projections::ViewReader;

// That the log has it.
Status CheckKept(const EventStore& log, ShardId shard, InstanceId id) {
  const auto cursor = log.ReadInstance(shard, id, Seq(1));
  if (!cursor.has_value() && cursor.error().code == ErrorCode::kInstanceErased)
    return Fail(
        ErrorCode::kInstanceErased,
        fmt::format("Expected an instance that is kept but found that {} was purged", id.value));
  if (!cursor.has_value()) return std::unexpected(cursor.error());
  const auto first = (*cursor)->Next();
  if (!first.has_value()) return std::unexpected(first.error());
  if (first->has_value() && id != InstanceId()) return {};
  return Fail(ErrorCode::kUnknownInstance,
              fmt::format("Expected an instance but found no {}", id.value));
}

// Of those that were called, one whose caller is kept and not among `all`.
Status CheckCallers(const ViewReader& closed, const EventStore& log, ShardId shard,
                    std::span<const InstanceId> roots, const std::set<InstanceId>& all,
                    const std::function<bool(InstanceId)>& goes_alone) {
  for (const InstanceId id : roots) {
    const auto row = projections::FindClosed(closed, id);
    if (!row.has_value()) return std::unexpected(row.error());
    const InstanceId caller = row->has_value() ? (*row)->parent : InstanceId();
    if (!caller || all.contains(caller) || goes_alone(id)) continue;
    const Status kept = CheckKept(log, shard, caller);
    if (kept.has_value())
      return Fail(ErrorCode::kWrongState,
                  fmt::format("Expected instances with who called them but found {} without {}; "
                              "`--instance {}` takes both",
                              id.value, caller.value, caller.value));
    if (kept.error().code != ErrorCode::kInstanceErased) return kept;
  }
  return {};
}

}  // namespace

Result<std::vector<InstanceId>> TreesOf(const ViewReader& closed, const EventStore& log,
                                        ShardId shard, std::span<const InstanceId> roots,
                                        Forks forks,
                                        const std::function<bool(InstanceId)>& goes_alone) {
  std::vector<InstanceId> all;
  std::set<InstanceId> known;
  for (const InstanceId id : roots)
    if (known.insert(id).second) all.push_back(id);
  std::vector<uint64_t> open;
  for (size_t i = 0; i < all.size(); ++i) {
    const auto row = projections::FindClosed(closed, all[i]);
    if (!row.has_value()) return std::unexpected(row.error());
    if (!row->has_value()) {
      STELE_RETURN_IF_ERROR(CheckKept(log, shard, all[i]));
      open.push_back(all[i].value);
    }
    const auto called = projections::CalledBy(closed, all[i]);
    if (!called.has_value()) return std::unexpected(called.error());
    for (const InstanceId id : *called)
      if (known.insert(id).second) all.push_back(id);
    if (forks == Forks::kStay) continue;
    const auto forked = projections::ForkedFrom(closed, all[i]);
    if (!forked.has_value()) return std::unexpected(forked.error());
    for (const InstanceId id : *forked)
      if (known.insert(id).second) all.push_back(id);
  }
  if (!open.empty())
    return Fail(ErrorCode::kWrongState,
                fmt::format("Expected instances that have ended, and all that they called{}, but "
                            "found {} open; `stele cancel ID` or `stele terminate ID` ends one",
                            forks == Forks::kGo ? " and their forks" : "", fmt::join(open, ", ")));
  STELE_RETURN_IF_ERROR(CheckCallers(closed, log, shard, roots, known, goes_alone));
  std::ranges::reverse(all);
  return all;
}

}  // namespace stele::retention
