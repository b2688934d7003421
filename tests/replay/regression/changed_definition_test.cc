// What a changed definition makes of recorded histories.
#include "replay/regression/changed_definition.h"

#include <gmock/gmock.h>

#include "engine/model/snapshot.h"
#include "tests/replay/regression/driven_log.h"

namespace stele::replay {
namespace {

using test::CoreDriver;
using testing::HasSubstr;
using testing::SizeIs;

constexpr std::string_view kLoan = R"(
name: loan
variables:
  limit: {type: number, default: 100}
  amount: {type: number, default: 0}
steps:
  - {id: check, type: script, config: {script: x}, retry_policy: {max_attempts: 2, initial_delay: 1s}}
  - {id: small, type: script, config: {script: x}, depends_on: [check], condition: "variables.amount < 50"}
  - {id: large, type: script, config: {script: x}, depends_on: [check], condition: "variables.amount >= 50"}
)";

std::string Changed(std::string_view from, std::string_view to) {
  std::string text(kLoan);
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

CoreDriver Loan(uint64_t id, std::string_view variables) {
  CoreDriver loan(test::Load(kLoan), InstanceId(id));
  loan.Start(variables).Complete("check");
  return loan;
}

class ChangedLoan : public testing::Test {
 protected:
  ChangedLoan() {
    small_.Complete("small");
    log_.Append({&small_, &large_});
  }
  void ExpectSame(std::string_view yaml) {
    const RegressionReport report = log_.ReplayWith(yaml);
    EXPECT_TRUE(report.all_same()) << testing::PrintToString(ToJson(report).size());
    EXPECT_EQ(report.same, 2u);
  }
  // Of the only group that there is.
  std::pair<DifferenceKey, DifferenceGroup> Only(const RegressionReport& report) {
    EXPECT_THAT(report.groups, SizeIs(1));
    if (report.groups.empty()) return {};
    return *report.groups.begin();
  }

  CoreDriver small_ = Loan(1, R"({"amount": 20})");
  CoreDriver large_ = Loan(2, R"({"amount": 80})");
  DrivenLog log_;
};

TEST_F(ChangedLoan, IsTheSameWithTheSameDefinition) {
  ExpectSame(kLoan);
}

TEST_F(ChangedLoan, IsTheSameWhereWhatChangedHadNoEffect) {
  // Other indexes, a step that nothing reaches, a variable that nothing looks at, another bound
  // that no amount lay between.
  ExpectSame(R"(
name: loan
variables:
  limit: {type: number, default: 100}
  amount: {type: number, default: 0}
  unused: {type: string, default: none}
steps:
  - {id: never, type: script, config: {script: x}, depends_on: [check], condition: "variables.amount > 1000"}
  - {id: large, type: script, config: {script: x}, depends_on: [check], condition: "variables.amount >= 60"}
  - {id: check, type: script, config: {script: x}, retry_policy: {max_attempts: 7, initial_delay: 9s}}
  - {id: small, type: script, config: {script: x}, depends_on: [check], condition: "variables.amount < 60"}
)");
}

TEST_F(ChangedLoan, LooksAtInstancesOfThatNameAlone) {
  const RegressionReport report =
      log_.ReplayWith("name: other\nsteps:\n  - {id: a, type: script, config: {script: x}}\n");
  EXPECT_EQ(report.instances, 0u);
  EXPECT_EQ(report.records, 0u);
}

TEST_F(ChangedLoan, TellsWhichStepsAreSkippedNow) {
  const auto [key, group] = Only(log_.ReplayWith(Changed("amount < 50", "amount < 10")));
  EXPECT_EQ(key.kind, DifferenceKind::kConsequence);
  EXPECT_EQ(key.step, "small");
  EXPECT_EQ(key.recorded, "step_activated");
  EXPECT_EQ(key.now, "step_skipped");
  EXPECT_EQ(group.instances, 1u);
  EXPECT_EQ(group.first.at(0).instance, InstanceId(1));
}

TEST_F(ChangedLoan, TellsWhichStepsAreReachedNow) {
  const RegressionReport report = log_.ReplayWith(Changed("amount >= 50", "amount >= 10"));
  const auto [key, group] = Only(report);
  EXPECT_EQ(key.step, "large");
  EXPECT_EQ(key.recorded, "step_skipped");
  EXPECT_EQ(key.now, "step_activated");
  EXPECT_EQ(report.same, 1u);
}

TEST_F(ChangedLoan, TellsThatAStepIsGone) {
  const auto [key, group] = Only(log_.ReplayWith(Changed("id: large", "id: huge")));
  EXPECT_EQ(key.kind, DifferenceKind::kGone);
  EXPECT_EQ(key.step, "large");
  EXPECT_EQ(key.now, "no such step");
  EXPECT_EQ(group.first.at(0).instance, InstanceId(2));
}

TEST_F(ChangedLoan, GoesOnWithWhatTasksGaveThatAreAskedSomethingElse) {
  const RegressionReport report =
      log_.ReplayWith(Changed("{id: check, type: script, config: {script: x}",
                              "{id: check, type: script, config: "
                              "{script: y}"));
  const auto [key, group] = Only(report);
  EXPECT_EQ(key.kind, DifferenceKind::kAsked);
  EXPECT_EQ(key.step, "check");
  EXPECT_EQ(key.member, "config.script");
  EXPECT_EQ(group.first.at(0).recorded, R"({"config.script":"x"})");
  EXPECT_EQ(group.first.at(0).now, R"({"config.script":"y"})");
  EXPECT_EQ(report.asked, 2u);
  EXPECT_EQ(report.different, 0u);
  EXPECT_FALSE(report.all_same());
}

TEST_F(ChangedLoan, StartsWithTheNewDefaults) {
  const auto [key, group] = Only(log_.ReplayWith(Changed("default: 100", "default: 200")));
  EXPECT_EQ(key.recorded, "instance_started");
  EXPECT_EQ(key.member, "variables");
  EXPECT_EQ(group.instances, 2u);
}

TEST(ChangedDefinition, CountsTimersThatAreDueAtOtherMoments) {
  CoreDriver loan(test::Load(kLoan));
  loan.Start(R"({"amount": 1})").Fail("check");
  DrivenLog log;
  log.Append({&loan});
  const RegressionReport report = log.ReplayWith(Changed("initial_delay: 1s", "initial_delay: 2s"));
  ASSERT_THAT(report.groups, SizeIs(1));
  EXPECT_EQ(report.groups.begin()->first.recorded, "retry_scheduled");
  EXPECT_EQ(report.groups.begin()->first.member, "due");
}

TEST(ChangedDefinition, TellsThatARollbackHasNowhereToGo) {
  CoreDriver loan = Loan(1, R"({"amount": 20})");
  loan.RollBack("check", "small");
  DrivenLog log;
  log.Append({&loan});
  EXPECT_TRUE(log.ReplayWith(kLoan).all_same());
  const auto gone =
      log.ReplayWith("name: loan\nsteps:\n  - {id: check2, type: script, config: {script: x}}\n");
  ASSERT_THAT(gone.groups, SizeIs(1));
  EXPECT_EQ(gone.groups.begin()->first.kind, DifferenceKind::kGone);
  EXPECT_EQ(gone.groups.begin()->first.step, "check");
}

TEST(ChangedDefinition, TakesMigrationsForNothing) {
  const std::string second = Changed("name: loan", "name: loan\ndescription: second") +
                             "  - {id: more, type: script, config: {script: x}, depends_on: "
                             "[small]}\n";
  CoreDriver loan = Loan(1, R"({"amount": 20})");
  loan.Migrate(second).Complete("small");
  loan.Complete("more");
  DrivenLog log;
  log.Append({&loan});
  EXPECT_TRUE(log.Replay().all_same());
  const RegressionReport report = log.ReplayWith(second);
  EXPECT_TRUE(report.all_same()) << report.groups.begin()->second.first[0].recorded << "\n"
                                 << report.groups.begin()->second.first[0].now;
  EXPECT_EQ(report.same, 1u);
}

TEST(ChangedDefinition, CountsARetriedInstanceOnce) {
  CoreDriver loan = Loan(1, R"({"amount": 20})");
  loan.Fail("small", "boom", false);
  loan.Retry().Complete("small");
  DrivenLog log;
  log.Append({&loan});
  const RegressionReport same = log.ReplayWith(kLoan);
  EXPECT_EQ(same.same, 1u);
  EXPECT_EQ(same.records, loan.Records().size());
  const RegressionReport asked =
      log.ReplayWith(Changed("script: x}, depends_on: [check]", "script: y}, depends_on: [check]"));
  EXPECT_EQ(asked.asked, 1u);
  EXPECT_EQ(asked.same, 0u);
  EXPECT_EQ(asked.groups.begin()->second.instances, 1u);
  const RegressionReport different = log.ReplayWith(Changed("id: small", "id: tiny"));
  EXPECT_EQ(different.different, 1u);
  EXPECT_EQ(different.groups.begin()->second.instances, 1u);
}

TEST(ChangedDefinition, IsGoneOnWithByForks) {
  CoreDriver origin = Loan(1, R"({"amount": 20})");
  auto state = std::make_shared<model::Instance>(model::CopyOf(origin.instance()));
  CoreDriver fork(test::Load(kLoan), InstanceId(2));
  const auto refused = fork.Do(model::ForkInstance{.origin = InstanceId(1),
                                                   .origin_seq = origin.instance().seq,
                                                   .origin_position = Position(2),
                                                   .state = model::ForkedState(state)});
  ASSERT_FALSE(refused.has_value()) << refused->message;
  fork.Complete("small");
  DrivenLog log;
  log.Append({&origin, &fork});
  EXPECT_EQ(log.Replay().same, 2u);
  EXPECT_EQ(log.ReplayWith(kLoan).same, 2u);
  const RegressionReport asked =
      log.ReplayWith(Changed("id: large, type: script", "id: other, type: script, name: Other"));
  EXPECT_EQ(asked.same, 2u);
}

}  // namespace
}  // namespace stele::replay
