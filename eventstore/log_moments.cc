#include "eventstore/log_moments.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace stele::eventstore {

Result<Moment> FindMoment(BlockSource& source, ShardId shard, Position end, TimeUs time) {
  Moment moment;
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
    STELE_RETURN_IF_ERROR(reader.Open((*block)->bytes, shard, next, (*block)->archived));
    while (!reader.AtEnd()) {
      if (!reader.Next(&record, &error)) return std::unexpected(std::move(error));
      if (reader.cut() || record.position >= end) continue;
      const TimeUs found = record.header.time;
      if (found <= time) moment.last = record.position;
      moment.earliest = std::min(moment.earliest.value_or(found), found);
    }
  }
  return moment;
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
