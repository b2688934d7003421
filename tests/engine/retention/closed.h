// The view of instances that have ended, told events as a feed would.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <memory>

#include "projections/view_store.h"
#include "projections/views/closed.h"
#include "tests/eventstore/records.h"

namespace stele::retention {

class Closed {
 public:
  Closed() {
    auto opened = projections::ViewStore::Open(directory_.path());
    if (!opened.has_value()) std::abort();
    store_ = *std::move(opened);
    generation_ = *store_->Create("closed", 1);
  }
  void Start(InstanceId id, InstanceId parent = {}) {
    model::InstanceStarted started;
    started.definition = DefinitionId(1);
    started.parent_instance = parent;
    parents_[id] = parent;
    Tell(id, started, TimeUs(1));
  }
  void Fork(InstanceId id, InstanceId origin) {
    model::InstanceForked forked;
    forked.origin = origin;
    origins_[id] = origin;
    Tell(id, forked, TimeUs(1));
  }
  void End(InstanceId id, TimeUs at) { Tell(id, model::InstanceCompleted{}, at); }
  void Retry(InstanceId id) { Tell(id, model::InstanceRetryRequested{}, TimeUs(1)); }
  projections::ViewReader Read() const { return projections::ViewReader(generation_); }

 private:
  void Tell(InstanceId id, const model::Event& event, TimeUs at) {
    model::Instance instance;
    instance.id = id;
    instance.definition = DefinitionId(1);
    instance.parent_instance = parents_[id];
    instance.origin = origins_[id];
    projections::ViewWriter writer(*generation_);
    view_.OnEvent(event, instance, {}, {id, ++position_, at, ""}, writer);
    const projections::ViewStore::Change change{generation_.get(), &writer};
    ASSERT_TRUE(store_->Write({&change, 1}, position_).has_value());
  }

  eventstore::TempDir directory_;
  std::unique_ptr<projections::ViewStore> store_;
  std::shared_ptr<projections::Generation> generation_;
  projections::ClosedView view_;
  std::map<InstanceId, InstanceId> parents_;
  std::map<InstanceId, InstanceId> origins_;
  struct Counter : Position {
    Position operator++() {
      ++value;
      return *this;
    }
  } position_;
};

}  // namespace stele::retention
