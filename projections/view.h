// A view: what it makes of the log. Deterministic: the same records give the same keys and values,
// however they are cut into batches, so that a view that was built anew can be compared with the
// one that serves.
//
// The framework (feed.h) applies the records, so that a view looks at instances as they are, and
// need not fold events itself. A view keeps nothing between batches but what it writes; what it
// notes during a batch it drops in EndBatch.
//
// Thread: one at a time, the feed's.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/ids.h"
#include "engine/model/event.h"
#include "engine/model/instance.h"
#include "engine/model/registry.h"
#include "projections/view_writer.h"

namespace stele::projections {

struct RecordInfo {
  InstanceId instance;
  Position position;
  TimeUs time;
  std::string_view actor;  // empty: the engine
};

class View {
 public:
  virtual ~View() = default;

  virtual std::string_view name() const = 0;
  // Another one when the same log gives other keys or values: the view is built anew then.
  virtual uint32_t version() const = 0;
  // The oldest version whose keys and values readers of this build understand: one that is older
  // does not answer while the new one is built.
  virtual uint32_t reads_from() const { return version(); }
  // For people: what its keys are, a line each.
  virtual std::string_view keys() const = 0;

  // An event of an instance. `before` is the instance without it.
  virtual void OnEvent(const model::Event& event, const model::Instance& before,
                       const model::Registry& registry, const RecordInfo& record,
                       ViewWriter& writer) {}
  // An event of the registry, which is in `after` already.
  virtual void OnRegistry(const model::Event& event, const model::Registry& after,
                          const RecordInfo& record, ViewWriter& writer) {}
  // An instance that has changed in this batch, as it is at its end.
  virtual void OnInstance(const model::Instance& instance, const model::Registry& registry,
                          ViewWriter& writer) {}
  // Behind all of them.
  virtual void EndBatch(ViewWriter& writer) {}

  // Whether its rows are figures over many instances, in which those that are removed stay. Of
  // what an instance's users gave it holds nothing then: erasing could not find it. Else its rows
  // are of one instance or of the registry.
  virtual bool keeps_totals() const { return false; }
  // All rows of the instance go. Between two batches.
  virtual void Forget(InstanceId instance, ViewWriter& writer) {}
  // Adds a row that this view, in the version that it had then, made of instances that were purged,
  // and of nothing else. Between two batches. REQUIRES: keeps_totals().
  virtual void Merge(const model::ViewRow& row, ViewWriter& writer) {}
};

}  // namespace stele::projections
