// Workers that poll, over a running engine.
#include "server/operations/workers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "base/json.h"
#include "engine/requests/operators.h"
#include "tests/server/support/served_world.h"

namespace stele::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

using Tasks = std::vector<PolledTask>;

constexpr int64_t kSecond = 1'000'000;

class PollingWorkers : public testing::Test {
 protected:
  PollingWorkers() {
    worker_.name = "depot";
    world_.Get(world_.definitions().RegisterType(ServedWorld::Somebody(Role::kAdmin), "resize",
                                                 Object{{"schema", Object()}, {"worker", true}}));
    world_.Register("album", "{id: small, type: 'custom:resize', config: {width: 3}}");
  }

  static PollRequest Asking(uint32_t max = 1, int64_t wait_us = 0) {
    return {.worker = "anna", .types = {"resize"}, .max = max, .wait_us = wait_us};
  }
  Tasks Poll(uint32_t max = 1) { return world_.Get(workers_.Poll(worker_, Asking(max))); }
  Status Complete(const Caller& caller, const LeaseName& name, Value output) {
    return world_.Await(workers_.Complete(caller, name, std::move(output), ""));
  }
  Position NextPosition() { return world_.store().NextPosition(world_.desk().engine().shard_id); }
  // A task that waits in the pool, or has been handed out.
  InstanceId Begin() {
    const InstanceId instance = world_.Start("album", R"({"from":"here"})");
    world_.Settle();
    return instance;
  }
  LeaseName NameOf(const PolledTask& task) { return {"anna", task.lease}; }
  std::string StatusOf(InstanceId instance) {
    world_.Settle();
    return world_.Get(world_.instances().Get(ServedWorld::Somebody(Role::kAdmin), instance)).status;
  }
  Promised<Written> Cancel(InstanceId instance) {
    return world_.instances().Send(ServedWorld::Somebody(Role::kAdmin), Permission::kOperate,
                                   instance, requests::Cancel(false, "not wanted"));
  }
  static ErrorCode CodeOf(const Status& status) {
    return status.has_value() ? ErrorCode() : status.error().code;
  }

  ServedWorld world_;
  Workers& workers_ = world_.worker_operations();
  Caller worker_ = ServedWorld::Somebody(Role::kWorker);
};

TEST_F(PollingWorkers, AreHandedWhatWaitsAndAnswerIt) {
  const InstanceId instance = Begin();
  const Tasks tasks = Poll();
  ASSERT_THAT(tasks, SizeIs(1));
  EXPECT_EQ(*tasks[0].task.Find("type"), Value("resize"));
  EXPECT_EQ(*tasks[0].task.Find("lease"), Value(tasks[0].lease));
  EXPECT_EQ(ToJson(*tasks[0].task.Find("config")), R"({"width":3})");
  EXPECT_EQ(*tasks[0].task.Find("lease_ms"), Value(30'000));
  EXPECT_TRUE(Complete(worker_, NameOf(tasks[0]), Object{{"size", 6}}).has_value());
  EXPECT_EQ(StatusOf(instance), "completed");
  EXPECT_EQ(world_.workers().figures().workers, 0U) << "it holds nothing and asks for nothing";
}

TEST_F(PollingWorkers, WaitForTasksThatComeLater) {
  auto poll = workers_.Poll(worker_, Asking(1, 60 * kSecond));
  EXPECT_EQ(world_.workers().figures().workers, 1U);
  Begin();
  EXPECT_THAT(world_.Get(kj::mv(poll)), SizeIs(1));
}

TEST_F(PollingWorkers, AreAnsweredWithNothingWhenTheWaitHasPassed) {
  EXPECT_THAT(world_.Get(workers_.Poll(worker_, Asking(1, 1))), IsEmpty());
  EXPECT_EQ(world_.workers().figures().workers, 0U);
}

TEST_F(PollingWorkers, AreAnsweredWithNothingWhenTheServerCloses) {
  auto poll = workers_.Poll(worker_, Asking(1, 60 * kSecond));
  world_.desk().Close();
  EXPECT_THAT(world_.Get(kj::mv(poll)), IsEmpty());
  EXPECT_THAT(Poll(), IsEmpty());
}

TEST_F(PollingWorkers, AreHandedNoMoreThanTheyAskFor) {
  for (int i = 0; i < 4; ++i) Begin();
  const Tasks first = Poll(3);
  ASSERT_THAT(first, SizeIs(3));
  EXPECT_TRUE(Complete(worker_, NameOf(first[0]), Object()).has_value());
  world_.Settle();
  EXPECT_EQ(world_.workers().figures().leased_by_type.at("resize"), 2U)
      << "a slot that nobody asks with was used";
  EXPECT_THAT(Poll(3), SizeIs(1));
}

TEST_F(PollingWorkers, ThatGoAwayTakeNothing) {
  {
    auto poll = workers_.Poll(worker_, Asking(1, 60 * kSecond));
    Begin();
  }
  EXPECT_EQ(world_.workers().figures().workers, 0U);
  EXPECT_EQ(world_.workers().figures().queued_by_type.at("resize"), 1U);
  EXPECT_EQ(world_.workers().figures().lost, 0U);
  EXPECT_THAT(Poll(), SizeIs(1));
}

TEST_F(PollingWorkers, ThatGoAwayWithATaskLeaveItToTheNext) {
  auto next = workers_.Poll(worker_, Asking(1, 60 * kSecond));
  {
    Begin();
    const auto second = Begin();
    EXPECT_NE(second.value, 0U);
    auto gone = workers_.Poll(worker_, Asking());
    EXPECT_EQ(world_.workers().figures().queued_by_type.count("resize"), 0U);
  }
  EXPECT_EQ(world_.workers().figures().queued_by_type.at("resize"), 1U);
  EXPECT_THAT(world_.Get(kj::mv(next)), SizeIs(1));
}

TEST_F(PollingWorkers, LoseWhatTheyDoNotRenew) {
  Begin();
  const Tasks tasks = Poll();
  ASSERT_THAT(tasks, SizeIs(1));
  world_.clock().Advance(20 * kSecond);
  EXPECT_TRUE(workers_.Heartbeat(worker_, NameOf(tasks[0]), "half").has_value());
  world_.clock().Advance(20 * kSecond);
  world_.workers().ElapseTimers();
  EXPECT_TRUE(workers_.Heartbeat(worker_, NameOf(tasks[0]), "").has_value());
  world_.clock().Advance(31 * kSecond);
  world_.workers().ElapseTimers();
  EXPECT_EQ(CodeOf(workers_.Heartbeat(worker_, NameOf(tasks[0]), "")), ErrorCode::kStaleAttempt);
  EXPECT_EQ(CodeOf(Complete(worker_, NameOf(tasks[0]), Object())), ErrorCode::kStaleAttempt);
  EXPECT_EQ(world_.workers().figures().workers, 0U);
  const Tasks again = Poll();
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(*again[0].task.Find("key"), *tasks[0].task.Find("key"));
  EXPECT_NE(again[0].lease, tasks[0].lease);
}

TEST_F(PollingWorkers, AreRefusedTheLeasesOfOthers) {
  Begin();
  const Tasks tasks = Poll();
  ASSERT_THAT(tasks, SizeIs(1));
  Caller other = worker_;
  other.name = "somebody";
  const LeaseName name = NameOf(tasks[0]);
  EXPECT_EQ(CodeOf(Complete(other, name, Object())), ErrorCode::kStaleAttempt);
  EXPECT_EQ(CodeOf(workers_.Log(worker_, {"bert", name.lease}, "x")), ErrorCode::kStaleAttempt);
  const std::string word = name.lease.substr(0, name.lease.find('-'));
  for (const std::string& wrong :
       {std::string(), std::string("1"), std::string("1-1-1-1"), word, word + "-",
        word + "-1-1-1-2", word + "-99999999999999999999", name.lease + " ", std::string("x")})
    EXPECT_EQ(CodeOf(workers_.Heartbeat(worker_, {"anna", wrong}, "")), ErrorCode::kStaleAttempt)
        << wrong;
  EXPECT_TRUE(Complete(worker_, name, Object()).has_value());
}

TEST_F(PollingWorkers, AreAnsweredBehindTheRecordOfWhatTheyHaveDone) {
  for (int i = 0; i < 20; ++i) Begin();
  const Tasks tasks = Poll(20);
  ASSERT_THAT(tasks, SizeIs(20));
  const bool fails[] = {false, true};
  for (size_t i = 0; i < tasks.size(); ++i) {
    const Position before = NextPosition();
    Position then;
    auto answered = fails[i % 2] ? workers_.FailTask(worker_, NameOf(tasks[i]), {}, "")
                                 : workers_.Complete(worker_, NameOf(tasks[i]), Object(), "");
    EXPECT_EQ(NextPosition(), before);
    world_.Get(answered.then([&](Status taken) {
      then = NextPosition();
      return taken;
    }));
    EXPECT_GT(then, before);
  }
}

TEST_F(PollingWorkers, FailTasksWithWhatTheySay) {
  const InstanceId instance = Begin();
  const Tasks tasks = Poll();
  ASSERT_THAT(tasks, SizeIs(1));
  EXPECT_TRUE(workers_.Log(worker_, NameOf(tasks[0]), "looked\n").has_value());
  world_.Get(workers_.FailTask(worker_, NameOf(tasks[0]),
                               {"no_paper", "the tray is empty", false, {}}, ""));
  world_.Settle();
  const InstanceStatus status =
      world_.Get(world_.instances().Get(ServedWorld::Somebody(Role::kAdmin), instance));
  EXPECT_EQ(status.status, "failed");
  EXPECT_THAT(status.failure.message, HasSubstr("the tray is empty"));
}

TEST_F(PollingWorkers, HearOfACancelledTaskWithTheirNextHeartbeat) {
  const InstanceId instance = Begin();
  const Tasks tasks = Poll();
  ASSERT_THAT(tasks, SizeIs(1));
  auto cancelled = Cancel(instance);
  world_.Settle();
  EXPECT_EQ(CodeOf(workers_.Heartbeat(worker_, NameOf(tasks[0]), "")), ErrorCode::kStaleAttempt);
  EXPECT_TRUE(Complete(worker_, NameOf(tasks[0]), Object()).has_value())
      << "any answer says that it has stopped";
  world_.Get(kj::mv(cancelled));
  EXPECT_EQ(StatusOf(instance), "cancelled");
}

TEST_F(PollingWorkers, AreRecordedWithWhomTheyBelongTo) {
  Begin();
  const Tasks tasks = Poll();
  ASSERT_THAT(tasks, SizeIs(1));
  EXPECT_TRUE(Complete(worker_, NameOf(tasks[0]), Object()).has_value());
  world_.CatchUp();
  const projections::WorkerList list =
      world_.Get(world_.questions().Workers(ServedWorld::Somebody(Role::kAdmin)));
  ASSERT_THAT(list.workers, SizeIs(1));
  EXPECT_EQ(list.workers[0].name, "depot/anna");
}

TEST_F(PollingWorkers, NeedARoleThatMayWork) {
  EXPECT_EQ(world_.CodeOf(workers_.Poll(ServedWorld::Somebody(Role::kViewer), Asking())),
            ErrorCode::kForbidden);
  EXPECT_EQ(CodeOf(workers_.Heartbeat(ServedWorld::Somebody(Role::kOperator), {"anna", "1"}, "")),
            ErrorCode::kForbidden);
}

TEST_F(PollingWorkers, WithoutANameHaveTheOneOfTheirCertificate) {
  workers_.RequireCertificates();
  Begin();
  PollRequest nameless = Asking();
  nameless.worker.clear();
  worker_.source = "::1 press 1";
  const Tasks tasks = world_.Get(workers_.Poll(worker_, nameless));
  ASSERT_THAT(tasks, SizeIs(1));
  // One with another certificate, and no name either, has nothing of it.
  worker_.source = "::1 press-2";
  EXPECT_EQ(CodeOf(workers_.Heartbeat(worker_, {"", tasks[0].lease}, "")),
            ErrorCode::kStaleAttempt);
  worker_.source = "::1 press 1";
  EXPECT_TRUE(Complete(worker_, {"", tasks[0].lease}, Object()).has_value());
  world_.CatchUp();
  const projections::WorkerList list =
      world_.Get(world_.questions().Workers(ServedWorld::Somebody(Role::kAdmin)));
  ASSERT_THAT(list.workers, SizeIs(1));
  EXPECT_EQ(list.workers[0].name, "depot/press 1");
}

TEST_F(PollingWorkers, WithoutACertificateAreNotedWhereTheyMustShowOne) {
  workers_.RequireCertificates();
  std::vector<std::string> denied;
  world_.desk().WatchDenied([&](const Caller& caller, Permission permission, const Desk::Target&) {
    denied.push_back(caller.name + " " + std::string(PermissionName(permission)));
  });
  EXPECT_EQ(world_.CodeOf(workers_.Poll(worker_, Asking())), ErrorCode::kForbidden);
  worker_.source = "127.0.0.1 bert";
  EXPECT_EQ(world_.CodeOf(workers_.Poll(worker_, Asking())), ErrorCode::kForbidden);
  EXPECT_THAT(denied, ElementsAre("depot work", "depot work"));
}

TEST_F(PollingWorkers, AreBounded) {
  const auto refused = [&](auto change) {
    PollRequest request = Asking();
    change(request);
    return world_.CodeOf(workers_.Poll(worker_, request));
  };
  EXPECT_EQ(refused([](auto& r) { r.types.clear(); }), ErrorCode::kInvalidInput);
  EXPECT_EQ(refused([](auto& r) { r.types = {"script"}; }), ErrorCode::kInvalidInput);
  EXPECT_EQ(refused([](auto& r) { r.types.assign(101, "resize"); }), ErrorCode::kLimitExceeded);
  EXPECT_EQ(refused([](auto& r) { r.max = 0; }), ErrorCode::kInvalidInput);
  EXPECT_EQ(refused([](auto& r) { r.max = 1001; }), ErrorCode::kLimitExceeded);
  EXPECT_EQ(refused([](auto& r) { r.wait_us = 61 * kSecond; }), ErrorCode::kLimitExceeded);
  EXPECT_EQ(refused([](auto& r) { r.wait_us = -1; }), ErrorCode::kLimitExceeded);
  EXPECT_EQ(refused([](auto& r) { r.lease_us = kSecond - 1; }), ErrorCode::kLimitExceeded);
  EXPECT_EQ(refused([](auto& r) { r.worker = "a\nb"; }), ErrorCode::kInvalidInput);
  EXPECT_EQ(refused([](auto& r) { r.worker = std::string(129, 'a'); }), ErrorCode::kLimitExceeded);
}

TEST(WorkersOfAProcessBefore, HoldNoLeaseOfThisOne) {
  const TempFolder folder;
  const Caller worker = ServedWorld::Somebody(Role::kWorker);
  const PollRequest asking{.worker = "anna", .types = {"resize"}};
  PolledTask before;
  {
    ServedWorld world({}, {.folder = folder / "", .sealed = false});
    world.Get(world.definitions().RegisterType(ServedWorld::Somebody(Role::kAdmin), "resize",
                                               Object{{"schema", Object()}, {"worker", true}}));
    world.Register("album", "{id: small, type: 'custom:resize'}");
    world.Start("album");
    world.Settle();
    Tasks tasks = world.Get(world.worker_operations().Poll(worker, asking));
    ASSERT_THAT(tasks, SizeIs(1));
    before = std::move(tasks[0]);
  }
  ServedWorld world({}, {.folder = folder / "", .sealed = false});
  Workers& workers = world.worker_operations();
  const Tasks tasks = world.Get(workers.Poll(worker, asking));
  ASSERT_THAT(tasks, SizeIs(1));
  EXPECT_EQ(*tasks[0].task.Find("key"), *before.task.Find("key")) << "the same attempt once more";
  EXPECT_NE(tasks[0].lease, before.lease);
  EXPECT_EQ(world.CodeOf(workers.Complete(worker, {"anna", before.lease}, Object(), "")),
            ErrorCode::kStaleAttempt);
  world.Get(workers.Complete(worker, {"anna", tasks[0].lease}, Object(), ""));
}

}  // namespace
}  // namespace stele::server
