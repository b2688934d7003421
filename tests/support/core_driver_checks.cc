// What must hold after every record.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/apply/apply.h"
#include "engine/model/names.h"
#include "engine/model/snapshot.h"
#include "tests/support/core_driver.h"

namespace stele::test {

using model::RunState;

void CoreDriver::CheckRecord(const std::string& before, const decide::Context& context,
                             const std::vector<model::Event>& events) {
  const std::string told = last_.empty() ? "nothing" : last_.front();
  const std::string body(encoder_.Encode(events));
  log_ += body;
  records_.push_back({context.record, Seq(instance_.seq.value - events.size() + 1),
                      static_cast<uint32_t>(events.size()), body});
  const std::string after = model::EncodeSnapshot(instance_);

  const Result<std::vector<model::Event>> decoded = model::Decode(body);
  ASSERT_TRUE(decoded.has_value()) << decoded.error().ToString();
  for (const model::Event& event : *decoded) apply::Apply(replayed_, event, context.record);
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
  const auto rejection = again_.Decide(restored, *command, context, repeated);
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
    const auto& waiting = instance_.scopes[0].arrivals;
    EXPECT_EQ(std::ranges::count(waiting, slot.step, &model::Arrival::step), 0)
        << "the join \"" << step.id << "\" was left waiting";
  }
}

// Every step of the root was reached by a token, dead or alive, and is over.
void CoreDriver::CheckSteps() const {
  if (versions_.size() > 1) return;
  for (const StepIndex index : definition_->bodies[0].steps) {
    const definition::Step& step = definition_->step(index);
    if (step.handler) continue;
    const model::Slot* slot = model::FindSlot(instance_.scopes[0], index);
    const model::SlotState state = slot == nullptr ? model::SlotState::kIdle : slot->state;
    EXPECT_TRUE(state == model::SlotState::kCompleted || state == model::SlotState::kSkipped ||
                state == model::SlotState::kHandled || state == model::SlotState::kOmitted)
        << "step \"" << step.id << "\" was left " << model::EnumName(state);
  }
}

void CoreDriver::CheckEnded() const {
  EXPECT_TRUE(instance_.runs.empty());
  // A failed one, which may be retried, keeps what it was sent.
  EXPECT_TRUE(instance_.status == model::Status::kFailed || instance_.signals.empty());
  EXPECT_FALSE(instance_.paused);
  EXPECT_FALSE(instance_.queued);
  EXPECT_EQ(model::NextTimer(instance_).at, TimeUs());
  // What a failed instance had reached starts when it is retried.
  const bool retriable = instance_.status == model::Status::kFailed && !instance_.compensated;
  if (!retriable) {
    EXPECT_THAT(Held(), testing::IsEmpty());
    EXPECT_EQ(instance_.scopes.size(), 1u);
    EXPECT_TRUE(instance_.scopes[0].undo.empty());
  }
  if (instance_.status != model::Status::kCompleted) return;
  // What came to a fork's joins in its origin, this driver has not counted.
  if (!instance_.origin) CheckJoins();
  CheckSteps();
}

// Something will come from outside or from a timer, or an operator is asked.
void CoreDriver::CheckOpen() const {
  CheckRuns();
  if (instance_.queued) {
    // A fork that waits for its place has what its origin had.
    EXPECT_TRUE(instance_.runs.empty() || instance_.origin);
    EXPECT_THAT(Running(), testing::IsEmpty());
    EXPECT_EQ(model::NextTimer(instance_).run, RunId());
    return;
  }
  if (instance_.paused) {
    EXPECT_EQ(model::NextTimer(instance_).at, TimeUs());
    return;
  }
  EXPECT_THAT(Held(), testing::IsEmpty());
  EXPECT_THAT(In(RunState::kFailing), testing::IsEmpty());
  const auto waits = [&](const model::StepRun& run) {
    const bool task = definition_->step(run.step).kind == definition::StepKind::kTask;
    return (run.state == RunState::kAttempt && task) || run.state == RunState::kBackoff ||
           run.state == RunState::kDelay || run.state == RunState::kParked ||
           run.state == RunState::kHeld || run.state == RunState::kWaiting;
  };
  EXPECT_TRUE(std::ranges::any_of(instance_.runs, waits)) << "it waits for nothing";
}

// No run stays in a state that only a record in the middle knows.
void CoreDriver::CheckRuns() const {
  for (const model::StepRun& run : instance_.runs) {
    const std::string& step = definition_->step(run.step).id;
    EXPECT_NE(run.state, RunState::kDone) << step;
    if (run.state == RunState::kWaiting) {
      EXPECT_NE(run.waits.empty(), run.human == nullptr) << step;
    }
    if (run.state == RunState::kChildren) {
      EXPECT_TRUE(std::ranges::any_of(instance_.scopes,
                                      [&](const model::Scope& scope) {
                                        return scope.owner == run.id &&
                                               scope.state != model::ScopeState::kClosed;
                                      }))
          << "no scope of " << step << " is open";
    }
    if (run.state != RunState::kFailed) continue;
    EXPECT_TRUE(std::ranges::any_of(instance_.runs,
                                    [&](const model::StepRun& other) {
                                      return other.of == run.id &&
                                             other.purpose == model::Purpose::kFallback;
                                    }))
        << "nothing stands in for " << step;
  }
}

}  // namespace stele::test
