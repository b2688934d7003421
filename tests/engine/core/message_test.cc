// Steps that wait for messages, signals and moments, and that publish.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/core_driver.h"

namespace stele::test {
namespace {

using testing::ElementsAre;

TEST(Message, IsWaitedForByItsNameAndKey) {
  CoreDriver flow(R"(
id: flow
steps:
  - {id: paid, type: message, config: {name: "paid-{{input.shop}}", key: "{{input.order}}"},
     output_mapping: {amount: response.amount}}
)");
  flow.Start("{}", R"({"shop":"x","order":42})");
  const model::Wait& wait = flow.RunOf("paid").waits.at(0);
  EXPECT_EQ(wait.name, "paid-x");
  EXPECT_EQ(wait.key, "42");
  flow.Correlate("paid", "paid-x", R"({"amount":7})");
  EXPECT_EQ(flow.Variable("amount"), "7");
  EXPECT_EQ(flow.Status(), "completed");
}

TEST(Message, ThatNothingWaitsForIsRefused) {
  CoreDriver flow("id: flow\nsteps: [{id: paid, type: message, config: {name: paid}}]\n");
  flow.Start();
  const auto correlate = [&](uint32_t event, const char* name) {
    return flow.Do(model::CorrelateMessage{
        .run = flow.Run("paid"), .event = event, .name = name, .message_position = Position(1)});
  };
  EXPECT_EQ(correlate(0, "other")->code, ErrorCode::kWrongState);
  EXPECT_EQ(correlate(1, "paid")->code, ErrorCode::kWrongState);
  EXPECT_FALSE(correlate(0, "paid").has_value());
}

TEST(Message, ThatDoesNotComeInTimeFailsTheStepAndMayBeWaitedForAgain) {
  CoreDriver flow(R"(
id: flow
steps:
  - {id: paid, type: message, config: {name: paid}, timeout: 5s, retry: {max_attempts: 2}}
)");
  flow.Start();
  EXPECT_EQ(flow.NextTimerInMs(), 5'000);
  flow.Elapse();
  EXPECT_THAT(flow.Last(),
              ElementsAre("paid: attempt_deadline elapsed", "paid: retry after 1000ms"));
  flow.Elapse();
  EXPECT_THAT(flow.Waiting(), ElementsAre("paid"));
  EXPECT_EQ(flow.NextTimerInMs(), 5'000);
  flow.Correlate("paid", "paid");
  EXPECT_EQ(flow.Status(), "completed");
}

TEST(Publish, TellsTheShardAndGoesOn) {
  CoreDriver flow(R"(
id: flow
steps:
  - {id: tell, type: publish, config: {name: sent, key: "{{input.order}}", payload: {x: 1}, ttl: 2h}}
)");
  flow.Start("{}", R"({"order":42})");
  EXPECT_THAT(flow.Last(), ElementsAre("started", "tell: activated", "published sent for \"42\"",
                                       "tell: completed", "completed"));
}

TEST(Publish, AndWaitingWithALongKeyFail) {
  for (const char* type : {"publish", "message"}) {
    CoreDriver flow(
        fmt::format("id: flow\nsteps: [{{id: tell, type: {}, config: {{name: sent, key: "
                    "\"{{{{input.k}}}}\"}}}}]\n",
                    type));
    flow.Start("{}", fmt::format(R"({{"k":"{}"}})", std::string(1'025, 'k')));
    EXPECT_EQ(flow.Failure(), "limit") << type;
  }
}

TEST(Publish, WithoutANameThatIsATextFails) {
  CoreDriver flow(
      "id: flow\nsteps: [{id: tell, type: publish, config: {name: \"{{input.n}}\"}}]\n");
  flow.Start("{}", R"({"n":{}})");
  EXPECT_EQ(flow.Failure(), "expression");
}

constexpr std::string_view kSignal = R"(
id: flow
steps:
  - {id: a, type: script}
  - {id: go, type: signal, config: {name: go}, depends_on: [a]}
)";

TEST(Signal, MeetsTheStepThatWaits) {
  CoreDriver flow(kSignal);
  flow.Start().Complete("a").Signal("go", R"({"n":1})");
  EXPECT_THAT(flow.Last(), ElementsAre("signal go", "go: met by go", "go: completed", "completed"));
  EXPECT_EQ(flow.Output(), R"({"n":1})");
}

TEST(Signal, IsKeptUntilSomethingWaitsForIt) {
  CoreDriver flow(kSignal);
  flow.Start().Signal("go", R"({"n":1})").Signal("go", R"({"n":2})").Signal("stop");
  EXPECT_EQ(flow.instance().signals.size(), 3u);
  flow.Complete("a");
  EXPECT_EQ(flow.Output(), R"({"n":1})") << "the oldest";
}

TEST(Signal, MeetsOneWaitOfTwo) {
  CoreDriver flow(R"(
id: flow
steps:
  - {id: one, type: signal, config: {name: go}}
  - {id: two, type: signal, config: {name: go}}
)");
  flow.Start().Signal("go");
  EXPECT_THAT(flow.Waiting(), ElementsAre("two"));
  flow.Signal("go");
  EXPECT_EQ(flow.Status(), "completed");
}

TEST(Signal, WithoutANameIsRefused) {
  CoreDriver flow(kSignal);
  flow.Start();
  EXPECT_EQ(flow.Do(model::SendSignal{})->code, ErrorCode::kInvalidInput);
}

TEST(Signal, ThatNothingWaitsForIsRefusedWhenTooManyAreKept) {
  CoreDriver flow(kSignal);
  flow.Start();
  for (int i = 0; i < 1'000; ++i) flow.Signal("stop");
  EXPECT_EQ(flow.Do(model::SendSignal{"stop", {}})->code, ErrorCode::kLimitExceeded);
  flow.Complete("a").Signal("go");
  EXPECT_EQ(flow.Status(), "completed");
}

constexpr std::string_view kRace = R"(
id: race
steps:
  - id: first
    type: event_race
    config:
      events:
        - {id: paid, message: paid, key: k, next: ship}
        - {id: stop, signal: stop, next: cancel}
        - {id: late, after: 2h, next: remind}
  - {id: ship, type: script}
  - {id: cancel, type: script}
  - {id: remind, type: script}
)";

TEST(EventRace, GoesWhereTheMessageSays) {
  CoreDriver race(kRace);
  race.Start().Correlate("first", "paid", R"({"n":1})");
  EXPECT_THAT(race.Running(), ElementsAre("ship"));
}

TEST(EventRace, GoesWhereTheSignalSays) {
  CoreDriver race(kRace);
  race.Start().Signal("stop");
  EXPECT_THAT(race.Running(), ElementsAre("cancel"));
}

TEST(EventRace, GoesWhereTheTimerSays) {
  CoreDriver race(kRace);
  race.Start();
  EXPECT_EQ(race.NextTimerInMs(), 7'200'000);
  race.Elapse();
  EXPECT_THAT(race.Running(), ElementsAre("remind"));
  race.Complete("remind");
  EXPECT_EQ(race.Status(), "completed");
  EXPECT_EQ(race.NextTimerInMs(), -1);
}

TEST(EventRace, TellsWhichEventCameWithItsPayload) {
  CoreDriver race(R"(
id: race
steps:
  - {id: first, type: event_race, config: {events: [{id: a, message: a}, {id: b, signal: b}]}}
)");
  race.Start().Signal("b", R"({"n":1})");
  EXPECT_EQ(race.Output(), R"({"event":"b","payload":{"n":1}})");
}

TEST(EventRace, TakesASignalThatCameBefore) {
  CoreDriver race(R"(
id: race
steps:
  - {id: a, type: script}
  - {id: first, type: event_race, depends_on: [a],
     config: {events: [{id: a, message: a}, {id: b, signal: b}]}}
)");
  race.Start().Signal("b").Complete("a");
  EXPECT_EQ(race.Output(), R"({"event":"b"})");
}

TEST(EventRace, OfAMomentThatHasPassedIsOverAtOnce) {
  CoreDriver race(R"(
id: race
steps:
  - {id: first, type: event_race,
     config: {events: [{id: a, message: a}, {id: b, at: "2001-01-01T00:00:00Z"}]}}
)");
  race.Start();
  EXPECT_LT(race.NextTimerInMs(), 0);
  race.Elapse();
  EXPECT_EQ(race.Output(), R"({"event":"b"})");
}

TEST(Signal, IsKeptByAnInstanceThatFailsAndIsRetried) {
  CoreDriver flow(kSignal);
  flow.Start().Signal("go").Fail("a").Retry().Complete("a");
  EXPECT_EQ(flow.Status(), "completed");
}

TEST(Wait, ThatCouldNotBeSaidWaitsWhenItIsRetried) {
  CoreDriver flow(R"(
id: flow
error_handling: park
steps: [{id: wait, type: message, config: {name: m, key: "{{ input.k }}{{ fix ? '' : input.k }}"}}]
)");
  flow.Start(R"({"fix":false})", fmt::format(R"({{"k":"{}"}})", std::string(1'000, 'k')));
  EXPECT_THAT(flow.Parked(), ElementsAre("wait"));
  flow.Assign(R"({"fix":true})").Resolve("wait", Resolution::kRetry);
  EXPECT_THAT(flow.Waiting(), ElementsAre("wait"));
  flow.Correlate("wait", "m");
  EXPECT_EQ(flow.Status(), "completed");
}

TEST(Publish, ThatCouldNotBeSaidIsSaidAnewWhenItIsRetried) {
  CoreDriver flow(R"(
id: flow
error_handling: park
steps: [{id: tell, type: publish, config: {name: "{{ input.k }}{{ fix ? '' : input.k }}"}}]
)");
  flow.Start(R"({"fix":false})", fmt::format(R"({{"k":"{}"}})", std::string(1'000, 'k')));
  EXPECT_THAT(flow.Parked(), ElementsAre("tell"));
  flow.Assign(R"({"fix":true})").Resolve("tell", Resolution::kRetry);
  EXPECT_EQ(flow.Status(), "completed");
}

}  // namespace
}  // namespace stele::test
