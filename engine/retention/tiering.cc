#include "engine/retention/tiering.h"

#include <fmt/format.h>

#include <algorithm>

namespace stele::retention {

Result<Position> FirstNotBefore(const eventstore::EventStore& store, ShardId shard, TimeUs time) {
  uint64_t low = store.ArchivedTo(shard).value;
  uint64_t high = store.NextPosition(shard).value;
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    const auto cursor = store.Read(shard, Position(middle));
    if (!cursor.has_value()) return std::unexpected(cursor.error());
    const auto record = (*cursor)->Next();
    if (!record.has_value()) return std::unexpected(record.error());
    if (record->has_value() && (*record)->header.time < time) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return Position(low);
}

Position FirstWithin(const eventstore::EventStore& store, ShardId shard, uint64_t bytes) {
  const Position begin = store.ArchivedTo(shard);
  const uint64_t held = store.Stats().log_bytes;
  if (held <= bytes) return begin;
  const auto records = static_cast<double>(store.NextPosition(shard).value - begin.value);
  const double leaving = records * static_cast<double>(held - bytes) / static_cast<double>(held);
  return begin.Plus(static_cast<uint64_t>(leaving));
}

Result<eventstore::ArchiveReport> Tier(eventstore::EventStore& store, ShardId shard,
                                       const RetentionPolicy& policy, TimeUs now,
                                       const std::stop_token& stop) {
  Position to = store.ArchivedTo(shard);
  if (policy.archive_after_us > 0) {
    const auto first = FirstNotBefore(store, shard, TimeUs(now.value - policy.archive_after_us));
    if (!first.has_value()) return std::unexpected(first.error());
    to = std::max(to, *first);
  }
  if (policy.hot_log_bytes > 0) to = std::max(to, FirstWithin(store, shard, policy.hot_log_bytes));
  if (to <= store.ArchivedTo(shard)) return eventstore::ArchiveReport{.end = to};
  return store.Archive(shard, to, stop);
}

Status ArchiveThrough(eventstore::EventStore& store, ShardId shard, Position last, Position end,
                      const std::stop_token& stop) {
  for (uint64_t more = 1; store.ArchivedTo(shard) <= last; more *= 8) {
    const Position to = std::min(last.Plus(more), end);
    const auto archived = store.Archive(shard, to, stop);
    if (!archived.has_value()) return std::unexpected(archived.error());
    if (stop.stop_requested())
      return Fail(ErrorCode::kShardStopped, "Expected a running engine but found it stopping");
    if (to == end && store.ArchivedTo(shard) <= last)
      return Fail(ErrorCode::kWrongState,
                  fmt::format("Expected position {} in a block before position {} but found it in "
                              "the same one",
                              last.value, end.value));
  }
  return {};
}

}  // namespace stele::retention
