// What becomes of an instance when something is changed behind one of its events.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/replay/what_if/asked.h"
#include "tests/support/workflows.h"

namespace stele::replay {
namespace {

using test::kDeploy;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int64_t kSecond = 1'000'000;

CoreDriver Staged() {
  CoreDriver deploy(kDeploy);
  deploy.Start(R"({"target":"staging"})").Wait(kSecond);
  deploy.Complete("build", R"({"image":"x:1"})").Wait(kSecond);
  deploy.Complete("staging", R"({"url":"s"})").Wait(kSecond);
  deploy.Complete("report");
  return deploy;
}

TEST(WhatIf, AnotherVariableTakesTheOtherBranch) {
  const CoreDriver deploy = Staged();
  const WhatIfReport report =
      Ask(deploy, 1, {.set = R"({"target":"production"})", .stubs = {Stubbing("production")}});
  ASSERT_TRUE(report.parting.has_value());
  EXPECT_EQ(EventOf(report.parting->recorded), "step_activated staging");
  EXPECT_EQ(EventOf(report.parting->now), "step_skipped staging");
  EXPECT_EQ(report.parting->now->seq.value, report.parting->recorded->seq.value + 1);
  EXPECT_THAT(StepsOf(report),
              ElementsAre("staging: completed -> skipped", "production: skipped -> completed"));
  EXPECT_EQ(report.results.reused, 2u);
  EXPECT_EQ(report.results.stubbed, 1u);
  EXPECT_EQ(report.now.status, "completed");
  EXPECT_EQ(report.end, CourseEnd::kEnded);
  EXPECT_THAT(ToJson(Value(report.patch)), HasSubstr("production"));
}

TEST(WhatIf, LeavesBehindWhatHadHappenedUntilATime) {
  const CoreDriver deploy = Staged();
  const test::DrivenSource source(deploy);
  const model::Registry registry = source.Registry();
  const auto asked = [&](TimeUs time) {
    return AskWhatIf(source, registry,
                     {.instance = deploy.instance().id, .at = {.seq = {}, .time = time}});
  };
  const WhatIfReport first = Ask(deploy, 1);
  const auto begun = asked(first.time);
  ASSERT_TRUE(begun.has_value()) << begun.error().message;
  EXPECT_EQ(begun->at, first.at);
  const auto later = asked(deploy.instance().ended.Plus(kSecond));
  ASSERT_TRUE(later.has_value()) << later.error().message;
  EXPECT_EQ(later->at, deploy.instance().seq);
  EXPECT_EQ(later->followed, 0u);
  const auto before = asked(first.time.Plus(-1));
  ASSERT_FALSE(before.has_value());
  EXPECT_EQ(before.error().code, ErrorCode::kNoSuchMoment);
}

TEST(WhatIf, AStepThatNothingIsKnownOfIsWaitedFor) {
  const WhatIfReport report = Ask(Staged(), 1, {.set = R"({"target":"production"})"});
  EXPECT_THAT(UnansweredOf(report), ElementsAre("production"));
  EXPECT_EQ(report.end, CourseEnd::kWaiting);
  EXPECT_EQ(report.now.status, "running");
  EXPECT_THAT(StepsOf(report),
              ElementsAre("staging: completed -> skipped", "production: skipped -> running",
                          "report: completed -> nothing"));
}

TEST(WhatIf, AVariableThatNothingLooksAtChangesNothingElse) {
  const WhatIfReport report = Ask(Staged(), 1, {.set = R"({"note":"x"})"});
  EXPECT_FALSE(report.parting.has_value());
  EXPECT_THAT(StepsOf(report), IsEmpty());
  EXPECT_EQ(report.results.reused, 3u);
}

TEST(WhatIf, AVariableThatNothingHasOrDeclaresIsTold) {
  EXPECT_THAT(Ask(Staged(), 1, {.set = R"({"target":"staging","tarjet":"x"})"}).unknown,
              ElementsAre("tarjet"));
  EXPECT_THAT(Ask(Staged(), 1, {.set = R"({"target":"staging"})"}).unknown, IsEmpty());
}

TEST(WhatIf, TheTimesAreThoseOfTheRecordedResults) {
  const CoreDriver deploy = Staged();
  const WhatIfReport report =
      Ask(deploy, 1, {.set = R"({"target":"production"})", .stubs = {Stubbing("production")}});
  // The stub takes no time; the report takes its second.
  EXPECT_EQ(report.now.time, deploy.now().Plus(-kSecond));
}

constexpr std::string_view kOrder = R"(
id: order
variables: {amount: 10}
steps:
  - {id: charge, type: script, inputs: {amount: "{{variables.amount}}"}}
  - {id: ship, type: script, depends_on: [charge]}
)";

TEST(WhatIf, AResultOfAStepThatIsHandedSomethingElseIsAssumed) {
  CoreDriver order(kOrder);
  order.Start().Wait(kSecond);
  const uint64_t begun = order.instance().seq.value;
  order.Complete("charge", R"({"ok":true})").Wait(kSecond);
  order.Complete("ship");
  // It is under way with the old amount at the fork: its result is what it was.
  const WhatIfReport later = Ask(order, begun, {.set = R"({"amount":99})"});
  EXPECT_EQ(later.results.reused, 2u);
  EXPECT_EQ(later.results.assumed, 0u);

  CoreDriver waits(R"(
id: order
variables: {amount: 10}
steps:
  - {id: check, type: script}
  - {id: charge, type: script, depends_on: [check], inputs: {amount: "{{variables.amount}}"}}
)");
  waits.Start().Complete("check").Complete("charge", R"({"ok":true})");
  const WhatIfReport report = Ask(waits, 1, {.set = R"({"amount":99})"});
  EXPECT_EQ(EventOf(report.parting->now), "step_activated charge");
  EXPECT_EQ(report.results.reused, 1u);
  EXPECT_EQ(report.results.assumed, 1u);
  EXPECT_EQ(report.now.status, "completed");
  const WhatIfReport by_type =
      Ask(waits, 1, {.set = R"({"amount":99})", .stubs = {Stubbing("script", R"({"ok":false})")}});
  EXPECT_EQ(by_type.results.reused, 1u);
  EXPECT_EQ(by_type.results.stubbed, 1u);
}

TEST(WhatIf, AStubForAStepTakesThePlaceOfWhatIsRecorded) {
  const WhatIfReport report =
      Ask(Staged(), 1, {.stubs = {Stubbing("build", R"({"image":"y:2"})")}});
  EXPECT_EQ(EventOf(report.parting->recorded), "attempt_completed");
  EXPECT_EQ(report.results.stubbed, 1u);
  EXPECT_EQ(report.results.reused, 2u);
  EXPECT_THAT(StepsOf(report), ElementsAre("build: completed -> completed"));
}

TEST(WhatIf, AnotherVersionAddsAStep) {
  CoreDriver order(kOrder);
  order.Start().Complete("charge").Complete("ship");
  const WhatIfReport report = Ask(order, 1,
                                  {.definition = R"(
id: order
variables: {amount: 10}
steps:
  - {id: charge, type: script, inputs: {amount: "{{variables.amount}}"}}
  - {id: pack, type: script, depends_on: [charge]}
  - {id: ship, type: script, depends_on: [pack]}
)",
                                   .stubs = {Stubbing("pack")}});
  EXPECT_EQ(report.to_version, 2u);
  EXPECT_EQ(EventOf(report.parting->recorded), "step_activated ship");
  EXPECT_EQ(EventOf(report.parting->now), "step_activated pack");
  EXPECT_THAT(StepsOf(report), ElementsAre("pack: nothing -> completed"));
  EXPECT_EQ(report.results.reused, 2u);
  EXPECT_EQ(report.now.status, "completed");
}

TEST(WhatIf, AnotherVersionThatDoesTheSameFollowsTheRecordedPath) {
  CoreDriver order(kOrder);
  order.Start().Complete("charge").Complete("ship");
  const WhatIfReport report = Ask(order, 1,
                                  {.definition = R"(
id: order
variables: {amount: 10}
steps:
  - {id: delivered, type: script, depends_on: [charge]}
  - {id: charge, type: script, inputs: {amount: "{{variables.amount}}"}, retry: {max_attempts: 5}}
)",
                                   .plan = R"({"ship":"delivered"})"});
  EXPECT_FALSE(report.parting.has_value()) << EventOf(report.parting->now);
  EXPECT_EQ(report.results.reused, 2u);
  EXPECT_THAT(StepsOf(report), IsEmpty());
}

TEST(WhatIf, AVersionThatTheInstanceCannotGoOnInIsRefused) {
  CoreDriver order(kOrder);
  order.Start().Complete("charge").Complete("ship");
  const auto refused =
      TryAsk(order, 1, {.definition = "id: order\nsteps: [{id: x, type: script}]\n"});
  EXPECT_EQ(refused.error().code, ErrorCode::kCannotMigrate);
  const auto other =
      TryAsk(order, 1, {.definition = "id: other\nsteps: [{id: x, type: script}]\n"});
  EXPECT_EQ(other.error().code, ErrorCode::kCannotMigrate);
}

TEST(WhatIf, MorePatienceTriesOnceMore) {
  CoreDriver once("id: one\nsteps: [{id: a, type: script}]\n");
  once.Start().Wait(kSecond);
  once.Fail("a");
  ASSERT_EQ(once.Status(), "failed");
  const Changes changes{.definition =
                            "id: one\nsteps: [{id: a, type: script, retry: {max_attempts: 2, "
                            "initial_delay: 1m, backoff: fixed}}]\n",
                        .stubs = {}};
  const WhatIfReport report = Ask(once, 1, changes);
  EXPECT_EQ(EventOf(report.parting->recorded), "step_failed");
  EXPECT_EQ(EventOf(report.parting->now), "retry_scheduled");
  EXPECT_THAT(UnansweredOf(report), ElementsAre("a"));
  EXPECT_EQ(report.now.time, once.now().Plus(60 * kSecond));
}

TEST(WhatIf, LongerDelaysMoveTheRecordedResults) {
  CoreDriver twice(
      "id: one\nsteps: [{id: a, type: script, retry: {max_attempts: 2, initial_delay: 1s, backoff: "
      "fixed}}]\n");
  twice.Start().Wait(kSecond);
  twice.Fail("a").Elapse();
  twice.Wait(5 * kSecond);
  twice.Complete("a", R"({"n":2})");
  const WhatIfReport report =
      Ask(twice, 1,
          {.definition = "id: one\nsteps: [{id: a, type: script, retry: {max_attempts: 2, "
                         "initial_delay: 1m, backoff: fixed}}]\n"});
  EXPECT_EQ(EventOf(report.parting->now), "retry_scheduled");
  EXPECT_EQ(report.results.reused, 2u);
  EXPECT_EQ(report.now.status, "completed");
  EXPECT_EQ(report.now.time, twice.now().Plus(59 * kSecond));
  EXPECT_THAT(StepsOf(report), IsEmpty());
}

TEST(WhatIf, AShorterTimeoutCutsWhatTookLonger) {
  CoreDriver slow(
      "id: one\nsteps: [{id: a, type: script}, {id: b, type: script, depends_on: [a]}]\n");
  slow.Start().Complete("a").Wait(10 * kSecond);
  slow.Complete("b");
  const auto with = [](std::string_view timeout) {
    return "id: one\nsteps: [{id: a, type: script}, {id: b, type: script, depends_on: [a], "
           "timeout: " +
           std::string(timeout) + "}]\n";
  };
  const WhatIfReport report = Ask(slow, 1, {.definition = with("3s")});
  EXPECT_EQ(report.now.status, "failed");
  EXPECT_EQ(report.now.failure.kind, "timeout");
  EXPECT_EQ(report.results.assumed, 1u);
  EXPECT_EQ(Ask(slow, 1, {.definition = with("11s")}).now.status, "completed");
}

TEST(WhatIf, AFailureThatDoesNotComeNeedsNoUndoing) {
  CoreDriver saga(R"(
id: saga
error_handling: compensate
variables: {limit: 1}
steps:
  - {id: reserve, type: script, compensation: release}
  - {id: pay, type: script, depends_on: [reserve]}
  - {id: release, type: script}
)");
  saga.Start().Complete("reserve").Fail("pay").Complete("release");
  ASSERT_EQ(saga.Status(), "failed");
  const WhatIfReport report = Ask(saga, 1, {.stubs = {Stubbing("pay")}});
  EXPECT_EQ(report.now.status, "completed");
  EXPECT_THAT(StepsOf(report),
              ElementsAre("pay: failed -> completed", "release: completed -> nothing"));
  EXPECT_THAT(ToJson(Value(report.patch)), HasSubstr("\"/failure\""));
}

TEST(WhatIf, ALongerListRunsMoreIterations) {
  CoreDriver loop(R"(
id: loop
variables: {list: [1, 2]}
steps:
  - {id: before, type: script}
  - id: each
    type: loop
    items: "{{variables.list}}"
    depends_on: [before]
    steps:
      - {id: work, type: script, inputs: {x: "{{loop.item}}"}}
)");
  loop.Start().Complete("before").Complete("work", R"({"n":1})").Complete("work", R"({"n":2})");
  ASSERT_EQ(loop.Status(), "completed");
  const WhatIfReport report = Ask(loop, 1, {.set = R"({"list":[1,7,8]})"});
  EXPECT_EQ(report.now.status, "completed");
  EXPECT_EQ(report.results.reused, 2u);    // before, work[0]
  EXPECT_EQ(report.results.assumed, 1u);   // work[1] got 7, not 2
  EXPECT_EQ(report.results.repeated, 1u);  // work[2]
  EXPECT_THAT(StepsOf(report),
              ElementsAre("each: completed -> completed", "work[2]: nothing -> completed"));
}

TEST(WhatIf, ALoopThatNeverEndsIsStopped) {
  CoreDriver loop(R"(
id: loop
variables: {more: false}
steps:
  - {id: before, type: script}
  - id: again
    type: loop
    while: "variables.more"
    max_iterations: 1000000
    depends_on: [before]
    steps: [{id: work, type: script}]
)");
  loop.Start().Complete("before");
  ASSERT_EQ(loop.Status(), "completed");
  const WhatIfReport report = Ask(
      loop, 1,
      {.set = R"({"more":true})", .stubs = {Stubbing("work")}, .limits = {.more_records = 500}});
  EXPECT_EQ(report.end, CourseEnd::kBound);
  EXPECT_GT(report.steps.count, 490u);
}

constexpr std::string_view kApproval = R"(
id: flow
variables: {limit: 100}
steps:
  - {id: check, type: script}
  - {id: ask, type: approval, depends_on: [check], condition: "variables.limit < 50",
     config: {assignees: [ann, bob], min_approvers: 1}}
  - {id: then, type: script, depends_on: [ask], join: any}
)";

// first, and then `ask`, where `variable` holds by a detour.
std::string Detour(std::string_view variable, std::string_view ask) {
  return fmt::format(R"(
workflow:
  id: flow
  processes:
    - id: main
      type: conditional
      tasks:
        - {{id: first, type: script}}
        - {{id: detour, type: script}}
        - {1}
      transitions:
        - {{from: first, to: detour, condition: "variables.{0}"}}
        - {{from: first, to: ask, condition: "not variables.{0}"}}
        - {{from: detour, to: ask}}
)",
                     variable, ask);
}

TEST(WhatIf, PeopleDecideAsTheyDidAndWhenTheyDid) {
  CoreDriver flow(Detour("extra", "{id: ask, type: approval, config: {assignees: [ann]}}"));
  flow.Start(R"({"extra":false})").Complete("first").Wait(kSecond);
  flow.Claim("ask", "ann").Wait(kSecond);
  flow.Approve("ask", "ann", "fine");
  ASSERT_EQ(flow.Status(), "completed");
  // The approval comes later than it did: what was decided waits for it.
  const WhatIfReport report =
      Ask(flow, 1, {.set = R"({"extra":true})", .stubs = {Stubbing("detour")}});
  EXPECT_EQ(report.now.status, "completed");
  EXPECT_EQ(report.applied, 2u);
  EXPECT_EQ(report.unused, 0u);
}

TEST(WhatIf, WhatPeopleDidAtAStepThatIsNotReachedIsToldAsUnused) {
  CoreDriver flow(kApproval);
  flow.Start(R"({"limit":10})").Complete("check");
  flow.Claim("ask", "bob").Reject("ask", "bob", "no");
  ASSERT_EQ(flow.Status(), "failed");
  const WhatIfReport report =
      Ask(flow, 1, {.set = R"({"limit":200})", .stubs = {Stubbing("then")}});
  EXPECT_EQ(report.unused, 2u);
  ASSERT_EQ(report.unused_causes.size(), 2u);
  EXPECT_EQ(EventOf(report.unused_causes[0].event), "human_task_claimed");
  EXPECT_FALSE(report.unused_causes[0].why.empty());
}

TEST(WhatIf, MessagesAndSignalsComeWhenTheyCame) {
  CoreDriver flow(Detour("careful", "{id: ask, type: message, config: {name: paid}}"));
  flow.Start(R"({"careful":false})").Complete("first").Wait(kSecond);
  flow.Signal("note", R"({"by":"ann"})").Correlate("ask", "paid", R"({"amount":7})");
  ASSERT_EQ(flow.Status(), "completed");
  const WhatIfReport report =
      Ask(flow, 1, {.set = R"({"careful":true})", .stubs = {Stubbing("detour")}});
  EXPECT_EQ(report.now.status, "completed");
  EXPECT_EQ(report.applied, 2u);
  const WhatIfReport stuck = Ask(flow, 1, {.set = R"({"careful":true})"});
  EXPECT_EQ(stuck.end, CourseEnd::kWaiting);
  EXPECT_EQ(stuck.applied, 1u);  // the signal is kept until something waits for it
  EXPECT_EQ(stuck.unused, 1u);
}

constexpr std::string_view kBranches = R"(
id: branch
variables: {amount: 400}
steps:
  - {id: price, type: script}
  - {id: big, type: script, depends_on: [price], condition: variables.amount > 100}
  - {id: small, type: script, depends_on: [price], condition: variables.amount <= 100}
  - {id: end, type: script, depends_on: [big, small]}
)";
constexpr std::string_view kOneBranch = R"(
id: branch
variables: {amount: 400}
steps:
  - {id: price, type: script}
  - {id: big, type: script, depends_on: [price], condition: variables.amount > 100}
  - {id: end, type: script, depends_on: [big]}
)";

TEST(WhatIf, AVersionWithoutAStepThatWasSkippedFollowsTheRecordedPath) {
  CoreDriver branch(kBranches);
  branch.Start().Complete("price").Complete("big").Complete("end");
  ASSERT_EQ(branch.Status(), "completed");
  const WhatIfReport report = Ask(branch, 1, {.definition = std::string(kOneBranch)});
  EXPECT_FALSE(report.parting.has_value()) << EventOf(report.parting->recorded);
  EXPECT_EQ(report.now.status, "completed");
  CoreDriver without(kOneBranch);
  without.Start().Complete("price").Complete("big").Complete("end");
  const WhatIfReport back = Ask(without, 1, {.definition = std::string(kBranches)});
  EXPECT_FALSE(back.parting.has_value()) << EventOf(back.parting->recorded);
}

TEST(WhatIf, AStepThatBothVersionsSkipOtherwiseIsADifference) {
  CoreDriver branch(kBranches);
  branch.Start().Complete("price").Complete("big").Complete("end");
  std::string other(kOneBranch);
  other.replace(other.find("> 100"), 5, "> 900");
  const WhatIfReport report = Ask(branch, 1, {.definition = other});
  ASSERT_TRUE(report.parting.has_value());
  EXPECT_EQ(EventOf(report.parting->recorded), "step_activated big");
  EXPECT_EQ(EventOf(report.parting->now), "step_skipped big");
}

// Where one record is shorter than the other, the next one says how its course goes on.
TEST(WhatIf, ACourseThatGoesOnHasANextEvent) {
  CoreDriver wide(R"(
id: flow
steps:
  - {id: a, type: script}
  - {id: b, type: script, depends_on: [a]}
  - {id: c, type: script, depends_on: [a]}
)");
  wide.Start().Complete("a").Complete("b").Complete("c");
  constexpr std::string_view kNarrow =
      "id: flow\nsteps: [{id: a, type: script}, {id: b, type: script, depends_on: [a]}]\n";
  const WhatIfReport report = Ask(wide, 1, {.definition = std::string(kNarrow)});
  ASSERT_TRUE(report.parting.has_value());
  EXPECT_EQ(EventOf(report.parting->recorded), "step_activated c");
  ASSERT_TRUE(report.parting->now.has_value());
  EXPECT_EQ(report.parting->now->event.Find("event")->as_string(), "attempt_completed");
}

TEST(WhatIf, ACallHasTheResultOfTheChildThatThereWas) {
  CoreDriver flow(R"(
id: flow
variables: {who: ann}
steps:
  - {id: first, type: script}
  - {id: child, type: call, config: {workflow: other}, depends_on: [first],
     output_mapping: {found: response.n}}
)");
  flow.Start().Complete("first").NoteChild("child", InstanceId(77));
  flow.Wait(kSecond);
  flow.Complete("child", R"({"n":5})");
  const WhatIfReport report = Ask(flow, 1, {.set = R"({"who":"bob"})"});
  EXPECT_FALSE(report.parting.has_value());
  EXPECT_EQ(report.results.reused, 2u);
  EXPECT_EQ(report.now.status, "completed");
}

TEST(WhatIf, OperatorsDoWhatTheyDid) {
  CoreDriver flow(R"(
id: flow
error_handling: park
steps:
  - {id: a, type: script}
  - {id: b, type: script, depends_on: [a]}
)");
  flow.Start().Complete("a").Pause().Resume().Fail("b");
  ASSERT_THAT(flow.Parked(), ElementsAre("b"));
  flow.Resolve("b", model::Resolution::kSkip);
  const WhatIfReport same = Ask(flow, 1);
  EXPECT_EQ(same.applied, 3u);
  EXPECT_FALSE(same.parting.has_value());
  // It does not fail now: there is nothing to resolve.
  const WhatIfReport report = Ask(flow, 1, {.stubs = {Stubbing("b")}});
  EXPECT_EQ(report.applied, 2u);
  EXPECT_EQ(report.unused, 1u);
  EXPECT_EQ(report.now.status, "completed");
}

TEST(WhatIf, ChangesAreCheckedAsAnOperatorsAre) {
  CoreDriver typed(R"(
id: typed
variables:
  - {name: n, type: integer, default: 1}
steps: [{id: a, type: script}]
)");
  typed.Start().Complete("a");
  EXPECT_EQ(TryAsk(typed, 1, {.set = R"({"n":"many"})"}).error().code, ErrorCode::kInvalidInput);
  EXPECT_FALSE(TryAsk(typed, 5, {.set = R"({"n":2})"}).has_value()) << "it has ended there";
  EXPECT_EQ(TryAsk(typed, 1, {.stubs = {Stubbing("nobody")}}).error().code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace stele::replay
