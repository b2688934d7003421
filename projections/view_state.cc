#include "projections/view_state.h"

#include <fmt/format.h>

#include <algorithm>

#include "projections/log_mark.h"
#include "projections/removal.h"

namespace stele::projections {

ViewState StateOf(std::string_view name, uint32_t version,
                  std::span<const std::shared_ptr<Generation>> generations, Position end) {
  ViewState state{.name = std::string(name), .version = version};
  for (const auto& generation : generations) {
    if (generation->view() != name) continue;
    if (generation->serves()) {
      state.serves = true;
      state.version = generation->version();
      state.position = generation->position();
    } else {
      state.building = true;
      state.built = generation->position();
    }
  }
  state.lag = end.value - std::min(end.value, state.position.value);
  return state;
}

std::optional<std::vector<ViewState>> ReadStates(const eventstore::EventStore& log, ShardId shard,
                                                 const std::string& path,
                                                 std::span<const MakeView> views) {
  const auto store =
      ViewStore::OpenToRead(fmt::format("{}/{}", path, shard.value), log.file_cipher());
  if (!store.has_value()) return std::nullopt;
  const Result<Position> cut = LastCutPurge(log, shard);
  if (!cut.has_value()) return std::nullopt;
  const auto generations = (*store)->generations();
  for (const auto& generation : generations) {
    const Result<bool> fits = IsOfLog(log, shard, *generation);
    if (!fits.has_value() || !*fits) return std::nullopt;
    if (generation->position() < *cut && generation->cut_before() < *cut) return std::nullopt;
  }
  const Position end(log.NextPosition(shard).value - 1);
  std::vector<ViewState> states;
  for (const MakeView& make : views) {
    const std::unique_ptr<View> view = make();
    states.push_back(StateOf(view->name(), view->version(), generations, end));
  }
  return states;
}

Object ToJson(const ViewState& state) {
  return {{"view", state.name},
          {"version", static_cast<int64_t>(state.version)},
          {"serves", state.serves},
          {"position", static_cast<int64_t>(state.position.value)},
          {"behind", static_cast<int64_t>(state.lag)},
          {"building", state.building ? Value(static_cast<int64_t>(state.built.value)) : Value()}};
}

}  // namespace stele::projections
