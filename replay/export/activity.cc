#include "replay/export/activity.h"

#include <utility>

#include "engine/model/codec.h"
#include "engine/model/instance.h"

namespace stele::replay {
namespace {

constexpr std::string_view kTransitions[] = {
    "complete",   "schedule", "assign",   "reassign",  "start",    "suspend", "resume",
    "manualskip", "autoskip", "withdraw", "ate_abort", "pi_abort", "unknown"};

constexpr std::string_view kInstanceActivities[] = {
    "instance_started",          "instance_forked",    "instance_completed",
    "instance_failed",           "instance_cancelled", "instance_terminated",
    "instance_paused",           "instance_resumed",   "instance_migrated",
    "instance_retry_requested",  "instance_admitted",  "signal_received",
    "instance_cancel_requested", "variables_set",      "compensation_started",
    "step_rolled_back"};

}  // namespace

struct ActivityOf {
  Activities& all;
  const definition::Definition* definition;
  std::string_view event_name;

  using Found = std::optional<Activity>;

  // Of an instance.
  Found operator()(const model::InstanceStarted& e) const {
    return Own("complete", {.input = &e.input});
  }
  Found operator()(const model::InstanceForked& e) const {
    if (!e.state.has_value()) return Own("complete");
    for (const model::StepRun& run : e.state->runs) {
      // A fork that migrates names steps as its origin's version does, until it says how.
      if (e.definition) {
        all.migrating_.emplace_back(run.id, run.step);
      } else {
        all.Note(run.id, IdOf(run.step));
      }
    }
    return Own("complete");
  }
  Found operator()(const model::InstanceCompleted& e) const {
    return Own("complete", {.output = &e.output});
  }
  Found operator()(const model::InstanceFailed& e) const {
    return Own("pi_abort", {.error = e.kind, .message = e.message});
  }
  Found operator()(const model::InstanceCancelled&) const { return Own("pi_abort"); }
  Found operator()(const model::InstanceTerminated& e) const {
    return Own("pi_abort", {.message = e.reason});
  }
  Found operator()(const model::InstanceCancelRequested& e) const {
    return Own("complete", {.message = e.reason});
  }
  Found operator()(const model::InstancePaused& e) const {
    return Own("complete", {.message = e.reason});
  }
  Found operator()(const model::InstanceResumed& e) const {
    return Own("complete", {.message = e.reason});
  }
  Found operator()(const model::InstanceMigrated& e) const {
    for (const auto& [run, step] : std::exchange(all.migrating_, {}))
      if (step.value < e.steps.size()) all.Note(run, IdOf(e.steps[step.value]));
    return Own("complete", {.message = e.reason});
  }
  Found operator()(const model::InstanceRetryRequested& e) const {
    return Own("complete", {.message = e.reason});
  }
  Found operator()(const model::InstanceAdmitted& e) const {
    return Own("complete", {.message = e.reason});
  }
  Found operator()(const model::SignalReceived& e) const {
    return Own("complete", {.message = e.name, .input = &e.payload});
  }
  Found operator()(const model::VariablesSet& e) const {
    return Own("complete", {.message = e.reason});
  }
  Found operator()(const model::CompensationStarted& e) const {
    return Own("complete", {.error = e.kind, .message = e.message});
  }
  Found operator()(const model::StepRolledBack& e) const {
    return Own("complete", {.message = e.reason});
  }

  // Of a step.
  Found operator()(const model::StepActivated& e) const {
    all.Note(e.run, IdOf(e.step));
    // What people do waits for them; all else begins at once.
    const std::string* id = IdOf(e.step);
    const bool for_people =
        id != nullptr && definition->step(e.step).kind == definition::StepKind::kHuman;
    return Step(id, e.run, for_people ? "schedule" : "start", {.input = &e.input});
  }
  Found operator()(const model::StepPassed& e) const { return Step(IdOf(e.step), {}, "complete"); }
  Found operator()(const model::StepSkipped& e) const { return Step(IdOf(e.step), {}, "autoskip"); }
  // The first attempt begins with the step; between it and the next the step rests.
  Found operator()(const model::AttemptStarted& e) const { return Run(e.run, "resume"); }
  Found operator()(const model::AttemptFailed& e) const {
    return Run(e.run, "suspend", {.error = e.kind, .message = e.message});
  }
  Found operator()(const model::AttemptInterrupted& e) const { return Run(e.run, "suspend"); }
  Found operator()(const model::AttemptCompleted& e) const {
    all.attempted_ = e.run;
    all.output_ = e.output;
    return std::nullopt;
  }
  Found operator()(const model::StepCompleted& e) const {
    const bool attempted = all.attempted_ == e.run && !e.output.has_value();
    return Run(e.run, "complete", {.output = attempted ? &all.output_ : &e.output});
  }
  Found operator()(const model::StepFailed& e) const {
    return Run(e.run, "ate_abort", {.error = e.kind, .message = e.message});
  }
  Found operator()(const model::StepCancelled& e) const {
    const bool with_instance = e.reason == model::CancelReason::kInstanceCancelled ||
                               e.reason == model::CancelReason::kInstanceTerminated;
    return Run(e.run, with_instance ? "pi_abort" : "withdraw");
  }
  Found operator()(const model::StepSkipRequested& e) const {
    return Run(e.run, "manualskip", {.message = e.reason});
  }
  Found operator()(const model::IncidentRaised& e) const {
    return Run(e.run, "suspend", {.error = e.kind, .message = e.message});
  }
  Found operator()(const model::IncidentResolved& e) const {
    return Run(e.run, "resume", {.message = e.reason});
  }
  Found operator()(const model::HumanTaskClaimed& e) const {
    return Run(e.run, "assign", {.message = e.comment});
  }
  Found operator()(const model::HumanTaskReleased& e) const {
    return Run(e.run, "reassign", {.message = e.comment});
  }
  Found operator()(const model::HumanTaskEscalated& e) const { return Run(e.run, "reassign"); }
  Found operator()(const model::HumanTaskDecided& e) const {
    return Run(e.run, "unknown", {.message = e.comment, .output = &e.variables});
  }

  template <class Other>
  Found operator()(const Other&) const {
    return std::nullopt;
  }

 private:
  const std::string* IdOf(StepIndex step) const {
    const bool known = definition != nullptr && step.value < definition->steps.size();
    return known ? &definition->step(step).id : nullptr;
  }
  Found Own(std::string_view transition, Activity activity = {}) const {
    activity.name = event_name;
    activity.transition = transition;
    activity.is_step = false;
    return activity;
  }
  static Found Step(const std::string* id, RunId run, std::string_view transition,
                    Activity activity = {}) {
    if (id == nullptr) return std::nullopt;
    activity.name = *id;
    activity.transition = transition;
    activity.run = run;
    return activity;
  }
  Found Run(RunId run, std::string_view transition, const Activity& activity = {}) const {
    return Step(all.StepOf(run), run, transition, activity);
  }
};

std::span<const std::string_view> StepTransitions() {
  return kTransitions;
}

std::vector<std::string_view> InstanceActivities() {
  return {std::begin(kInstanceActivities), std::end(kInstanceActivities)};
}

void Activities::BeginInstance() {
  steps_.clear();
  migrating_.clear();
  attempted_ = {};
  output_ = {};
}

void Activities::Note(RunId run, const std::string* step) {
  // Runs are numbered without gaps; one that is far off is of a damaged log.
  if (!run || run.value > steps_.size() + (1u << 20)) return;
  if (run.value > steps_.size()) steps_.resize(run.value);
  steps_[run.value - 1] = step;
}

const std::string* Activities::StepOf(RunId run) const {
  return run && run.value <= steps_.size() ? steps_[run.value - 1] : nullptr;
}

std::optional<Activity> Activities::Of(const model::Event& event,
                                       const definition::Definition* definition) {
  return std::visit(ActivityOf{*this, definition, model::EventName(event)}, event);
}

}  // namespace stele::replay
