// What became of steps in one course and in another.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/payload.h"
#include "engine/model/event.h"
#include "replay/timeline.h"
#include "replay/what_if/run_names.h"

namespace stele::replay {

struct StepOutcome {
  StepState state = StepState::kSkipped;
  size_t attempts = 0;
  Payload output;
  std::string kind;  // of the error
  std::string message;
};

// One step that ran in one of two courses alone, or came to something else.
struct StepChange {
  std::string label;       // as the recorded course calls it, with the loop's indices: "update[2]"
  std::string now_called;  // in the other course, where that is another name
  model::Purpose purpose = model::Purpose::kNormal;
  std::optional<StepOutcome> recorded;
  std::optional<StepOutcome> now;
};

struct StepChanges {
  std::vector<StepChange> list;  // in the order of the recorded course, then what is new
  uint64_t count = 0;            // of all, also of those that the list has no place for
};

struct Course {
  const Timeline& timeline;
  const RunNames& names;
};
StepChanges CompareSteps(const Course& recorded, const Course& now);

}  // namespace stele::replay
