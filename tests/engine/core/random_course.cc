#include "tests/engine/core/random_course.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace stele::test {

using model::RunState;

namespace {

constexpr int kMaxHelp = 600;

Payload Output(int64_t n) {
  return Payload::FromValue(Object{{"n", Value(n)}});
}

model::ElapseTimer Elapsing(const model::Timer& timer) {
  return {timer.kind, timer.run, timer.attempt};
}

}  // namespace

void RandomCourse::Start() {
  model::StartInstance command{.definition = DefinitionId(1)};
  command.variables.push_back({"v", Payload::FromText("1")});
  command.paused = random_.OneIn(12);
  command.queued = random_.OneIn(12);
  EXPECT_FALSE(driver_.Do(command).has_value());
}

void RandomCourse::Happen() {
  const int64_t due = driver_.NextTimerInMs();
  if (due > 0 && random_.OneIn(5)) driver_.Wait((due + 1) * 1'000);
  driver_.Do(AnyCommand());
}

bool RandomCourse::Help(uint32_t steps) {
  for (int i = 0; i < kMaxHelp && !testing::Test::HasFailure(); ++i) {
    if (model::HasEnded(driver_.instance().status)) return true;
    const std::optional<model::Command> command = Helpful(steps);
    if (!command.has_value()) {
      driver_.Elapse();
      continue;
    }
    const std::optional<Rejection> rejection = driver_.Do(*command);
    EXPECT_FALSE(rejection.has_value()) << command->index() << ": " << rejection->ToString();
  }
  return false;
}

model::Command RandomCourse::AnyCommand() {
  const model::Instance& instance = driver_.instance();
  const model::Timer timer = model::NextTimer(instance);
  if (timer.at && timer.at <= driver_.now() && !random_.OneIn(4)) return Elapsing(timer);
  if (model::HasEnded(instance.status) || instance.runs.empty() || random_.OneIn(6))
    return OfOperator();
  return OfRun(instance.runs[random_.Below(instance.runs.size())]);
}

RunId RandomCourse::AnyRun() {
  const auto& runs = driver_.instance().runs;
  if (runs.empty() || random_.OneIn(20)) return RunId(static_cast<uint32_t>(random_.Below(9)));
  return runs[random_.Below(runs.size())].id;
}

Payload RandomCourse::AnyOutput() {
  return random_.OneIn(20) ? Payload() : Output(static_cast<int64_t>(random_.Below(10)));
}

model::Command RandomCourse::OfOperator() {
  const auto steps = static_cast<uint32_t>(driver_.definition().steps.size());
  switch (random_.Below(21)) {
    case 20:
      return model::MigrateInstance{DefinitionId(1)};
    case 0:
    case 1:
      return model::PauseInstance{"by chance"};
    case 2:
    case 3:
    case 4:
      return model::ResumeInstance{"by chance"};
    case 5:
    case 6:
    case 7:
      return model::ResumeInstance{"by chance", 1 + static_cast<uint32_t>(random_.Below(2))};
    case 8:
    case 9:
      return model::SkipStep{AnyRun(), "by chance"};
    case 10:
    case 11:
    case 12:
      return model::RollBack{random_.OneIn(3) ? RunId() : AnyRun(),
                             StepIndex(static_cast<uint32_t>(random_.Below(steps))), "by chance"};
    case 13:
      return model::RetryStep{AnyRun(), "by chance"};
    case 14:
      return model::AssignVariables{ScopeId(static_cast<uint32_t>(random_.Below(3))),
                                    {{"v", Payload::FromText(random_.OneIn(2) ? "1" : "2")}}};
    case 15:
      return model::SendSignal{random_.OneIn(3) ? "stop" : "go", AnyOutput()};
    case 16:
      return model::AdmitInstance{"by chance"};
    case 17:
      if (random_.OneIn(8)) return model::TerminateInstance{"by chance"};
      return model::CancelInstance{.compensate = random_.OneIn(2)};
    default:
      return model::RetryInstance{"by chance"};
  }
}

model::Command RandomCourse::OfRun(const model::StepRun& run) {
  switch (run.state) {
    case RunState::kParked:
      return model::ResolveIncident{run.id, static_cast<model::Resolution>(random_.Below(3))};
    case RunState::kHeld:
      return model::RestartAttempt{run.id};
    case RunState::kWaiting:
      return run.human != nullptr ? OfPeople(run) : OfWait(run);
    case RunState::kAttempt:
    case RunState::kBackoff:
    case RunState::kDelay:
    case RunState::kChildren:
    case RunState::kDone:
    case RunState::kFailed:
    case RunState::kFailing:
      return OfTask(run);
  }
  return OfTask(run);
}

model::Command RandomCourse::OfTask(const model::StepRun& run) {
  const uint64_t chance = random_.Below(20);
  if (chance < 4) return model::FailAttempt{.run = run.id, .attempt = run.attempt, .kind = "boom"};
  if (chance == 4)
    return model::InterruptAttempt{run.id, run.attempt,
                                   static_cast<model::Interruption>(random_.Below(2))};
  if (chance == 5) return model::NoteChild{run.id, InstanceId(77)};
  return model::CompleteAttempt{.run = run.id, .attempt = run.attempt, .output = AnyOutput()};
}

model::Command RandomCourse::OfPeople(const model::StepRun& run) {
  static constexpr const char* kPeople[] = {"ann", "bob", "eve", "joe"};
  const std::string person = kPeople[random_.Below(std::size(kPeople))];
  const bool as_operator = random_.OneIn(8);
  std::vector<std::string> groups;
  if (random_.OneIn(4)) groups.emplace_back("staff");
  switch (random_.Below(8)) {
    case 0:
      return model::ClaimTask{run.id, person, "", groups, as_operator};
    case 1:
      return model::ReleaseTask{run.id, person, "", groups, as_operator};
    case 2:
      return model::FailAttempt{.run = run.id, .attempt = run.attempt, .kind = "boom"};
    case 3:
      return model::DecideTask{run.id, person, false, "no", Payload(), groups, as_operator};
    default:
      return model::DecideTask{run.id, person, true, "", AnyOutput(), groups, as_operator};
  }
}

model::Command RandomCourse::OfWait(const model::StepRun& run) {
  const auto event = static_cast<uint32_t>(random_.Below(run.waits.size()));
  const model::Wait& wait = run.waits[event];
  if (wait.kind == model::WaitKind::kSignal) return model::SendSignal{wait.name, AnyOutput()};
  return model::CorrelateMessage{.run = run.id,
                                 .event = event,
                                 .name = wait.name,
                                 .payload = AnyOutput(),
                                 .message_position = Position(1)};
}

std::optional<model::Command> RandomCourse::Helpful(uint32_t steps) const {
  const model::Instance& instance = driver_.instance();
  if (instance.queued) return model::AdmitInstance{};
  if (instance.paused && steps == 0) return model::ResumeInstance{};
  for (const model::StepRun& run : instance.runs) {
    const bool restarts = run.state == RunState::kHeld && instance.paused;
    if (std::optional<model::Command> command = Ending(run); command && !restarts) return command;
  }
  if (instance.paused) return model::ResumeInstance{"step by step", NeedsTime() ? 0 : steps};
  if (steps != 0 && !NeedsTime()) return model::PauseInstance{};
  return std::nullopt;
}

// A timer runs, and nothing else is to be done.
bool RandomCourse::NeedsTime() const {
  const model::Instance& instance = driver_.instance();
  return driver_.Held().empty() &&
         std::ranges::any_of(instance.runs, [](const model::StepRun& run) {
           return run.state == RunState::kBackoff || run.state == RunState::kDelay;
         });
}

std::optional<model::Command> RandomCourse::Ending(const model::StepRun& run) const {
  switch (run.state) {
    case RunState::kAttempt:
      if (driver_.definition().step(run.step).kind != definition::StepKind::kTask)
        return std::nullopt;
      return model::CompleteAttempt{.run = run.id, .attempt = run.attempt, .output = Output(0)};
    case RunState::kHeld:
      return model::RestartAttempt{run.id};
    case RunState::kParked:
      return model::ResolveIncident{run.id, model::Resolution::kSkip};
    case RunState::kWaiting:
      if (run.human != nullptr)
        return model::DecideTask{.run = run.id,
                                 .person = "boss" + std::to_string(run.human->votes.size()),
                                 .approved = true,
                                 .variables = Output(0),
                                 .as_operator = true};
      if (run.waits[0].kind == model::WaitKind::kSignal)
        return model::SendSignal{run.waits[0].name, Output(0)};
      return model::CorrelateMessage{.run = run.id,
                                     .name = run.waits[0].name,
                                     .payload = Output(0),
                                     .message_position = Position(1)};
    case RunState::kBackoff:
    case RunState::kDelay:
    case RunState::kChildren:
    case RunState::kDone:
    case RunState::kFailed:
    case RunState::kFailing:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace stele::test
