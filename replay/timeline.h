// What became of every step of an instance, for people: its runs with their attempts, those that
// have ended too, which the instance's state no longer holds. A fold over events, live or recorded.
//
// Its memory grows with the number of runs: for one instance at a time, not for a shard's.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "engine/definition/definition.h"
#include "engine/model/event.h"
#include "engine/model/instance.h"
#include "engine/model/registry.h"

namespace stele::replay {

enum class StepState : uint8_t {
  kRunning,
  kBackoff,   // waits for its next attempt
  kDelay,     // a delay that has not elapsed
  kChildren,  // its iterations or its sub-process run
  kHeld,      // its attempt was stopped with the engine, or it failed while the instance is paused
  kWaiting,   // for people, a message, a signal or a moment
  kParked,    // an operator decides
  kCompleted,
  kFailed,
  kCancelled,
  kSkipped,
};
// "running", "backoff", …
std::string_view StepStateName(StepState state);
inline bool IsOver(StepState state) {
  return state >= StepState::kCompleted;
}

enum class AttemptState : uint8_t { kRunning, kCompleted, kFailed, kInterrupted, kCancelled };
std::string_view AttemptStateName(AttemptState state);

struct AttemptLine {
  uint32_t number = 1;
  AttemptState state = AttemptState::kRunning;
  TimeUs started;
  TimeUs ended;
  std::string kind;  // of the error
  std::string message;
  std::string log;
  bool log_truncated = false;
};

struct StepLine {
  RunId run;       // 0: it was skipped
  StepIndex step;  // kNoIndex: the version that the instance was migrated to has no such step
  std::string id;  // of the step, when it was reached
  ScopeId scope;
  model::Purpose purpose = model::Purpose::kNormal;
  RunId of;           // fallback, compensation: the run that it stands in for or undoes
  std::string label;  // the step's id, behind it the loop's indices: "update[2]"
  StepState state = StepState::kRunning;
  TimeUs started;
  TimeUs ended;
  TimeUs due;  // kBackoff, kDelay
  std::vector<AttemptLine> attempts;
  Payload output;
  std::string kind;  // of the error
  std::string message;
  std::string claimed_by;          // of a task for people
  std::vector<model::Vote> votes;  // in the order in which they came
  InstanceId child;                // of a call
};

class Timeline {
 public:
  // REQUIRES: `definition` is the instance's when it starts; it and `registry` outlive the
  // timeline. An instance that migrates needs the registry.
  explicit Timeline(const definition::Definition& definition,
                    const model::Registry* registry = nullptr)
      : definition_(&definition), registry_(registry) {}

  void Apply(const model::Event& event, const model::RecordContext& record);

  // In the order in which they were activated or skipped.
  const std::vector<StepLine>& lines() const { return lines_; }
  // Null when there is no such run.
  const StepLine* FindRun(RunId run) const;
  // The version that the instance runs now.
  const definition::Definition& definition() const { return *definition_; }
  TimeUs started() const { return started_; }
  // From its beginning until then, in microseconds. What a fork took over counts from the fork on.
  int64_t Took(const StepLine& line, TimeUs until) const {
    return until.value - std::max(line.started, started_).value;
  }

 private:
  friend struct TimelineWriter;
  StepLine& Line(RunId run);

  const definition::Definition* definition_;
  const model::Registry* registry_;
  std::vector<StepLine> lines_;
  std::vector<size_t> of_run_;               // run - 1 -> its line; kNoLine: it has none
  std::map<ScopeId, std::string> suffixes_;  // of the labels in a scope
  TimeUs started_;
};

}  // namespace stele::replay
