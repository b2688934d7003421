#include "tests/support/event_text.h"

#include <fmt/format.h>

#include "base/instance_ranges.h"
#include "engine/model/instance.h"
#include "engine/model/names.h"

namespace stele::test {

namespace {

std::string Purposely(model::Purpose purpose) {
  switch (purpose) {
    case model::Purpose::kNormal:
      return "";
    case model::Purpose::kFallback:
      return " as fallback";
    case model::Purpose::kCompensation:
      return " to undo";
  }
  return "";
}

}  // namespace

struct EventText::Teller {
  EventText& text;
  TimeUs now;

  const std::string& Name(StepIndex step) const { return text.definition_->step(step).id; }
  const std::string& Name(RunId run) const {
    const StepIndex step = text.step_of_.at(run);
    return step.value == kNoIndex ? text.gone_ : Name(step);
  }
  std::string After(TimeUs due) const {
    return fmt::format("{}ms", (due.value - now.value) / 1'000);
  }

  std::string operator()(const model::InstanceStarted&) { return "started"; }
  std::string operator()(const model::InstanceCompleted&) { return "completed"; }
  std::string operator()(const model::InstanceFailed& e) {
    return fmt::format("failed: {}{}", e.kind, e.compensated ? ", compensated" : "");
  }
  std::string operator()(const model::InstanceCancelRequested&) { return "cancel requested"; }
  std::string operator()(const model::InstanceCancelled& e) {
    return e.compensated ? "cancelled, compensated" : "cancelled";
  }
  std::string operator()(const model::InstanceTerminated&) { return "terminated"; }
  std::string operator()(const model::StepActivated& e) {
    text.step_of_[e.run] = e.step;
    return Name(e.step) + ": activated" + Purposely(e.purpose);
  }
  std::string operator()(const model::StepPassed& e) { return Name(e.step) + ": passed"; }
  std::string operator()(const model::StepSkipped& e) { return Name(e.step) + ": skipped"; }
  std::string operator()(const model::StepCompleted& e) { return Name(e.run) + ": completed"; }
  std::string operator()(const model::StepFailed& e) {
    return fmt::format("{}: failed, {}{}", Name(e.run), e.kind, e.fallback ? ", falls back" : "");
  }
  std::string operator()(const model::StepCancelled& e) { return Name(e.run) + ": cancelled"; }
  std::string operator()(const model::AttemptStarted& e) {
    return fmt::format("{}: attempt {}", Name(e.run), e.attempt);
  }
  std::string operator()(const model::AttemptCompleted& e) {
    return fmt::format("{}: attempt {} completed", Name(e.run), e.attempt);
  }
  std::string operator()(const model::AttemptFailed& e) {
    return fmt::format("{}: attempt {} failed, {}", Name(e.run), e.attempt, e.kind);
  }
  std::string operator()(const model::AttemptInterrupted& e) {
    return fmt::format("{}: attempt {} interrupted by {}", Name(e.run), e.attempt,
                       model::EnumName(e.by));
  }
  std::string operator()(const model::RetryScheduled& e) {
    return fmt::format("{}: retry after {}", Name(e.run), After(e.due));
  }
  std::string operator()(const model::TimerElapsed& e) {
    if (!e.run) return "deadline";
    return fmt::format("{}: {} elapsed", Name(e.run), model::EnumName(e.kind));
  }
  std::string operator()(const model::TokenArrived& e) {
    return fmt::format("{}: {} token", Name(e.step), e.live ? "live" : "dead");
  }
  std::string operator()(const model::TokenHeld& e) {
    const definition::Transition& transition = text.definition_->transition(e.transition);
    return fmt::format("{} -> {}: held", Name(transition.from), Name(transition.to));
  }
  std::string operator()(const model::ScopeOpened& e) {
    return fmt::format("{}: opens {}", Name(e.run), e.index);
  }
  std::string operator()(const model::ScopeClosed& e) {
    return fmt::format("scope {}: {}", e.scope.value, model::EnumName(e.outcome));
  }
  std::string operator()(const model::VariablesSet& e) {
    std::string set = "set";
    for (const model::NamedPayload& variable : e.variables)
      set += fmt::format(" {}={}", variable.name, variable.value.text());
    return set;
  }
  std::string operator()(const model::CompensationStarted& e) {
    return fmt::format("scope {}: compensates", e.scope.value);
  }
  std::string operator()(const model::CompensationWaived& e) { return Name(e.run) + ": waived"; }
  std::string operator()(const model::CompensationEnded& e) {
    return fmt::format("scope {}: compensated", e.scope.value);
  }
  std::string operator()(const model::IncidentRaised& e) {
    return fmt::format("{}: parked, {}", Name(e.run), e.kind);
  }
  std::string operator()(const model::IncidentResolved& e) {
    return fmt::format("{}: resolved by {}", Name(e.run), model::EnumName(e.resolution));
  }
  std::string operator()(const model::InstancePaused&) { return "paused"; }
  std::string operator()(const model::InstanceResumed& e) {
    return e.steps == 0 ? "resumed" : fmt::format("resumed for {}", e.steps);
  }
  std::string operator()(const model::InstanceForked& e) {
    for (const model::StepRun& run : e.state->runs) text.step_of_[run.id] = run.step;
    for (const model::Scope& scope : e.state->scopes)
      for (const model::Undo& undo : scope.undo) text.step_of_[undo.run] = undo.step;
    return fmt::format("forked from {} at {}", e.origin.value, e.origin_seq.value);
  }
  std::string operator()(const model::InstanceMigrated& e) {
    return fmt::format("migrated to {}", e.definition.value);
  }
  std::string operator()(const model::InstanceRetryRequested&) { return "retried"; }
  std::string operator()(const model::InstanceAdmitted&) { return "admitted"; }
  std::string operator()(const model::StepHeld& e) { return Name(e.step) + ": held"; }
  std::string operator()(const model::StepFailing& e) {
    return fmt::format("{}: failing, {}", Name(e.run), e.kind);
  }
  std::string operator()(const model::StepRetryRequested& e) {
    return Name(e.run) + ": retry requested";
  }
  std::string operator()(const model::StepSkipRequested& e) {
    return Name(e.run) + ": skip requested";
  }
  std::string operator()(const model::StepRolledBack& e) {
    return fmt::format("back to {}", Name(e.to_step));
  }
  std::string operator()(const model::SignalReceived& e) { return "signal " + e.name; }
  std::string operator()(const model::MessagePublished& e) {
    return fmt::format("published {} for \"{}\"", e.name, e.key);
  }
  std::string operator()(const model::MessageCorrelated& e) {
    return fmt::format("{}: met by {}", Name(e.run), e.name);
  }
  std::string operator()(const model::HumanTaskCreated& e) { return Name(e.run) + ": asks"; }
  std::string operator()(const model::HumanTaskClaimed& e) {
    return fmt::format("{}: claimed by {}", Name(e.run), e.person);
  }
  std::string operator()(const model::HumanTaskReleased& e) {
    return fmt::format("{}: released by {}", Name(e.run), e.person);
  }
  std::string operator()(const model::HumanTaskDecided& e) {
    return fmt::format("{}: {} by {}", Name(e.run), e.approved ? "approved" : "rejected", e.person);
  }
  std::string operator()(const model::HumanTaskEscalated& e) { return Name(e.run) + ": escalated"; }
  std::string operator()(const model::HumanTaskReminded& e) {
    return fmt::format("{}: reminder {}", Name(e.run), e.count);
  }
  std::string operator()(const model::ChildStarted& e) {
    return fmt::format("{}: child {}", Name(e.run), e.child.value);
  }
  std::string operator()(const model::DefinitionRegistered&) { return "registered"; }
  std::string operator()(const model::DefinitionStateChanged& e) { return "definition " + e.state; }
  std::string operator()(const model::TriggerRegistered& e) { return "trigger " + e.kind; }
  std::string operator()(const model::TriggerFired& e) { return "trigger fired: " + e.outcome; }
  std::string operator()(const model::TriggerStateChanged& e) { return "trigger " + e.state; }
  std::string operator()(const model::SettingChanged& e) { return "setting " + e.name; }
  std::string operator()(const model::AccessDenied& e) { return "denied " + e.name; }
  std::string operator()(const model::AlertChanged& e) {
    return (e.firing ? "alert " : "alert over ") + e.rule;
  }
  std::string operator()(const model::InstancesPurged& e) {
    return "purged " + RangesText(e.instances);
  }
  std::string operator()(const model::InstancesErased& e) {
    return "erased " + RangesText(e.instances);
  }
};

void EventText::Migrate(const definition::Definition& definition,
                        const model::InstanceMigrated& event) {
  definition_ = &definition;
  for (auto& [run, step] : step_of_)
    if (step.value != kNoIndex) step = event.steps[step.value];
}

std::string EventText::Tell(const model::Event& event, TimeUs now) {
  return std::visit(Teller{*this, now}, event);
}

}  // namespace stele::test
