#include "replay/moment.h"

namespace stele::replay {

Result<Position> PositionAt(const eventstore::EventStore& store, ShardId shard, TimeUs time) {
  Position last;                                // not behind the moment
  Position behind = store.NextPosition(shard);  // this one is, or is not there, and so is the rest
  while (last.Next() < behind) {
    const Position middle(last.value + (behind.value - last.value) / 2);
    const auto cursor = store.Read(shard, middle);
    if (!cursor.has_value()) return std::unexpected(cursor.error());
    const auto record = (*cursor)->Next();
    if (!record.has_value()) return std::unexpected(record.error());
    // What was cut out is passed over: it is on the side of what follows it.
    if (record->has_value() && (*record)->header.time <= time) {
      last = (*record)->position;
    } else {
      behind = middle;
    }
  }
  return last;
}

Result<TimeUs> TimeAt(const eventstore::EventStore& store, ShardId shard, Position position) {
  if (position == Position() || position >= store.NextPosition(shard)) return TimeUs();
  const auto cursor = store.Read(shard, position);
  if (!cursor.has_value()) return std::unexpected(cursor.error());
  const auto record = (*cursor)->Next();
  if (!record.has_value()) return std::unexpected(record.error());
  return record->has_value() ? (*record)->header.time : TimeUs();
}

}  // namespace stele::replay
