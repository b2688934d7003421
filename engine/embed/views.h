// The views of an engine: they follow its log on threads of their own, and a call gets one that
// knows enough, or that is as of an earlier position.
//
// Thread: any, but for Open and Stop.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "eventstore/event_store.h"
#include "projections/asked.h"
#include "projections/pace.h"
#include "projections/projector.h"

namespace stele::embed {

class Views {
 public:
  // Begins to follow the log. REQUIRES: the store outlives it.
  static stele::Result<std::unique_ptr<Views>> Open(const eventstore::EventStore& store,
                                                    const std::string& directory);
  // What was wrong with those that were there, which are built anew for it; empty: nothing.
  const std::string& repaired() const { return projector_->repaired(); }
  // Follows the log no more; who waits is answered with kShardStopped.
  void Stop() { projector_->Stop(); }
  projections::Projector& projector() { return *projector_; }

  stele::Result<projections::Asked> Ask(std::string_view view,
                                        const projections::Freshness& freshness, TimeUs now) {
    return projections::AskView(*projector_, store_, ShardId(), view, freshness, now);
  }
  std::vector<projections::ViewState> States() const { return projector_->States(); }
  // Whether they are at most so many records behind the log; 0: any number.
  bool MayStart(uint64_t max_lag) const {
    return projections::Pace(*projector_, max_lag).MayStart();
  }
  // Why they follow the log no more.
  std::optional<stele::Error> failure() const { return projector_->failure(); }

 private:
  Views(const eventstore::EventStore& store, std::unique_ptr<projections::Projector> projector)
      : store_(store), projector_(std::move(projector)) {}

  const eventstore::EventStore& store_;
  std::unique_ptr<projections::Projector> projector_;
};

}  // namespace stele::embed
