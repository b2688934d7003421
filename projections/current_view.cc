#include "projections/current_view.h"

#include <fmt/format.h>

#include "projections/log_mark.h"

namespace stele::projections {

namespace {

// 0: there is no such view.
uint32_t VersionOf(std::span<const MakeView> views, std::string_view name) {
  for (const MakeView& make : views)
    if (const auto view = make(); view->name() == name) return view->version();
  return 0;
}

}  // namespace

std::unique_ptr<CurrentView> CurrentView::Find(const eventstore::EventStore& log, ShardId shard,
                                               const std::string& path,
                                               std::span<const MakeView> views,
                                               std::string_view name) {
  auto store = ViewStore::OpenToRead(fmt::format("{}/{}", path, shard.value), log.file_cipher());
  if (!store.has_value()) return nullptr;
  auto current = std::make_unique<CurrentView>();
  current->store_ = *std::move(store);
  current->generation_ = current->store_->Serving(name);
  if (current->generation_ == nullptr) return nullptr;
  const Generation& generation = *current->generation_;
  if (generation.version() != VersionOf(views, name) ||
      generation.position().Next() != log.NextPosition(shard))
    return nullptr;
  const Result<bool> fits = IsOfLog(log, shard, generation);
  return fits.has_value() && *fits ? std::move(current) : nullptr;
}

}  // namespace stele::projections
