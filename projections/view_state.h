// How far a view is.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"
#include "eventstore/event_store.h"
#include "projections/scratch_view.h"
#include "projections/view_store.h"

namespace stele::projections {

struct ViewState {
  std::string name;
  uint32_t version = 0;
  bool serves = false;    // one is there to answer
  Position position;      // of that one
  uint64_t lag = 0;       // records behind the log
  bool building = false;  // one is being built
  Position built;         // how far
};

// Of the view of that name and version, whose generations are among these. `end`: the log's last
// position.
ViewState StateOf(std::string_view name, uint32_t version,
                  std::span<const std::shared_ptr<Generation>> generations, Position end);

// Of the views in the directory that Projector::Open gets, read without changing anything on the
// disk. Nothing when they cannot be read so, or are to be made anew: a Projector says what is
// wrong, or mends it. REQUIRES: the log is written by nobody meanwhile.
std::optional<std::vector<ViewState>> ReadStates(const eventstore::EventStore& log, ShardId shard,
                                                 const std::string& path,
                                                 std::span<const MakeView> views);

// {view, version, serves, position, behind, building}; `building`: how far, null: none is built.
Object ToJson(const ViewState& state);

}  // namespace stele::projections
