#include "tests/support/core_driver.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/json.h"
#include "engine/apply/apply.h"
#include "engine/model/names.h"
#include "engine/model/snapshot.h"
#include "tests/support/definitions.h"

namespace stele::test {

using model::RunState;

CoreDriver::CoreDriver(std::shared_ptr<const definition::Definition> definition, InstanceId id)
    : definition_(std::move(definition)), text_(*definition_) {
  instance_.id = replayed_.id = id;
}

CoreDriver::CoreDriver(std::string_view yaml) : CoreDriver(Load(yaml)) {}

std::optional<Rejection> CoreDriver::Do(const model::Command& command) {
  const std::string before = model::EncodeSnapshot(instance_);
  const decide::Context context{*definition_, {position_.Next(), now_}};
  std::vector<model::Event> events;
  std::optional<Rejection> rejection = decider_.Decide(instance_, command, context, events);
  if (rejection.has_value()) {
    EXPECT_TRUE(events.empty()) << rejection->ToString();
    EXPECT_EQ(model::EncodeSnapshot(instance_), before) << rejection->ToString();
    return rejection;
  }
  position_ = position_.Next();
  last_.clear();
  for (const model::Event& event : events) {
    last_.push_back(text_.Tell(event, now_));
    const auto* token = std::get_if<model::TokenArrived>(&event);
    if (token != nullptr && token->scope == ScopeId()) ++arrived_[token->transition];
  }
  all_.insert(all_.end(), last_.begin(), last_.end());
  CheckRecord(before, events);
  CheckIsAlive();
  return std::nullopt;
}

void CoreDriver::CheckRecord(const std::string& before, const std::vector<model::Event>& events) {
  const std::string told = last_.empty() ? "nothing" : last_.front();
  const std::string body(encoder_.Encode(events));
  log_ += body;
  const std::string after = model::EncodeSnapshot(instance_);
  const model::RecordContext record{position_, now_};

  const Result<std::vector<model::Event>> decoded = model::Decode(body);
  ASSERT_TRUE(decoded.has_value()) << decoded.error().ToString();
  for (const model::Event& event : *decoded) apply::Apply(replayed_, event, record);
  EXPECT_EQ(model::EncodeSnapshot(replayed_), after) << "replayed: " << told;

  model::Instance restored;
  restored.id = instance_.id;
  if (instance_.seq.value > events.size()) {
    Result<model::Instance> snapshot = model::DecodeSnapshot(before);
    ASSERT_TRUE(snapshot.has_value()) << snapshot.error().ToString();
    restored = *std::move(snapshot);
  }
  const std::optional<model::Command> command = decide::CommandOf(decoded->front());
  ASSERT_TRUE(command.has_value()) << told;
  std::vector<model::Event> repeated;
  const auto rejection = again_.Decide(restored, *command, {*definition_, record}, repeated);
  ASSERT_FALSE(rejection.has_value()) << rejection->ToString();
  EXPECT_TRUE(repeated == events) << "decided again: " << told;
  EXPECT_EQ(model::EncodeSnapshot(restored), after) << "restored: " << told;
}

// No join of the root waits for a transition that was never decided. Where a transition brings
// several tokens (a step in a loop that leaves it and goes round too), their number says nothing.
void CoreDriver::CheckJoins() const {
  for (const model::Slot& slot : instance_.scopes[0].slots) {
    const definition::Step& step = definition_->step(slot.step);
    const bool once = std::ranges::all_of(step.incoming, [&](TransitionIndex transition) {
      const auto arrived = arrived_.find(transition);
      return arrived == arrived_.end() || arrived->second == 1;
    });
    if (!once) continue;
    EXPECT_EQ(slot.live + slot.dead, 0) << "the join \"" << step.id << "\" was left waiting";
  }
}

// Something will come from outside or from a timer, or an operator is asked.
void CoreDriver::CheckIsAlive() const {
  if (model::HasEnded(instance_.status)) {
    EXPECT_TRUE(instance_.runs.empty());
    EXPECT_EQ(model::NextTimer(instance_).at, TimeUs());
    if (instance_.status == model::Status::kCompleted) CheckJoins();
    return;
  }
  const auto waits = [&](const model::StepRun& run) {
    const bool task = definition_->step(run.step).kind == definition::StepKind::kTask;
    return (run.state == RunState::kAttempt && task) || run.state == RunState::kBackoff ||
           run.state == RunState::kDelay || run.state == RunState::kParked ||
           run.state == RunState::kHeld;
  };
  EXPECT_TRUE(std::ranges::any_of(instance_.runs, waits)) << "it waits for nothing";
  for (const model::StepRun& run : instance_.runs) {
    EXPECT_NE(run.state, RunState::kDone) << "run " << run.id.value;
    if (run.state != RunState::kFailed) continue;
    EXPECT_TRUE(std::ranges::any_of(instance_.runs,
                                    [&](const model::StepRun& other) {
                                      return other.of == run.id &&
                                             other.purpose == model::Purpose::kFallback;
                                    }))
        << "nothing stands in for run " << run.id.value;
  }
}

void CoreDriver::Must(const model::Command& command) {
  const std::optional<Rejection> rejection = Do(command);
  CHECK(!rejection.has_value(), "{}", rejection->ToString());
}

CoreDriver& CoreDriver::Start(std::string_view variables, std::string_view input) {
  model::StartInstance command{.definition = DefinitionId(1)};
  const Result<Value> values = ParseJson(variables);
  CHECK(values.has_value(), "{}", variables);
  for (const Member& member : values->as_object())
    command.variables.push_back({member.key, Payload::FromValue(member.value)});
  if (!input.empty()) command.input = Payload::FromText(input);
  Must(command);
  return *this;
}

CoreDriver& CoreDriver::Complete(std::string_view step, std::string_view output) {
  const model::StepRun& run = RunOf(step);
  model::CompleteAttempt command{.run = run.id, .attempt = run.attempt};
  if (!output.empty()) command.output = Payload::FromText(output);
  Must(command);
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

CoreDriver& CoreDriver::Elapse() {
  const model::Timer timer = model::NextTimer(instance_);
  CHECK(timer.at != TimeUs(), "no timer of the instance runs");
  now_ = std::max(now_, timer.at);
  Must(model::ElapseTimer{timer.kind, timer.run, timer.attempt});
  return *this;
}

const model::StepRun& CoreDriver::RunOf(std::string_view step) const {
  const auto found = std::ranges::find_if(instance_.runs, [&](const model::StepRun& run) {
    return definition_->step(run.step).id == step;
  });
  CHECK(found != instance_.runs.end(), "no open run of step \"{}\"", step);
  return *found;
}

RunId CoreDriver::Run(std::string_view step) const {
  return RunOf(step).id;
}

Texts CoreDriver::Running() const {
  Texts running;
  for (const model::StepRun& run : instance_.runs)
    if (run.state == RunState::kAttempt) running.push_back(definition_->step(run.step).id);
  return running;
}

Texts CoreDriver::Parked() const {
  Texts parked;
  for (const model::StepRun& run : instance_.runs)
    if (run.state == RunState::kParked) parked.push_back(definition_->step(run.step).id);
  return parked;
}

size_t CoreDriver::Count(std::string_view text) const {
  return static_cast<size_t>(std::ranges::count(all_, text));
}

Texts CoreDriver::Told(std::string_view ending) const {
  Texts told;
  for (const std::string& text : all_)
    if (text.ends_with(ending)) told.push_back(text.substr(0, text.size() - ending.size()));
  return told;
}

std::string CoreDriver::Status() const {
  return std::string(model::StatusName(instance_.status));
}

std::string CoreDriver::Variable(std::string_view name) const {
  const auto& variables = instance_.scopes[0].variables;
  const auto found = std::ranges::find(variables, name, &model::NamedPayload::name);
  return found == variables.end() ? "" : std::string(found->value.text());
}

std::string CoreDriver::Input(std::string_view step) const {
  return std::string(RunOf(step).input.text());
}

int64_t CoreDriver::NextTimerInMs() const {
  const TimeUs at = model::NextTimer(instance_).at;
  return at == TimeUs() ? -1 : (at.value - now_.value) / 1'000;
}

}  // namespace stele::test
