#include "tests/support/event_text.h"

#include <fmt/format.h>

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

  const std::string& Name(StepIndex step) const { return text.definition_.step(step).id; }
  const std::string& Name(RunId run) const { return Name(text.step_of_.at(run)); }
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
    const definition::Transition& transition = text.definition_.transition(e.transition);
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
  std::string operator()(const model::DefinitionRegistered&) { return "registered"; }
};

std::string EventText::Tell(const model::Event& event, TimeUs now) {
  return std::visit(Teller{*this, now}, event);
}

}  // namespace stele::test
