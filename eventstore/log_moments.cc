#include "eventstore/log_moments.h"

#include <fmt/format.h>

#include <chrono>

namespace stele::eventstore {

Result<TimeUs> TimeAt(BlockSource& source, ShardId shard, Position position) {
  BlockReader reader;
  STELE_RETURN_IF_ERROR(OpenBlockAt(source, shard, position, &reader));
  RecordView record;
  Error error{};
  do {
    if (!reader.Next(&record, &error)) return std::unexpected(std::move(error));
  } while (record.position < position);
  return record.header.time;
}

Result<std::optional<Position>> LastAtOrBefore(BlockSource& source, ShardId shard, Position end,
                                               TimeUs time) {
  std::optional<Position> last;
  BlockReader reader;
  RecordView record;
  Error error{};
  for (Position next(1); next < end; next = reader.next_position()) {
    auto block = source.After(Position(next.value - 1));
    if (!block) return std::unexpected(std::move(block).error());
    if (!*block || (*block)->first != next)
      return Fail(ErrorCode::kStoreCorrupt,
                  fmt::format("Expected a block that begins at position {} of shard {} but found "
                              "none.",
                              next.value, shard.value));
    STELE_RETURN_IF_ERROR(reader.Open((*block)->bytes, shard, next));
    while (!reader.AtEnd()) {
      if (!reader.Next(&record, &error)) return std::unexpected(std::move(error));
      if (record.header.time <= time && record.position < end) last = record.position;
    }
  }
  return last;
}

std::string TimeText(TimeUs time) {
  namespace chrono = std::chrono;
  const chrono::sys_time<chrono::microseconds> moment{chrono::microseconds(time.value)};
  const auto day = chrono::floor<chrono::days>(moment);
  const chrono::year_month_day date(day);
  const chrono::hh_mm_ss<chrono::microseconds> clock(moment - day);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06} UTC", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

}  // namespace stele::eventstore
