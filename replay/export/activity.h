// What an event is in the life of an activity, as process mining understands it: an activity is a
// step, and its course is told by the transitions of the standard's lifecycle model (IEEE 1849,
// lifecycle extension). What the engine notes for itself alone (tokens, scopes, timers) is none.
//
// docs/export.md has the table.
//
// Used by one thread at a time.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/model/event.h"
#include "engine/model/registry.h"

namespace stele::replay {

// Good as long as the event and the definitions, and until the next one is looked at.
struct Activity {
  std::string_view name;        // the step's id; of what is the instance's own, the event's name
  std::string_view transition;  // "schedule", "start", "complete", …
  RunId run;                    // 0: none
  bool is_step = true;
  std::string_view error;  // the kind
  std::string_view message;
  const Payload* input = nullptr;
  const Payload* output = nullptr;
};

// All transitions that steps have, "complete" first.
std::span<const std::string_view> StepTransitions();
// The names of activities that are the instance's own.
std::vector<std::string_view> InstanceActivities();

// Of one instance at a time: remembers which step each of its runs is of, 8 bytes a run.
class Activities {
 public:
  void BeginInstance();
  // Nothing: it is no part of any activity's life. `definition` may be null: then steps have no
  // name, and there is nothing for them.
  std::optional<Activity> Of(const model::Event& event, const definition::Definition* definition);

 private:
  friend struct ActivityOf;
  void Note(RunId run, const std::string* step);
  const std::string* StepOf(RunId run) const;

  std::vector<const std::string*> steps_;               // run - 1 -> the id of its step
  std::vector<std::pair<RunId, StepIndex>> migrating_;  // a fork's, by its origin's version
  // Of the attempt that completed last: its step completes in the same record.
  RunId attempted_;
  Payload output_;
};

}  // namespace stele::replay
