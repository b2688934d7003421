// Records in order, given to views that stand at the same position; what they make of a batch is
// written with its position, as one.
//
// Thread: one at a time.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/error.h"
#include "eventstore/event_store.h"
#include "projections/tracker.h"
#include "projections/view.h"
#include "projections/view_store.h"

namespace stele::projections {

class Feed {
 public:
  // REQUIRES: both outlive it.
  Feed(const eventstore::EventStore& log, ShardId shard, ViewStore& store, Position position)
      : log_(log), shard_(shard), store_(store), tracker_(log, shard), position_(position) {}

  struct Member {
    std::unique_ptr<View> view;
    std::shared_ptr<Generation> generation;
    std::unique_ptr<ViewWriter> writer;
  };
  // REQUIRES: the generation is at position().
  void Add(std::unique_ptr<View> view, std::shared_ptr<Generation> generation);
  // All members of a feed that stands where this one does.
  void Join(Feed& other);
  // The views' generations.
  const std::vector<Member>& members() const { return members_; }
  // Its view is fed no more.
  void Remove(const Generation& generation);

  // Up to so many records, fewer when they are large, none behind `end`, and writes what they come
  // to. The number read; 0: there is none. After an error nothing of the batch is written, and the
  // feed is of no more use.
  Result<uint64_t> Step(uint64_t max_records, Position end = Position(UINT64_MAX));
  Position position() const { return position_; }

 private:
  Result<const eventstore::RecordView*> Peek(Position end);
  Status Take(const eventstore::RecordView& record);
  Status TakeRegistry(const eventstore::RecordView& record);
  // Instances that were purged, or erased, go out of the views (removal.h).
  Status TakePurge(const model::InstancesPurged& purged, Position position);
  Status TakeErasure(const model::InstancesErased& erased, Position position);
  Status Write(std::string_view mark);

  const eventstore::EventStore& log_;
  ShardId shard_;
  ViewStore& store_;
  Tracker tracker_;
  Position position_;
  std::unique_ptr<eventstore::Cursor> cursor_;  // null: Step has not been called
  std::optional<eventstore::RecordView> next_;  // read, and not taken yet
  std::vector<Member> members_;
};

}  // namespace stele::projections
