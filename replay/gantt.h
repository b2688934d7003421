// The runs of an instance's steps over time: when each ran, waited, and was tried again. A fold
// over its history that keeps a line for each run, up to a limit.
//
// Thread: the machine's.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "replay/time_machine.h"

namespace stele::replay {

// Lines of one chart, unless another number is asked for, and at most.
inline constexpr size_t kGanttLines = 1'000;
inline constexpr size_t kMaxGanttLines = 10'000;

// What a run does in a part of its time.
enum class Doing : uint8_t {
  kRunning,   // an attempt is outside
  kBackoff,   // until its next attempt
  kDelay,     // a step that is a delay
  kPeople,    // an approval or a manual task
  kEvent,     // waits for a message, a signal or a moment
  kChild,     // an instance that it called
  kInside,    // what is inside it runs: a loop, a sub-process
  kFallback,  // another step stands in for it
  kParked,    // an incident: an operator decides
  kHeld,      // does not go on: the instance is paused, or the engine was stopped
};
inline constexpr size_t kDoings = 10;
// "running", "backoff", "delay", "people", "event", "child", "inside", "fallback", "parked", "held"
std::string_view DoingName(Doing doing);

struct GanttPart {
  Doing doing = Doing::kRunning;
  TimeUs from;
  TimeUs to;             // 0: it goes on
  uint32_t attempt = 0;  // kRunning
  std::string ended_as;  // kRunning: "completed", "failed", "interrupted", "cancelled", "timeout"
};

struct GanttLine {
  RunId run;
  std::string step;
  std::string label;
  std::string purpose;  // "fallback", "compensation"; empty: neither
  ScopeId scope;
  RunId owner;             // the run that it is inside of; 0: none
  uint32_t depth = 0;      // in how many scopes inside the root
  std::string state;       // "completed", "failed", "cancelled"; of an open one, what it does
  TimeUs from;             // of a run that a fork took over, the fork's beginning
  TimeUs to;               // 0: it is open
  uint32_t attempts = 0;   // of a task
  uint32_t before = 0;     // of them, those that the fork's origin made: they have no parts
  std::string error_kind;  // the last one
  std::string error_message;
  std::vector<GanttPart> parts;
};

struct Gantt {
  InstanceId instance;
  std::string definition;
  uint32_t version = 0;
  std::string status;
  TimeUs from;
  TimeUs to;  // its end, or until when it is shown
  bool ended = false;
  uint64_t runs = 0;              // of which the first so many have a line
  std::vector<GanttLine> lines;   // each behind the one that it is inside of
  std::vector<GanttPart> paused;  // kHeld: the instance as a whole
};

// `now`: until when what is open is shown; what has happened later is shown all the same.
Result<Gantt> GanttOf(TimeMachine& machine, TimeUs now, size_t limit = kGanttLines);

// The same as a document, and back: what a server answers with is drawn elsewhere. What is missing
// in it is none.
Object GanttToJson(const Gantt& gantt);
Gantt GanttFromJson(const Value& document);

}  // namespace stele::replay
