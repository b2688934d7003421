// Approvals and manual tasks.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/check.h"
#include "base/json.h"
#include "tests/support/core_driver.h"

namespace stele::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// An approval with these keys.
CoreDriver Approval(std::string_view config, std::string_view step = "") {
  return CoreDriver(fmt::format(R"(
id: flow
steps:
  - {{id: ask, type: approval, config: {{{}}}{}}}
  - {{id: then, type: script, depends_on: [ask]}}
)",
                                config, step));
}

ErrorCode Refused(CoreDriver& flow, const model::Command& command) {
  const std::optional<Rejection> rejection = flow.Do(command);
  CHECK(rejection.has_value(), "the command is taken");
  return rejection->code;
}

std::string OutputOf(const CoreDriver& flow, std::string_view member) {
  const model::Slot* slot = model::FindSlot(flow.instance().scopes[0], StepIndex(0));
  const Value* value = slot->output.value().Find(member);
  return value == nullptr ? "" : ToJson(*value);
}

TEST(Approval, NeedsAsManyAsItSays) {
  CoreDriver flow = Approval("assignees: [ann, bob, eve], min_approvers: 2");
  flow.Start().Approve("ask", "ann");
  EXPECT_THAT(flow.Last(), ElementsAre("ask: approved by ann"));
  flow.Approve("ask", "eve", "fine");
  EXPECT_THAT(flow.Running(), ElementsAre("then"));
  EXPECT_EQ(OutputOf(flow, "approved"), "true");
  EXPECT_EQ(OutputOf(flow, "decided_by"), "\"eve\"");
  EXPECT_EQ(OutputOf(flow, "comment"), "\"fine\"");
}

TEST(Approval, IsRejectedByOneWhoHasAVeto) {
  CoreDriver flow = Approval("assignees: [ann, bob], min_approvers: 2");
  flow.Start().Approve("ask", "ann").Reject("ask", "bob", "too dear");
  EXPECT_EQ(flow.Status(), "failed");
  EXPECT_EQ(flow.Failure(), "rejected");
  EXPECT_EQ(flow.instance().failure.message, "Rejected by bob: too dear");
}

TEST(Approval, WithoutVetoIsRejectedByAsManyAsCouldApprove) {
  CoreDriver flow = Approval("assignees: [ann, bob, eve], min_approvers: 2, veto: false");
  flow.Start().Reject("ask", "bob").Approve("ask", "ann");
  EXPECT_THAT(flow.Waiting(), ElementsAre("ask"));
  flow.Reject("ask", "eve");
  EXPECT_EQ(flow.Failure(), "rejected");
}

TEST(Approval, ThatIsRejectedMayGoOn) {
  CoreDriver flow = Approval("assignees: ann, on_reject: continue");
  flow.Start().Reject("ask", "ann");
  EXPECT_THAT(flow.Running(), ElementsAre("then"));
  EXPECT_EQ(OutputOf(flow, "status"), "\"rejected\"");
}

TEST(Approval, ThatIsRejectedIsNotTriedAgain) {
  CoreDriver flow = Approval("assignees: ann", ", retry: {max_attempts: 3}");
  flow.Start().Reject("ask", "ann");
  EXPECT_EQ(flow.Failure(), "rejected");
}

TEST(Approval, TakesNobodyElse) {
  CoreDriver flow = Approval("assignees: ann, groups: [staff]");
  flow.Start();
  const RunId run = flow.Run("ask");
  EXPECT_EQ(Refused(flow, model::DecideTask{.run = run, .person = "joe", .approved = true}),
            ErrorCode::kNotAllowed);
  EXPECT_EQ(Refused(flow, model::DecideTask{.run = run, .approved = true}),
            ErrorCode::kInvalidInput);
  EXPECT_FALSE(
      flow.Do(model::DecideTask{.run = run, .person = "joe", .approved = true, .groups = {"staff"}})
          .has_value());
}

TEST(Approval, ThatNamesNobodyTakesAnybodyAndAnOperatorMayAlways) {
  CoreDriver anybody = Approval("title: x");
  anybody.Start().Approve("ask", "joe");
  EXPECT_THAT(anybody.Running(), ElementsAre("then"));
  CoreDriver flow = Approval("assignees: ann");
  flow.Start();
  EXPECT_FALSE(
      flow.Do(model::DecideTask{
                  .run = flow.Run("ask"), .person = "root", .approved = true, .as_operator = true})
          .has_value());
}

TEST(Approval, CountsEverybodyOnce) {
  CoreDriver flow = Approval("assignees: [ann, bob], min_approvers: 2");
  flow.Start().Approve("ask", "ann");
  EXPECT_EQ(Refused(flow, model::DecideTask{.run = flow.Run("ask"), .person = "ann"}),
            ErrorCode::kWrongState);
}

TEST(Claim, KeepsATaskForOnePerson) {
  CoreDriver flow = Approval("assignees: [ann, bob]");
  flow.Start().Claim("ask", "ann");
  const RunId run = flow.Run("ask");
  EXPECT_EQ(Refused(flow, model::ClaimTask{.run = run, .person = "bob"}), ErrorCode::kWrongState);
  EXPECT_EQ(Refused(flow, model::DecideTask{.run = run, .person = "bob", .approved = true}),
            ErrorCode::kNotAllowed);
  EXPECT_EQ(Refused(flow, model::ReleaseTask{.run = run, .person = "bob"}), ErrorCode::kNotAllowed);
  flow.Release("ask", "ann").Claim("ask", "bob").Approve("ask", "bob");
  EXPECT_THAT(flow.Running(), ElementsAre("then"));
}

TEST(Claim, OfAStrangerIsRefusedAndSoIsReleasingWhatNobodyHas) {
  CoreDriver flow = Approval("assignees: ann");
  flow.Start();
  EXPECT_EQ(Refused(flow, model::ClaimTask{.run = flow.Run("ask"), .person = "joe"}),
            ErrorCode::kNotAllowed);
  EXPECT_EQ(Refused(flow, model::ReleaseTask{.run = flow.Run("ask"), .person = "ann"}),
            ErrorCode::kWrongState);
}

TEST(Claim, EndsWithTheVoteSoThatOthersMayFollow) {
  CoreDriver flow = Approval("assignees: [ann, bob, eve], min_approvers: 3");
  flow.Start().Claim("ask", "ann").Approve("ask", "ann");
  EXPECT_THAT(flow.Last(), ElementsAre("ask: approved by ann", "ask: released by ann"));
  flow.Claim("ask", "bob").Approve("ask", "bob");
  EXPECT_EQ(flow.RunOf("ask").human->claimed_by, "");
  flow.Claim("ask", "eve").Approve("ask", "eve");
  EXPECT_THAT(flow.Running(), ElementsAre("then"));
}

TEST(Claim, OfOneWhoHasDecidedIsRefused) {
  CoreDriver flow = Approval("assignees: [ann, bob], min_approvers: 2");
  flow.Start().Approve("ask", "ann");
  const std::optional<Rejection> rejection =
      flow.Do(model::ClaimTask{.run = flow.Run("ask"), .person = "ann"});
  ASSERT_TRUE(rejection.has_value());
  EXPECT_EQ(rejection->code, ErrorCode::kWrongState);
  EXPECT_EQ(rejection->message,
            "Expected somebody else but found \"ann\", who has decided already");
  flow.Approve("ask", "bob");
  EXPECT_THAT(flow.Running(), ElementsAre("then"));
}

TEST(Claim, StaysWhenAnOperatorVotesAndTheOneWhoHasItMayFollow) {
  CoreDriver flow = Approval("assignees: [ann, bob], min_approvers: 2");
  flow.Start().Claim("ask", "ann");
  EXPECT_FALSE(
      flow.Do(model::DecideTask{
                  .run = flow.Run("ask"), .person = "bob", .approved = true, .as_operator = true})
          .has_value());
  EXPECT_EQ(flow.RunOf("ask").human->claimed_by, "ann");
  flow.Approve("ask", "ann");
  EXPECT_THAT(flow.Running(), ElementsAre("then"));
}

TEST(Approval, FailsAtItsDeadline) {
  CoreDriver flow = Approval("assignees: ann, deadline: 2h");
  flow.Start();
  EXPECT_EQ(flow.NextTimerInMs(), 7'200'000);
  flow.Elapse();
  EXPECT_EQ(flow.Failure(), "timeout");
}

TEST(Approval, IsApprovedOrRejectedAtItsDeadlineWhenItSaysSo) {
  CoreDriver approved = Approval("assignees: ann, deadline: 2h, on_deadline: approve");
  approved.Start().Elapse();
  EXPECT_THAT(approved.Running(), ElementsAre("then"));
  EXPECT_EQ(OutputOf(approved, "approvals"), "[]");
  CoreDriver rejected = Approval("assignees: ann, deadline: 2h, on_deadline: reject");
  rejected.Start().Elapse();
  EXPECT_EQ(rejected.Failure(), "rejected");
}

TEST(Approval, AsksAgainAfterADeadlineWhenItsPolicySaysSo) {
  CoreDriver flow =
      Approval("assignees: ann, deadline: 2h", ", retry: {max_attempts: 2, initial_delay: 1s}");
  flow.Start().Claim("ask", "ann").Elapse().Elapse();
  EXPECT_THAT(flow.Last(), ElementsAre("ask: retry elapsed", "ask: attempt 2", "ask: asks"));
  EXPECT_EQ(flow.RunOf("ask").human->claimed_by, "");
  flow.Approve("ask", "ann");
  EXPECT_THAT(flow.Running(), ElementsAre("then"));
}

TEST(Escalation, AddsPeopleOnce) {
  CoreDriver flow = Approval("assignees: ann, escalation: {after: 1h, assignees: boss}");
  flow.Start();
  EXPECT_EQ(flow.NextTimerInMs(), 3'600'000);
  flow.Elapse();
  EXPECT_THAT(flow.Last(), ElementsAre("ask: escalation elapsed", "ask: escalated"));
  EXPECT_EQ(flow.NextTimerInMs(), -1);
  flow.Approve("ask", "boss");
  EXPECT_THAT(flow.Running(), ElementsAre("then"));
}

TEST(Reminders, ComeAsOftenAsTheyMay) {
  CoreDriver flow = Approval("assignees: ann, reminders: {every: 1h, limit: 2}");
  flow.Start().Elapse().Elapse();
  EXPECT_THAT(flow.Last(), ElementsAre("ask: reminder elapsed", "ask: reminder 2"));
  EXPECT_EQ(flow.NextTimerInMs(), -1);
  EXPECT_THAT(flow.Waiting(), ElementsAre("ask"));
}

TEST(Reminders, StandStillInAPause) {
  CoreDriver flow = Approval("assignees: ann, reminders: {every: 1h, limit: 2}");
  flow.Start().Pause();
  EXPECT_EQ(flow.NextTimerInMs(), -1);
  flow.Resume();
  EXPECT_EQ(flow.NextTimerInMs(), 3'600'000);
}

TEST(Approval, WhoseRenderedConfigIsWrongFails) {
  CoreDriver flow = Approval("assignees: [\"{{input.who}}\"]");
  flow.Start("{}", R"({"who":7})");
  EXPECT_EQ(flow.Failure(), "expression");
  EXPECT_THAT(flow.instance().failure.message, HasSubstr("`assignees`"));
}

constexpr std::string_view kManual = R"(
id: flow
steps:
  - {id: fill, type: manual, config: {assignees: ann}}
  - {id: then, type: script, depends_on: [fill], input_mapping: {n: "{{variables.n}}"}}
)";

TEST(ManualTask, TurnsWhatWasFilledInIntoVariables) {
  CoreDriver flow(kManual);
  flow.Start().CompleteTask("fill", "ann", R"({"n":3})");
  EXPECT_EQ(flow.Variable("n"), "3");
  EXPECT_EQ(flow.Input("then"), R"({"n":3})");
}

TEST(ManualTask, KeepsOnlyWhatItsOutputsName) {
  CoreDriver flow(R"(
id: flow
steps:
  - {id: fill, type: manual, config: {assignees: ann}, output_mapping: {m: "{{response.n + 1}}"}}
)");
  flow.Start().CompleteTask("fill", "ann", R"({"n":3})");
  EXPECT_EQ(flow.Variable("m"), "4");
  EXPECT_EQ(flow.Variable("n"), "");
}

TEST(ManualTask, IsNotRejectedButFailed) {
  CoreDriver flow(kManual);
  flow.Start();
  EXPECT_EQ(Refused(flow, model::DecideTask{.run = flow.Run("fill"), .person = "ann"}),
            ErrorCode::kWrongState);
  flow.Fail("fill", "impossible");
  EXPECT_EQ(flow.Failure(), "impossible");
}

TEST(ManualTask, TakesAnObjectOnly) {
  CoreDriver flow(kManual);
  flow.Start();
  EXPECT_EQ(Refused(flow, model::DecideTask{.run = flow.Run("fill"),
                                            .person = "ann",
                                            .approved = true,
                                            .variables = Payload::FromText("[1]")}),
            ErrorCode::kInvalidInput);
  flow.CompleteTask("fill", "ann");
  EXPECT_THAT(flow.Waiting(), IsEmpty());
}

TEST(HumanTasks, AreNoMachinesTask) {
  CoreDriver flow(kManual);
  flow.Start();
  EXPECT_EQ(Refused(flow, model::CompleteAttempt{.run = flow.Run("fill"), .attempt = 1}),
            ErrorCode::kStaleAttempt);
}

TEST(Approval, IsRejectedWhenTooFewAreLeftToApprove) {
  CoreDriver flow = Approval("assignees: [ann, bob], min_approvers: 2, veto: false");
  flow.Start().Approve("ask", "ann").Reject("ask", "bob");
  EXPECT_EQ(flow.Failure(), "rejected");
}

TEST(Approval, StaysOpenForThoseWhoseVoteMayStillCome) {
  CoreDriver group =
      Approval("assignees: [ann, bob], groups: [ops], min_approvers: 2, veto: false");
  group.Start().Approve("ask", "ann").Reject("ask", "bob");
  EXPECT_EQ(group.Status(), "running");
  CoreDriver escalates = Approval(
      "assignees: [ann, bob], min_approvers: 2, veto: false, "
      "escalation: {after: 1h, assignees: bob}");
  escalates.Start().Approve("ask", "ann").Reject("ask", "bob");
  EXPECT_EQ(escalates.Status(), "running");
  escalates.Elapse();
  EXPECT_EQ(escalates.Failure(), "rejected") << "nobody has come to those who have decided";
}

}  // namespace
}  // namespace stele::test
