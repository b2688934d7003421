#include "engine/embed/views.h"

#include "projections/all_views.h"

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

}  // namespace stele::embed
