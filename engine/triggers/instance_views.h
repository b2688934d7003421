// What a condition can see: how many instances there are, by how they are doing.
//
//   instances.started                     ever
//   instances.running                     not ended (waiting, paused and queued ones too)
//   instances.completed, .failed, .cancelled, .terminated
//   definitions["orders"].failed          the same of one definition, all versions together
//
// A fold of the log; not for concurrent use.
#pragma once

#include <string_view>

#include "base/value.h"
#include "engine/model/instance.h"

namespace stele::triggers {

class InstanceViews {
 public:
  InstanceViews();
  void DefinitionSeen(std::string_view definition);
  void Started(std::string_view definition);
  void Ended(std::string_view definition, model::Status status);
  // One that had failed runs again.
  void Retried(std::string_view definition);

  // The roots `instances` and `definitions`.
  const Object& roots() const { return roots_; }
  // REQUIRES: `roots` is what roots() gave.
  void Restore(Object roots) { roots_ = std::move(roots); }

 private:
  void Add(std::string_view definition, std::string_view count, int64_t by);
  Object roots_;
};

}  // namespace stele::triggers
