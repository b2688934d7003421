#include "replay/regression/regression.h"

#include <gmock/gmock.h>

#include "tests/replay/regression/driven_log.h"

namespace stele::replay {
namespace {

using test::CoreDriver;
using testing::HasSubstr;
using testing::SizeIs;

constexpr std::string_view kOrder =
    "name: order\n"
    "steps:\n"
    "  - {id: a, type: script, config: {script: x}, retry_policy: {max_attempts: 2, "
    "initial_delay: 1s}}\n"
    "  - {id: b, type: script, config: {script: x}, depends_on: [a]}\n";

const DifferenceKey& OnlyKey(const RegressionReport& report) {
  static const DifferenceKey kNone;
  EXPECT_THAT(report.groups, SizeIs(1));
  return report.groups.size() == 1 ? report.groups.begin()->first : kNone;
}

CoreDriver Ordered(uint64_t id) {
  CoreDriver order(test::Load(kOrder), InstanceId(id));
  order.Start().Fail("a").Elapse().Complete("a");
  return order;
}

TEST(RegressionReplay, FindsThatThisBuildDecidesTheSame) {
  CoreDriver one = Ordered(1), two = Ordered(2), three = Ordered(3);
  one.Complete("b");
  two.Fail("b", "boom", false);
  two.Retry().Complete("b");
  DrivenLog log;
  log.Append({&one, &two, &three});
  for (const unsigned jobs : {1u, 2u, 5u}) {
    const RegressionReport report = log.Replay({.jobs = jobs});
    EXPECT_TRUE(report.all_same());
    EXPECT_EQ(report.instances, 3u);
    EXPECT_EQ(report.same, 3u);
    EXPECT_EQ(report.records, 5u + 7u + 4u) << jobs;
    EXPECT_THAT(report.groups, SizeIs(0));
  }
}

TEST(RegressionReplay, GroupsInstancesByWhereTheyFirstDiffer) {
  CoreDriver one = Ordered(1);
  DrivenLog log;
  log.Append({&one});
  for (uint64_t id = 2; id <= 6; ++id) {
    CoreDriver other(test::Load(kOrder), InstanceId(id));
    other.Start();
    log.Append({&other});
    log.Append(InstanceId(id), other.instance().seq.Next(),
               {model::AttemptCompleted{.run = RunId(1), .output = Payload::FromText("{}")},
                model::StepFailed{.run = RunId(1), .kind = "made up"}});
    // What is behind is not looked at.
    log.Append(InstanceId(id), other.instance().seq.Plus(3), {model::InstanceTerminated{}});
  }
  const RegressionReport report = log.Replay({.jobs = 3});
  EXPECT_EQ(report.different, 5u);
  EXPECT_EQ(report.same, 1u);
  const DifferenceKey& key = OnlyKey(report);
  EXPECT_EQ(key.kind, DifferenceKind::kConsequence);
  EXPECT_EQ(key.step, "a");
  EXPECT_EQ(key.recorded, "step_failed");
  EXPECT_EQ(key.now, "step_completed");
  const DifferenceGroup& group = report.groups.begin()->second;
  EXPECT_EQ(group.instances, 5u);
  ASSERT_THAT(group.first, SizeIs(kShownInstances));
  EXPECT_EQ(group.first[0].instance, InstanceId(2));
  EXPECT_EQ(group.first[2].instance, InstanceId(4));
  EXPECT_THAT(group.first[0].recorded, HasSubstr("made up"));
  EXPECT_THAT(group.first[0].now, HasSubstr("step_completed"));
}

TEST(RegressionReplay, NamesTheMemberInWhichEventsOfOneNameDiffer) {
  CoreDriver one(test::Load(kOrder));
  one.Start();
  DrivenLog log;
  log.Append({&one});
  log.Append(InstanceId(1), one.instance().seq.Next(),
             {model::AttemptFailed{.run = RunId(1), .kind = "boom", .message = "no"},
              model::RetryScheduled{.run = RunId(1), .attempt = 2, .due = TimeUs(5)}});
  const DifferenceKey key = OnlyKey(log.Replay());
  EXPECT_EQ(key.step, "a");
  EXPECT_EQ(key.recorded, "retry_scheduled");
  EXPECT_EQ(key.member, "due");
}

TEST(RegressionReplay, TellsThatACauseIsRefused) {
  CoreDriver one(test::Load(kOrder));
  one.Start();
  DrivenLog log;
  log.Append({&one});
  log.Append(InstanceId(1), one.instance().seq.Next(), {model::AttemptCompleted{.run = RunId(9)}});
  const RegressionReport report = log.Replay();
  EXPECT_EQ(OnlyKey(report).kind, DifferenceKind::kRefused);
  EXPECT_THAT(OnlyKey(report).now, HasSubstr("STL0"));
}

TEST(RegressionReplay, LooksAtTheInstancesThatAreAskedFor) {
  CoreDriver one = Ordered(1), two = Ordered(2), three = Ordered(3);
  three.Fail("b", "boom", false);
  three.Retry();
  DrivenLog log;
  log.Append({&one, &two, &three});
  const std::vector<InstanceRange> asked{{InstanceId(2), InstanceId(3)}};
  const RegressionReport report = log.Replay({.jobs = 2}, &asked);
  EXPECT_EQ(report.instances, 2u);
  EXPECT_EQ(report.same, 2u);
  EXPECT_EQ(report.records, two.Records().size() + three.Records().size());
}

TEST(RegressionReplay, IsTheSameOneByOneAndThroughTheLog) {
  CoreDriver one = Ordered(1), two = Ordered(2);
  two.Fail("b", "boom", false);
  two.Retry().Complete("b");
  DrivenLog log;
  log.Append({&one, &two});
  const auto registry = ReadRegistry(log.store(), DrivenLog::kShard);
  ASSERT_TRUE(registry.has_value());
  const std::vector<InstanceId> backwards{InstanceId(2), InstanceId(1)};
  for (const std::string_view changed : {kOrder, std::string_view("name: order\nsteps:\n"
                                                                  "  - {id: a, type: script, "
                                                                  "config: {script: x}}\n")}) {
    const RegressionOptions options{.changed = test::Load(changed), .jobs = 2};
    const auto found =
        ReplayInstances(StoreSource(log.store(), DrivenLog::kShard), *registry, backwards, options);
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(ToJson(*found), ToJson(log.Replay(options)));
  }
}

TEST(RegressionReplay, EndsAtALogThatLacksRecords) {
  CoreDriver one(test::Load(kOrder));
  one.Start();
  DrivenLog log;
  log.Append({&one});
  log.Append(InstanceId(1), one.instance().seq.Plus(2), {model::InstanceTerminated{}});
  const auto report = ReplayLog(log.store(), DrivenLog::kShard, {});
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().code, ErrorCode::kReplayMismatch);
  EXPECT_THAT(report.error().message, HasSubstr("verify"));
}

TEST(RegressionReplay, EndsWhereItsProgressSaysSo) {
  CoreDriver one = Ordered(1);
  DrivenLog log;
  log.Append({&one});
  const std::vector<InstanceRange> asked{{InstanceId(1), InstanceId(1)}};
  const auto report = ReplayLog(
      log.store(), DrivenLog::kShard, {}, &asked,
      [](uint64_t, uint64_t) -> Status { return Fail(ErrorCode::kShardStopped, "enough"); });
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().code, ErrorCode::kShardStopped);
}

}  // namespace
}  // namespace stele::replay
