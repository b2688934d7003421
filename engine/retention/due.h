// Which instances are due: those that have ended longer ago than their definition keeps them. An
// instance goes with all that it called, directly or not, and only when all of these are due; what
// was called never goes alone.
//
// Thread: one at a time.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "base/error.h"
#include "engine/model/registry.h"
#include "engine/retention/policy.h"
#include "projections/view_store.h"
#include "projections/views/closed.h"

namespace stele::retention {

// An instance and all that it called, those that were called before who called them.
// `may_go`: asked for each; the answer is empty when one of them may not, or is open.
using MayGo = std::function<bool(InstanceId, const projections::ClosedRow&)>;
Result<std::vector<InstanceId>> WholeTree(const projections::ViewReader& closed, InstanceId root,
                                          const MayGo& may_go);

class DueScan {
 public:
  // REQUIRES: the registry outlives it.
  DueScan(const model::Registry& registry, const RetentionPolicy& policy, TimeUs now)
      : registry_(registry), policy_(policy), now_(now) {}

  // The next ones, at most so many, sorted; none: that was all. `closed`: a reader of the view of
  // that name, a new one for each call.
  Result<std::vector<InstanceId>> Next(const projections::ViewReader& closed, size_t most);

 private:
  // The time before which an instance of it must have ended; nothing: it is kept for ever.
  std::optional<TimeUs> EndedBefore(DefinitionId definition) const;
  Status Scan(const projections::ViewReader& closed);

  const model::Registry& registry_;
  const RetentionPolicy policy_;
  const TimeUs now_;
  DefinitionId definition_{1};
  projections::ClosedPlace after_;
  std::deque<InstanceId> found_;
};

}  // namespace stele::retention
