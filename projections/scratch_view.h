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

  // One that Build has built up to there, read without changing anything on the disk; null when
  // there is none that can be used: Build says why, or builds it.
  static std::unique_ptr<ScratchView> Find(const eventstore::EventStore& log, ShardId shard,
                                           const std::string& directory, const MakeView& make,
                                           Position position);

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

// Where a view as of a position is kept, below the directory of all views. Another purge that has
// cut instances out means another directory: what was built before knows of what is gone.
Result<std::string> AsOfDirectory(const std::string& path, const eventstore::EventStore& log,
                                  ShardId shard, const View& view, Position position);
// Deletes those of this shard that were built before the last purge. REQUIRES: nobody else has the
// views open to write.
Status RemoveAsOfBeforePurge(const std::string& path, const eventstore::EventStore& log,
                             ShardId shard);

// What a comparison of two buildings of a view found.
struct Comparison {
  Position position;  // both are at it
  uint64_t keys = 0;  // that are equal
  uint64_t differing = 0;
  std::vector<std::string> examples;  // some keys that differ, and how; printable
};
Result<Comparison> Compare(const ViewReader& serving, const ViewReader& built);
// With the view as it is when it is built anew, in a directory below that of all views which is
// gone afterwards.
Result<Comparison> CompareWithLog(const eventstore::EventStore& log, ShardId shard,
                                  const std::string& path, const MakeView& make,
                                  const ViewReader& serving, const Progress& progress = nullptr);
// Deletes what comparisons that were cut off left there: it may hold what has been removed since.
// REQUIRES: nobody else has the views open, so that none is being compared.
void RemoveComparisons(const std::string& path, ShardId shard);

}  // namespace stele::projections
