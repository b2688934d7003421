// A workflow's graph with what became of each step: where the tokens are behind an event.
//
// A body that is open several times, as of a loop whose iterations run at once, is drawn once: in
// the scope of the event, or else the newest. What the others do is counted.
//
// Thread: that of the instance's payloads.
#pragma once

#include <string>
#include <vector>

#include "replay/time_machine.h"

namespace stele::replay {

enum class StepMark : uint8_t {
  kNone,     // the row has no step
  kClosed,   // what it is inside of is not open: not yet, or no longer
  kIdle,     // nothing has reached it
  kRunning,  // an attempt is outside, or what is inside it runs
  kWaiting,  // for people, messages, a moment, other tokens, a resume
  kParked,   // an operator decides
  kCompleted,
  kFailed,
  kSkipped,  // or cancelled: it ended without having been done
};

struct GraphRow {
  std::string before;  // columns left of the mark; all of the row when there is no step
  StepMark mark = StepMark::kNone;
  std::string after;        // columns right of the mark
  std::string step;         // the id
  std::string note;         // "attempt 2 of 3", "completed, 4 times", "1 of 2 tokens", "undoes pay"
  bool has_token = false;   // something of it is under way, or a token waits there
  bool is_current = false;  // the event here speaks of it
};

// REQUIRES: the scope is one of the state's. `step`: which the event speaks of; empty: none.
std::vector<GraphRow> DrawGraph(const Moment& moment, ScopeId scope, std::string_view step);

}  // namespace stele::replay
