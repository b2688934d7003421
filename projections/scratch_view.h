// A view that is built in a directory of its own, up to a position: to be compared with the one
// that serves, or to answer as of that position. It does not follow the log.
//
// What is there already is used: a building that was cut off goes on, and the same one asked for
// again costs nothing.
//
// Owns: its store. The directory stays; Remove deletes it. Thread: Build any; then any, as readers.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "eventstore/event_store.h"
#include "projections/view.h"
#include "projections/view_store.h"

namespace stele::projections {

using MakeView = std::function<std::unique_ptr<View>()>;
// `records` of `total` are done.
using Progress = std::function<void(uint64_t records, uint64_t total)>;

class ScratchView {
 public:
  // REQUIRES: the log outlives the call; `position` is in it or 0.
  static Result<std::unique_ptr<ScratchView>> Build(const eventstore::EventStore& log,
                                                    ShardId shard, const std::string& directory,
                                                    const MakeView& make, Position position,
                                                    const Progress& progress = nullptr);

  ViewReader Read() const { return ViewReader(generation_); }
  // How many had to be read for it now.
  uint64_t records_read() const { return records_read_; }
  static void Remove(const std::string& directory);

 private:
  static Result<std::unique_ptr<ScratchView>> BuildOnce(const eventstore::EventStore& log,
                                                        ShardId shard, const std::string& directory,
                                                        const MakeView& make, Position position,
                                                        const Progress& progress);
  std::unique_ptr<ViewStore> store_;
  std::shared_ptr<Generation> generation_;
  uint64_t records_read_ = 0;
};

// What a comparison of two buildings of a view found.
struct Comparison {
  Position position;  // both are at it
  uint64_t keys = 0;  // that are equal
  uint64_t differing = 0;
  std::vector<std::string> examples;  // some keys that differ, and how; printable
};
Result<Comparison> Compare(const ViewReader& serving, const ViewReader& built);

}  // namespace stele::projections
