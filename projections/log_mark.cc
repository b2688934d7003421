#include "projections/log_mark.h"

#include "projections/keys.h"

namespace stele::projections {

std::string MarkOf(const eventstore::RecordHeader& header) {
  return KeyWriter('m')
      .Number(static_cast<uint64_t>(header.time.value))
      .Number(header.instance.value)
      .Number(header.first_seq.value)
      .Number(header.event_count)
      .Number(header.causation.value)
      .Take();
}

Result<bool> IsOfLog(const eventstore::EventStore& log, ShardId shard,
                     const Generation& generation) {
  const Position position = generation.position();
  if (position == Position()) return true;
  if (position >= log.NextPosition(shard)) return false;
  auto cursor = log.Read(shard, position);
  if (!cursor.has_value()) return std::unexpected(cursor.error());
  const auto record = (*cursor)->Next();
  if (!record.has_value()) return std::unexpected(record.error());
  if (!record->has_value() || (*record)->position != position) return true;
  return MarkOf((*record)->header) == generation.stored_mark();
}

}  // namespace stele::projections
