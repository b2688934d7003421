// What an instance was, as another one that goes on from there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "engine/model/snapshot.h"
#include "tests/engine/core/random_course.h"
#include "tests/support/core_driver.h"
#include "tests/support/definitions.h"

namespace stele::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

model::ForkInstance ForkOf(const CoreDriver& origin) {
  return {.origin = origin.instance().id,
          .origin_seq = origin.instance().seq,
          .origin_position = origin.instance().position,
          .state = model::ForkedState(
              std::make_shared<model::Instance>(model::CopyOf(origin.instance())))};
}

// A driver for forks of that instance, with its definition.
struct Forked {
  explicit Forked(const std::string& yaml) : flow(Load(yaml), InstanceId(2)) {}
  std::optional<Rejection> From(model::ForkInstance command) {
    flow.Wait(60'000'000);
    return flow.Do(command);
  }
  CoreDriver flow;
};

constexpr const char* kFlow = R"(
id: flow
variables: {limit: {type: integer, default: 1}}
steps:
  - {id: a, type: script}
  - {id: b, type: script, depends_on: [a], input_mapping: {n: "{{steps.a.output.n ?? 0}}", limit: "{{limit}}"}}
  - {id: c, type: script, depends_on: [b]}
)";

TEST(Fork, MakesItsOwnAttemptOfWhatWasUnderWay) {
  CoreDriver origin(kFlow);
  origin.Start().Complete("a", R"({"n":7})");
  Forked fork(kFlow);
  ASSERT_EQ(fork.From(ForkOf(origin)), std::nullopt);
  EXPECT_THAT(fork.flow.Last(),
              ElementsAre(StartsWith("forked from 1 at "), "resumed", StartsWith("b: attempt 2")));
  EXPECT_EQ(fork.flow.Input("b"), R"({"n":7,"limit":1})");
  EXPECT_EQ(fork.flow.RunOf("b").uncounted, 1u);  // its retry policy is not charged
  fork.flow.Complete("b").Complete("c");
  EXPECT_EQ(fork.flow.Status(), "completed");
  EXPECT_EQ(origin.Status(), "running");
}

TEST(Fork, KnowsItsOriginAndHasItsOwnLife) {
  CoreDriver origin(kFlow);
  origin.Start().Complete("a");
  Forked fork(kFlow);
  model::ForkInstance command = ForkOf(origin);
  command.business_key = "second";
  command.reason = "what if";
  ASSERT_EQ(fork.From(command), std::nullopt);
  const model::Instance& instance = fork.flow.instance();
  EXPECT_EQ(instance.id, InstanceId(2));
  EXPECT_EQ(instance.origin, InstanceId(1));
  EXPECT_EQ(instance.origin_seq, origin.instance().seq);
  EXPECT_EQ(instance.business_key, "second");
  EXPECT_GT(instance.started, origin.instance().started);
  EXPECT_EQ(instance.seq, Seq(fork.flow.Events().size()));
}

TEST(Fork, SetsVariablesBeforeAnythingGoesOn) {
  CoreDriver origin(kFlow);
  origin.Start();
  Forked fork(kFlow);
  model::ForkInstance command = ForkOf(origin);
  command.variables = {{"limit", Payload::FromText("5")}};
  ASSERT_EQ(fork.From(command), std::nullopt);
  EXPECT_EQ(fork.flow.Variable("limit"), "5");
  fork.flow.Complete("a", R"({"n":1})");
  EXPECT_EQ(fork.flow.Input("b"), R"({"n":1,"limit":5})");
}

TEST(Fork, RefusesVariablesOfAnotherType) {
  CoreDriver origin(kFlow);
  origin.Start();
  Forked fork(kFlow);
  model::ForkInstance command = ForkOf(origin);
  command.variables = {{"limit", Payload::FromText(R"("many")")}};
  const auto refused = fork.From(command);
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->code, ErrorCode::kInvalidInput);
}

TEST(Fork, RefusesAMomentBehindWhichNothingGoesOn) {
  CoreDriver origin(kFlow);
  origin.Start().Terminate();
  Forked fork(kFlow);
  const auto refused = fork.From(ForkOf(origin));
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->code, ErrorCode::kCannotFork);
  EXPECT_THAT(refused->message, HasSubstr("terminated"));
  const auto stateless = fork.From({.origin = InstanceId(1)});
  ASSERT_TRUE(stateless.has_value());
  EXPECT_EQ(stateless->code, ErrorCode::kCannotFork);
}

TEST(Fork, StaysPausedWhenAskedTo) {
  CoreDriver origin(kFlow);
  origin.Start();
  Forked fork(kFlow);
  model::ForkInstance command = ForkOf(origin);
  command.paused = true;
  ASSERT_EQ(fork.From(command), std::nullopt);
  EXPECT_EQ(fork.flow.Status(), "paused");
  EXPECT_THAT(fork.flow.Running(), ElementsAre());
  fork.flow.Resume();
  EXPECT_THAT(fork.flow.Running(), ElementsAre("a"));
}

TEST(Fork, GoesOnWithWhatItsOriginHeldInAPause) {
  CoreDriver origin(kFlow);
  origin.Start().Pause().Complete("a");
  ASSERT_THAT(origin.Held(), ElementsAre("b"));
  Forked fork(kFlow);
  ASSERT_EQ(fork.From(ForkOf(origin)), std::nullopt);
  EXPECT_THAT(fork.flow.Running(), ElementsAre("b"));
}

TEST(Fork, WaitsForItsPlaceAndThenGoesOn) {
  CoreDriver origin(kFlow);
  origin.Start().Complete("a");
  Forked fork(kFlow);
  model::ForkInstance command = ForkOf(origin);
  command.queued = true;
  ASSERT_EQ(fork.From(command), std::nullopt);
  EXPECT_EQ(fork.flow.Status(), "queued");
  EXPECT_THAT(fork.flow.Running(), ElementsAre());
  fork.flow.Admit();
  EXPECT_THAT(fork.flow.Running(), ElementsAre("b"));
  fork.flow.Complete("b").Complete("c");
  EXPECT_EQ(fork.flow.Status(), "completed");
}

TEST(Fork, StartsNothingWithoutItsPlace) {
  CoreDriver origin(kFlow);
  origin.Start().Complete("a");
  Forked fork(kFlow);
  model::ForkInstance command = ForkOf(origin);
  command.queued = true;
  ASSERT_EQ(fork.From(command), std::nullopt);
  const auto refused = fork.flow.Do(model::RestartAttempt{fork.flow.RunOf("b").id});
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->code, ErrorCode::kWrongState);
  EXPECT_THAT(refused->message, HasSubstr("queued"));
  EXPECT_THAT(fork.flow.Running(), ElementsAre());
}

TEST(Fork, OfWhatHasNotBegunBegins) {
  CoreDriver origin(kFlow);
  origin.StartQueued();
  for (const bool paused : {false, true}) {
    Forked fork(kFlow);
    model::ForkInstance command = ForkOf(origin);
    command.paused = paused;
    ASSERT_EQ(fork.From(command), std::nullopt);
    if (paused) fork.flow.Resume();
    EXPECT_THAT(fork.flow.Running(), ElementsAre("a"));
  }
}

TEST(Fork, GoesOnInAnotherVersion) {
  CoreDriver origin(kFlow);
  origin.Start().Complete("a");
  Forked fork(kFlow);
  model::ForkInstance command = ForkOf(origin);
  command.definition = fork.flow.AddVersion(R"(
id: flow
variables: {limit: {type: integer, default: 1}, rate: {type: number, default: 0.5}}
steps:
  - {id: a, type: script}
  - {id: b, type: script, depends_on: [a]}
  - {id: audit, type: script, depends_on: [b]}
)");
  command.variables = {{"rate", Payload::FromText("0.75")}};
  ASSERT_EQ(fork.From(command), std::nullopt);
  EXPECT_EQ(fork.flow.Variable("rate"), "0.75");
  fork.flow.Complete("b").Complete("audit");
  EXPECT_EQ(fork.flow.Status(), "completed");
}

TEST(Fork, IsRefusedWholeWhenItCannotMigrate) {
  CoreDriver origin(kFlow);
  origin.Start().Complete("a");
  Forked fork(kFlow);
  model::ForkInstance command = ForkOf(origin);
  command.definition = fork.flow.AddVersion("id: flow\nsteps: [{id: other, type: script}]");
  const auto refused = fork.From(command);
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->code, ErrorCode::kCannotMigrate);
  EXPECT_EQ(fork.flow.instance().status, model::Status::kNone);
}

TEST(Fork, CallsAnewWhatItsOriginHasCalled) {
  constexpr const char* kCall = R"(
id: flow
steps: [{id: child, type: call, config: {definition: other}}]
)";
  CoreDriver origin(kCall);
  origin.Start().NoteChild("child", InstanceId(9));
  Forked fork(kCall);
  ASSERT_EQ(fork.From(ForkOf(origin)), std::nullopt);
  EXPECT_EQ(fork.flow.RunOf("child").child, InstanceId());
  EXPECT_EQ(fork.flow.RunOf("child").attempt, 2u);
}

TEST(Fork, KeepsWhatPeopleHaveSaid) {
  constexpr const char* kApproval = R"(
id: flow
steps: [{id: ok, type: approval, config: {assignees: [ann, bob], min_approvers: 2}}]
)";
  CoreDriver origin(kApproval);
  origin.Start().Approve("ok", "ann");
  Forked fork(kApproval);
  ASSERT_EQ(fork.From(ForkOf(origin)), std::nullopt);
  fork.flow.Approve("ok", "bob");
  EXPECT_EQ(fork.flow.Status(), "completed");
}

TEST(Fork, UndoesWhatItsOriginHasDone) {
  constexpr const char* kSaga = R"(
id: flow
error_handling: compensate
steps:
  - {id: a, type: script, compensation: undo}
  - {id: b, type: script, depends_on: [a]}
  - {id: undo, type: script}
)";
  CoreDriver origin(kSaga);
  origin.Start().Complete("a");
  Forked fork(kSaga);
  ASSERT_EQ(fork.From(ForkOf(origin)), std::nullopt);
  fork.flow.Fail("b");
  EXPECT_THAT(fork.flow.Running(), ElementsAre("undo"));
}

// Of any moment of any course of events: the fork is accepted, keeps every invariant of the driver
// and can be brought to an end. Its origin does not notice.
TEST(AnyFork, CanBeFinished) {
  size_t forks = 0;
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    const std::string yaml = RandomDefinition(seed);
    CoreDriver origin(yaml);
    RandomCourse course(origin, ~seed);
    course.Start();
    for (int i = 0; i < 25; ++i) {
      if (!model::HasEnded(origin.instance().status)) {
        const std::string before = model::EncodeSnapshot(origin.instance());
        CoreDriver fork(Load(yaml), InstanceId(2));
        fork.Wait(i * 1'000'000'000);
        ASSERT_EQ(fork.Do(ForkOf(origin)), std::nullopt) << "seed " << seed;
        ASSERT_TRUE(RandomCourse(fork, seed).Finish()) << "seed " << seed << "\n" << yaml;
        ASSERT_EQ(model::EncodeSnapshot(origin.instance()), before) << "seed " << seed;
        ++forks;
      }
      course.Happen();
      ASSERT_FALSE(HasFailure()) << "seed " << seed << "\n" << yaml;
    }
  }
  EXPECT_GT(forks, 1'000u);
}

}  // namespace
}  // namespace stele::test
