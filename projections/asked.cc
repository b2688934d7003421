#include "projections/asked.h"

#include <fmt/format.h>

#include <algorithm>

#include "replay/moment.h"

namespace stele::projections {

namespace {

Result<Asked> AskThen(Projector& projector, const eventstore::EventStore& log, ShardId shard,
                      std::string_view view, const Freshness& freshness, TimeUs now) {
  Asked asked;
  asked.now = now;
  Position position(freshness.as_of);
  if (freshness.as_of == 0) {
    const auto then = replay::PositionAt(log, shard, TimeUs(freshness.as_of_us));
    if (!then.has_value()) return std::unexpected(then.error());
    position = *then;
  }
  auto then = projector.AsOf(view, position);
  if (!then.has_value()) return std::unexpected(then.error());
  asked.then = *std::move(then);
  if (freshness.as_of == 0) {
    asked.now = std::min(TimeUs(freshness.as_of_us), now);
  } else {
    const auto time = replay::TimeAt(log, shard, position);
    if (!time.has_value()) return std::unexpected(time.error());
    if (*time) asked.now = *time;
  }
  asked.course = fmt::format("as of {}", position.value);
  asked.reader = std::make_unique<ViewReader>(asked.then->Read());
  return asked;
}

}  // namespace

Result<Asked> AskView(Projector& projector, const eventstore::EventStore& log, ShardId shard,
                      std::string_view view, const Freshness& freshness, TimeUs now) {
  if (freshness.as_of != 0 || freshness.as_of_us != 0)
    return AskThen(projector, log, shard, view, freshness, now);
  if (auto failure = projector.failure()) return std::unexpected(*std::move(failure));
  if (freshness.after != 0 || freshness.patience.count() > 0) {
    const Position after = freshness.after != 0 ? Position(freshness.after)
                                                : Position(log.NextPosition(shard).value - 1);
    STELE_RETURN_IF_ERROR(
        projector.WaitFor(after, std::chrono::microseconds(freshness.patience).count(), view));
  }
  auto reader = projector.Read(view);
  if (!reader.has_value()) return std::unexpected(reader.error());
  return Asked{.then = nullptr,
               .reader = std::make_unique<ViewReader>(*std::move(reader)),
               .now = now,
               .course = {}};
}

}  // namespace stele::projections
