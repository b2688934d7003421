#include "engine/embed/views.h"

#include <fmt/format.h>

#include <algorithm>

#include "projections/all_views.h"
#include "replay/moment.h"

namespace stele::embed {

stele::Result<std::unique_ptr<Views>> Views::Open(const eventstore::EventStore& store,
                                                  const std::string& directory) {
  auto projector =
      projections::Projector::Open(store, ShardId(), directory + "/views", projections::AllViews());
  if (!projector.has_value()) return std::unexpected(projector.error());
  std::unique_ptr<Views> views(new Views(store, *std::move(projector)));
  views->projector_->Start();
  return views;
}

stele::Result<Views::Asked> Views::Ask(std::string_view view, const Freshness& freshness,
                                       TimeUs now) {
  Asked asked;
  asked.now = now;
  if (freshness.as_of != 0 || freshness.as_of_us != 0) {
    Position position(freshness.as_of);
    if (freshness.as_of == 0) {
      const auto then = replay::PositionAt(store_, ShardId(), TimeUs(freshness.as_of_us));
      if (!then.has_value()) return std::unexpected(then.error());
      position = *then;
    }
    auto then = projector_->AsOf(view, position);
    if (!then.has_value()) return std::unexpected(then.error());
    asked.then = *std::move(then);
    if (freshness.as_of == 0) {
      asked.now = std::min(TimeUs(freshness.as_of_us), now);
    } else {
      const auto time = replay::TimeAt(store_, ShardId(), position);
      if (!time.has_value()) return std::unexpected(time.error());
      if (*time) asked.now = *time;
    }
    asked.course = fmt::format("as of {}", position.value);
    asked.reader = std::make_unique<projections::ViewReader>(asked.then->Read());
    return asked;
  }
  if (auto failure = projector_->failure()) return std::unexpected(*std::move(failure));
  if (freshness.after != 0 || freshness.patience.count() > 0) {
    const Position after = freshness.after != 0
                               ? Position(freshness.after)
                               : Position(store_.NextPosition(ShardId()).value - 1);
    STELE_RETURN_IF_ERROR(
        projector_->WaitFor(after, std::chrono::microseconds(freshness.patience).count(), view));
  }
  auto reader = projector_->Read(view);
  if (!reader.has_value()) return std::unexpected(reader.error());
  asked.reader = std::make_unique<projections::ViewReader>(*std::move(reader));
  return asked;
}

}  // namespace stele::embed
