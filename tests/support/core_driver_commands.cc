// The words of a scenario: a method for each command.
#include <algorithm>

#include "base/check.h"
#include "base/json.h"
#include "tests/support/core_driver.h"
#include "tests/support/definitions.h"

namespace stele::test {

namespace {

Payload PayloadOf(std::string_view json) {
  return json.empty() ? Payload() : Payload::FromText(json);
}

std::vector<model::NamedPayload> Named(std::string_view object) {
  const Result<Value> values = ParseJson(object);
  CHECK(values.has_value(), "{}", object);
  std::vector<model::NamedPayload> named;
  for (const Member& member : values->as_object())
    named.push_back({member.key, Payload::FromValue(member.value)});
  return named;
}

}  // namespace

void CoreDriver::Must(const model::Command& command) {
  const std::optional<Rejection> rejection = Do(command);
  CHECK(!rejection.has_value(), "{}", rejection->ToString());
}

CoreDriver& CoreDriver::Start(std::string_view variables, std::string_view input) {
  model::StartInstance command{.definition = DefinitionId(1)};
  command.variables = Named(variables);
  command.input = PayloadOf(input);
  Must(command);
  return *this;
}

CoreDriver& CoreDriver::StartPaused() {
  Must(model::StartInstance{.definition = DefinitionId(1), .paused = true});
  return *this;
}

CoreDriver& CoreDriver::StartQueued() {
  Must(model::StartInstance{.definition = DefinitionId(1), .queued = true});
  return *this;
}

CoreDriver& CoreDriver::Admit() {
  Must(model::AdmitInstance{"as the test wants"});
  return *this;
}

CoreDriver& CoreDriver::Complete(std::string_view step, std::string_view output) {
  const model::StepRun& run = RunOf(step);
  Must(model::CompleteAttempt{.run = run.id, .attempt = run.attempt, .output = PayloadOf(output)});
  return *this;
}

CoreDriver& CoreDriver::Fail(std::string_view step, std::string_view kind, bool retryable) {
  const model::StepRun& run = RunOf(step);
  Must(model::FailAttempt{.run = run.id,
                          .attempt = run.attempt,
                          .kind = std::string(kind),
                          .message = "as the test wants",
                          .retryable = retryable});
  return *this;
}

CoreDriver& CoreDriver::Interrupt(std::string_view step, Interruption by) {
  const model::StepRun& run = RunOf(step);
  Must(model::InterruptAttempt{run.id, run.attempt, by});
  return *this;
}

CoreDriver& CoreDriver::Resolve(std::string_view step, Resolution resolution) {
  Must(model::ResolveIncident{Run(step), resolution, "as the test wants"});
  return *this;
}

CoreDriver& CoreDriver::Cancel(bool compensate) {
  Must(model::CancelInstance{compensate, "as the test wants"});
  return *this;
}

CoreDriver& CoreDriver::Terminate() {
  Must(model::TerminateInstance{"as the test wants"});
  return *this;
}

CoreDriver& CoreDriver::Pause() {
  Must(model::PauseInstance{"as the test wants"});
  return *this;
}

CoreDriver& CoreDriver::Resume() {
  return Step(0);
}

CoreDriver& CoreDriver::Step(uint32_t steps) {
  Must(model::ResumeInstance{"as the test wants", steps});
  return *this;
}

CoreDriver& CoreDriver::Retry() {
  Must(model::RetryInstance{"as the test wants"});
  return *this;
}

CoreDriver& CoreDriver::RetryNow(std::string_view step) {
  Must(model::RetryStep{Run(step), "as the test wants"});
  return *this;
}

CoreDriver& CoreDriver::Skip(std::string_view step) {
  Must(model::SkipStep{Run(step), "as the test wants"});
  return *this;
}

CoreDriver& CoreDriver::RollBack(std::string_view to, std::string_view from) {
  Must(model::RollBack{from.empty() ? RunId() : Run(from),
                       definition_->IndexOf(*definition_->FindStep(to)), "as the test wants"});
  return *this;
}

CoreDriver& CoreDriver::Assign(std::string_view variables) {
  Must(model::AssignVariables{ScopeId(), Named(variables)});
  return *this;
}

CoreDriver& CoreDriver::Signal(std::string_view name, std::string_view payload) {
  Must(model::SendSignal{std::string(name), PayloadOf(payload)});
  return *this;
}

CoreDriver& CoreDriver::Correlate(std::string_view step, std::string_view name,
                                  std::string_view payload) {
  const model::StepRun& run = RunOf(step);
  const auto wait = std::ranges::find_if(run.waits, [&](const model::Wait& one) {
    return one.kind == model::WaitKind::kMessage && one.name == name;
  });
  CHECK(wait != run.waits.end(), "\"{}\" does not wait for \"{}\"", step, name);
  Must(model::CorrelateMessage{.run = run.id,
                               .event = static_cast<uint32_t>(wait - run.waits.begin()),
                               .name = std::string(name),
                               .payload = PayloadOf(payload),
                               .message_position = Position(1)});
  return *this;
}

CoreDriver& CoreDriver::Claim(std::string_view step, std::string_view person) {
  Must(model::ClaimTask{.run = Run(step), .person = std::string(person)});
  return *this;
}

CoreDriver& CoreDriver::Release(std::string_view step, std::string_view person) {
  Must(model::ReleaseTask{.run = Run(step), .person = std::string(person)});
  return *this;
}

CoreDriver& CoreDriver::Approve(std::string_view step, std::string_view person,
                                std::string_view comment) {
  Must(model::DecideTask{.run = Run(step),
                         .person = std::string(person),
                         .approved = true,
                         .comment = std::string(comment)});
  return *this;
}

CoreDriver& CoreDriver::Reject(std::string_view step, std::string_view person,
                               std::string_view comment) {
  Must(model::DecideTask{
      .run = Run(step), .person = std::string(person), .comment = std::string(comment)});
  return *this;
}

CoreDriver& CoreDriver::CompleteTask(std::string_view step, std::string_view person,
                                     std::string_view variables) {
  Must(model::DecideTask{.run = Run(step),
                         .person = std::string(person),
                         .approved = true,
                         .variables = PayloadOf(variables)});
  return *this;
}

CoreDriver& CoreDriver::NoteChild(std::string_view step, InstanceId child) {
  Must(model::NoteChild{Run(step), child});
  return *this;
}

DefinitionId CoreDriver::AddVersion(std::string_view yaml) {
  versions_.push_back(Load(yaml));
  return DefinitionId(static_cast<uint32_t>(versions_.size()));
}

CoreDriver& CoreDriver::Migrate(std::string_view yaml, std::string_view plan) {
  const DefinitionId to = AddVersion(yaml);
  Must(model::MigrateInstance{to, std::string(plan)});
  return *this;
}

CoreDriver& CoreDriver::Elapse() {
  const model::Timer timer = model::NextTimer(instance_);
  CHECK(timer.at != TimeUs(), "no timer of the instance runs");
  now_ = std::max(now_, timer.at);
  Must(model::ElapseTimer{timer.kind, timer.run, timer.attempt});
  return *this;
}

}  // namespace stele::test
