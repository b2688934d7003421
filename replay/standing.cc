#include "replay/standing.h"

#include <fmt/format.h>

#include <algorithm>

namespace stele::replay {

namespace {

using model::Instance;
using model::RunState;
using model::StepRun;

class Reader {
 public:
  Reader(const Instance& instance, const definition::Definition& definition,
         const LacksWorker& lacks_worker)
      : instance_(instance), definition_(definition), lacks_worker_(lacks_worker) {}

  Standing Read() {
    if (model::HasEnded(instance_.status)) return {};
    if (instance_.paused) standing_.waits.push_back({.what = WaitFor::kResume});
    if (instance_.queued) standing_.waits.push_back({.what = WaitFor::kPlace});
    for (const StepRun& run : instance_.runs) Look(run);
    // Nothing is open and nothing is waited for: the record that ends it is on its way.
    if (standing_.waits.empty() && instance_.runs.empty()) standing_.motion = Motion::kWork;
    return std::move(standing_);
  }

 private:
  void Look(const StepRun& run);
  void LookAtWait(const StepRun& run);
  void EndsAtAMoment() {
    if (!instance_.paused) standing_.motion = std::max(standing_.motion, Motion::kMoment);
  }
  Waiting& Add(WaitFor what, const StepRun& run) {
    const definition::Step& step = definition_.step(run.step);
    return standing_.waits.emplace_back(Waiting{.what = what,
                                                .run = run.id,
                                                .step = step.id,
                                                .label = LabelOf(instance_, definition_, run),
                                                .type = step.task_type,
                                                .title = step.name.empty() ? step.id : step.name,
                                                .since = run.activated});
  }

  const Instance& instance_;
  const definition::Definition& definition_;
  const LacksWorker& lacks_worker_;
  Standing standing_;
};

void Reader::Look(const StepRun& run) {
  switch (run.state) {
    case RunState::kAttempt:
      if (run.child) {
        Add(WaitFor::kChild, run).child = run.child;
      } else if (lacks_worker_ && lacks_worker_(definition_.step(run.step))) {
        Add(WaitFor::kWorker, run);
      } else {
        standing_.motion = Motion::kWork;
      }
      return;
    case RunState::kBackoff:
    case RunState::kHeld:
      if (!instance_.paused) standing_.motion = Motion::kWork;
      return;
    case RunState::kDelay:
      Add(WaitFor::kDelay, run).due = run.due;
      return EndsAtAMoment();
    case RunState::kParked: {
      Waiting& waiting = Add(WaitFor::kOperator, run);
      waiting.kind = run.error_kind;
      waiting.message = run.error_message;
      return;
    }
    case RunState::kWaiting:
      return LookAtWait(run);
    case RunState::kChildren:
    case RunState::kDone:
    case RunState::kFailed:
    case RunState::kFailing:
      return;
  }
}

void Reader::LookAtWait(const StepRun& run) {
  if (run.human != nullptr) {
    Waiting& waiting = Add(WaitFor::kPeople, run);
    waiting.task = run.human.get();
    waiting.due = run.human->due;
    waiting.title = TaskTitle(definition_, run);
    return;
  }
  Waiting& waiting = Add(WaitFor::kMessage, run);
  waiting.waits = run.waits;
  const auto consider = [&](TimeUs at) {
    if (at && (!waiting.due || at < waiting.due)) waiting.due = at;
  };
  consider(run.due);
  consider(run.deadline);
  for (const model::Wait& wait : run.waits) consider(wait.due);
  if (waiting.due) EndsAtAMoment();
}

}  // namespace

std::string_view WaitForName(WaitFor what) {
  switch (what) {
    case WaitFor::kResume:
      return "resume";
    case WaitFor::kPlace:
      return "place";
    case WaitFor::kPeople:
      return "people";
    case WaitFor::kMessage:
      return "message";
    case WaitFor::kDelay:
      return "delay";
    case WaitFor::kOperator:
      return "operator";
    case WaitFor::kChild:
      return "child";
    case WaitFor::kWorker:
      return "worker";
  }
  return "";
}

Standing StandingOf(const Instance& instance, const definition::Definition& definition,
                    const LacksWorker& lacks_worker) {
  return Reader(instance, definition, lacks_worker).Read();
}

std::string StatusWord(const Instance& instance, const Standing& standing) {
  std::string status(model::StatusOf(instance));
  if (instance.paused || instance.queued || model::HasEnded(instance.status)) return status;
  if (std::ranges::any_of(standing.waits, [](const Waiting& waiting) {
        return waiting.what == WaitFor::kOperator;
      }))
    return "parked";
  const bool waits = standing.motion != Motion::kWork && !standing.waits.empty();
  return waits ? "waiting" : status;
}

const model::Failure& FailureOf(const model::Instance& instance) {
  const model::Scope& root = instance.scopes[0];
  const bool undone = root.state == model::ScopeState::kCompensating && root.failure != nullptr;
  return undone && instance.failure.kind.empty() ? *root.failure : instance.failure;
}

std::string TaskTitle(const definition::Definition& definition, const StepRun& run) {
  const definition::Step& step = definition.step(run.step);
  // Without templates it is not kept with the run; with templates that is what was erased.
  const Value* config = run.config.has_value()     ? &run.config.value()
                        : step.config.is_dynamic() ? nullptr
                                                   : &step.config.source();
  const Value* title = config == nullptr ? nullptr : config->Find("title");
  if (title != nullptr && title->is_string()) return title->as_string();
  return step.name.empty() ? step.id : step.name;
}

std::string LabelOf(const Instance& instance, const definition::Definition& definition,
                    const StepRun& run) {
  std::string indices;
  const model::Scope* scope = instance.FindScope(run.scope);
  while (scope != nullptr && scope->owner) {
    const StepRun* owner = instance.FindRun(scope->owner);
    if (owner == nullptr) break;
    if (definition.step(owner->step).kind == definition::StepKind::kLoop)
      indices = fmt::format("[{}]", scope->index) + indices;
    scope = instance.FindScope(owner->scope);
  }
  return definition.step(run.step).id + indices;
}

}  // namespace stele::replay
