// A view that is at the end of its log already, read without changing anything on the disk: beside
// others that read it, on a full disk, or on one that is not to be written.
//
// Owns: the store of views. Thread: one.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "eventstore/event_store.h"
#include "projections/scratch_view.h"
#include "projections/view_store.h"

namespace stele::projections {

class CurrentView {
 public:
  // The view of that name in the directory that Projector::Open gets; null when it is not there, is
  // damaged, of another log or another build, behind the log, or open elsewhere to be written: a
  // Projector says what is wrong, or mends it.
  // REQUIRES: the log is written by nobody meanwhile, and outlives it.
  static std::unique_ptr<CurrentView> Find(const eventstore::EventStore& log, ShardId shard,
                                           const std::string& path, std::span<const MakeView> views,
                                           std::string_view name);

  ViewReader Read() const { return ViewReader(generation_); }

 private:
  std::unique_ptr<ViewStore> store_;
  std::shared_ptr<const Generation> generation_;
};

}  // namespace stele::projections
