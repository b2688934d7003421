#include "tests/support/core_driver.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/check.h"
#include "engine/model/names.h"
#include "engine/model/snapshot.h"
#include "tests/support/definitions.h"

namespace stele::test {

using model::RunState;

CoreDriver::CoreDriver(std::shared_ptr<const definition::Definition> definition, InstanceId id)
    : versions_{definition}, definition_(std::move(definition)), text_(*definition_) {
  instance_.id = replayed_.id = id;
}

CoreDriver::CoreDriver(std::string_view yaml) : CoreDriver(Load(yaml)) {}

std::optional<Rejection> CoreDriver::Do(const model::Command& command) {
  const std::string before = model::EncodeSnapshot(instance_);
  DefinitionId target;
  if (const auto* migrate = std::get_if<model::MigrateInstance>(&command))
    target = migrate->definition;
  if (const auto* fork = std::get_if<model::ForkInstance>(&command)) target = fork->definition;
  const bool known = target && target.value <= versions_.size();
  const decide::Context context{
      *definition_, {position_.Next(), now_}, known ? versions_[target.value - 1].get() : nullptr};
  std::vector<model::Event> events;
  std::optional<Rejection> rejection = decider_.Decide(instance_, command, context, events);
  if (rejection.has_value()) {
    EXPECT_TRUE(events.empty()) << rejection->ToString();
    EXPECT_EQ(model::EncodeSnapshot(instance_), before) << rejection->ToString();
    return rejection;
  }
  position_ = position_.Next();
  Note(events);
  CheckRecord(before, context, events);
  model::HasEnded(instance_.status) ? CheckEnded() : CheckOpen();
  return std::nullopt;
}

void CoreDriver::Note(const std::vector<model::Event>& events) {
  last_.clear();
  for (const model::Event& event : events) {
    last_.push_back(text_.Tell(event, now_));
    const auto* token = std::get_if<model::TokenArrived>(&event);
    if (token != nullptr && token->scope == ScopeId()) ++arrived_[token->transition];
    const auto* migrated = std::get_if<model::InstanceMigrated>(&event);
    if (migrated == nullptr) continue;
    definition_ = versions_[migrated->definition.value - 1];
    text_.Migrate(*definition_, *migrated);
    std::map<TransitionIndex, int> arrived;
    for (const auto& [transition, count] : arrived_)
      if (const TransitionIndex now = migrated->transitions[transition.value];
          now != model::kNoTransition)
        arrived[now] = count;
    arrived_ = std::move(arrived);
  }
  all_.insert(all_.end(), last_.begin(), last_.end());
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
  return In(RunState::kAttempt);
}

Texts CoreDriver::In(RunState state) const {
  Texts found;
  for (const model::StepRun& run : instance_.runs)
    if (run.state == state) found.push_back(definition_->step(run.step).id);
  return found;
}

Texts CoreDriver::Held() const {
  Texts held;
  for (const model::Scope& scope : instance_.scopes)
    for (const model::HeldStep& step : scope.held_steps)
      held.push_back(definition_->step(step.step).id);
  return held;
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
  return std::string(model::StatusOf(instance_));
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
