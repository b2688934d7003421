// What keeps an instance from going on: whom or what it waits for, for people to read and to act
// on. Looks at the state alone, so it serves a running engine and a log that nobody has open.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/definition/definition.h"
#include "engine/model/instance.h"

namespace stele::replay {

enum class WaitFor : uint8_t {
  kResume,    // it is paused
  kPlace,     // it is queued: its definition's limit is reached
  kPeople,    // an approval or a manual task
  kMessage,   // one of Waiting::waits: messages, signals, moments
  kDelay,     // the moment `due`, at a step that is a delay
  kOperator,  // a parked step
  kChild,     // the end of an instance that a step called
  kWorker,    // a worker of the step's type
};
// "resume", "place", "people", "message", "delay", "operator", "child", "worker"
std::string_view WaitForName(WaitFor what);

struct Waiting {
  WaitFor what = WaitFor::kResume;
  RunId run;          // 0: the instance itself
  std::string step;   // the id
  std::string label;  // the id, behind it the indices of the loops around: "update[2]"
  std::string type;   // of the task for people: "approval", "manual"; kWorker: of the step
  std::string title;
  TimeUs since;                            // when the run began
  TimeUs due;                              // of the task or delay, or the earliest of the wait
  const model::HumanTask* task = nullptr;  // kPeople; good as long as the instance
  std::vector<model::Wait> waits;          // kMessage
  InstanceId child;                        // kChild
  std::string kind;                        // kOperator: the error
  std::string message;
};

// How an instance goes on if nobody does anything.
enum class Motion : uint8_t {
  kNone,    // it does not
  kMoment,  // a wait ends at its moment: a delay, a branch of a race, or a timeout
  kWork,    // an attempt is outside, or a backoff passes
};

struct Standing {
  // Not by deadlines of tasks for people, nor by the instance's own. Children that are waited for
  // are not looked at.
  Motion motion = Motion::kNone;
  std::vector<Waiting> waits;  // the instance's own first, then by run
};

// Whether a task of that step waits for a worker that is not there. The state does not tell who is.
using LacksWorker = std::function<bool(const definition::Step& step)>;

// REQUIRES: `definition` is the one that the instance runs now. Without `lacks_worker` every
// attempt is taken to be under way.
Standing StandingOf(const model::Instance& instance, const definition::Definition& definition,
                    const LacksWorker& lacks_worker = nullptr);

// "running", "waiting", "parked", "paused", "queued", "compensating", "completed", "failed",
// "cancelled" or "terminated". REQUIRES: `standing` is the instance's.
std::string StatusWord(const model::Instance& instance, const Standing& standing);

// What it failed with, or what it is being undone for; no kind: neither.
const model::Failure& FailureOf(const model::Instance& instance);

// What a task for people is called: what its configuration says, else the step's name or id.
std::string TaskTitle(const definition::Definition& definition, const model::StepRun& run);

// "update[2]": the step's id with the indices of the loops around the run.
std::string LabelOf(const model::Instance& instance, const definition::Definition& definition,
                    const model::StepRun& run);

}  // namespace stele::replay
