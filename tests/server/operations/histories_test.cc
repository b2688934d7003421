// Pages of histories, and what threads are given to read them.
#include "server/operations/histories.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "engine/requests/operators.h"
#include "server/operations/limits.h"
#include "tests/server/support/served_world.h"

namespace stele::server {
namespace {

class HistoriesWorld : public testing::Test {
 protected:
  ~HistoriesWorld() noexcept override = default;

  static Caller Admin() { return ServedWorld::Somebody(Role::kAdmin); }
  HistoryPage Page(InstanceId instance, uint64_t from, size_t limit = 1'000) {
    return world_.Get(world_.histories().Events(Admin(), instance, Seq(from), limit));
  }
  // Everything, in pages of so many.
  Array Paged(InstanceId instance, size_t limit) {
    Array events;
    for (Seq from(1); from;) {
      HistoryPage page = Page(instance, from.value, limit);
      EXPECT_LE(page.events.size(), limit);
      for (Object& event : page.events) events.emplace_back(std::move(event));
      from = page.next;
    }
    return events;
  }

  ServedWorld world_;
};

TEST_F(HistoriesWorld, NameStepsAsTheDefinitionDoesThatTheyRan) {
  world_.Register("long", "{id: hang, type: script}");
  const InstanceId instance = world_.Start("long");
  world_.Settle();
  // What was the first step is the second one now.
  world_.Register("long", "{id: b, type: script, depends_on: [hang]}, {id: hang, type: script}");
  world_.Get(world_.instances().Send(Admin(), Permission::kOperate, instance,
                                     requests::Migrate(world_.desk().registry(), 2, "")));
  world_.Settle();
  const Array all = Paged(instance, 1'000);
  ASSERT_GE(all.size(), 3u);
  const std::string text = ToJson(Value(all));
  EXPECT_NE(text.find("\"hang\""), std::string::npos) << text;
  EXPECT_EQ(text.find("\"b\""), std::string::npos) << text;
  EXPECT_EQ(Paged(instance, 1), all);
  EXPECT_EQ(Paged(instance, 2), all);
  // Whoever begins anywhere, and asks again for what has come since.
  for (size_t from = all.size() + 3; from >= 1; --from) {
    const HistoryPage page = Page(instance, from);
    ASSERT_EQ(page.events.size(), from > all.size() ? 0 : all.size() - from + 1);
    if (!page.events.empty()) {
      EXPECT_EQ(Value(page.events[0]), all[from - 1]);
    }
    EXPECT_FALSE(page.next);
  }
  world_.Get(world_.instances().Send(Admin(), Permission::kOperate, instance,
                                     requests::Cancel(false, "enough")));
  world_.Settle();
  const HistoryPage since = Page(instance, all.size() + 1);
  ASSERT_FALSE(since.events.empty());
  EXPECT_EQ(since.events[0].Find("seq")->as_int(), static_cast<int64_t>(all.size()) + 1);
  EXPECT_EQ(Paged(instance, 3), Paged(instance, 1'000));
  EXPECT_EQ(ToJson(Value(Paged(instance, 3))).find("\"b\""), std::string::npos);
}

TEST_F(HistoriesWorld, KeepTheTimeMachinesOfThoseThatWereAskedForLately) {
  world_.Register("long", "{id: hang, type: script}");
  const auto seen = [&](InstanceId instance) {
    const Object state = world_.Get(world_.histories().State(Admin(), instance, {}));
    return state.Find("state")->Find("instance")->as_int();
  };
  std::vector<InstanceId> all;
  for (size_t i = 0; i < kMaxMachines + 3; ++i) all.push_back(world_.Start("long"));
  world_.Settle();
  Machines& machines = world_.histories().machines();
  EXPECT_EQ(machines.count(), 0u);
  for (const InstanceId instance : all)
    EXPECT_EQ(seen(instance), static_cast<int64_t>(instance.value));
  EXPECT_EQ(machines.count(), kMaxMachines);
  EXPECT_GT(machines.bytes(), 0u);
  EXPECT_EQ(world_.CodeOf(world_.histories().State(Admin(), InstanceId(999), {})),
            ErrorCode::kUnknownInstance);
  EXPECT_EQ(machines.count(), kMaxMachines);
  world_.Advance(kMachineIdleUs / 2);
  EXPECT_EQ(seen(all[0]), static_cast<int64_t>(all[0].value));
  world_.Advance(kMachineIdleUs / 2);
  machines.GiveUpIdle(kMachineIdleUs);
  EXPECT_EQ(machines.count(), 1u);
}

TEST_F(HistoriesWorld, KeepNoTimeMachineOfWhatIsErased) {
  world_.Register("long", "{id: hang, type: script}");
  const InstanceId erased = world_.Start("long"), other = world_.Start("long");
  world_.Settle();
  world_.Get(world_.instances().Send(Admin(), Permission::kOperate, erased,
                                     requests::Cancel(false, "enough")));
  world_.Settle();
  for (const InstanceId instance : {erased, other})
    world_.Get(world_.histories().State(Admin(), instance, {}));
  Machines& machines = world_.histories().machines();
  machines.GiveUpRemoved();
  ASSERT_EQ(machines.count(), 2u);
  auto answering = world_.desk().Await();
  const Position end = world_.desk().store().NextPosition(world_.desk().engine().shard_id);
  world_.shard().Erase({{{erased, erased}}, "a test"}, Position(end.value - 1), "test",
                       std::move(answering.answer));
  ASSERT_TRUE(world_.Await(kj::mv(answering.promise)).has_value());
  machines.GiveUpRemoved();
  EXPECT_EQ(machines.count(), 1u);
}

TEST_F(HistoriesWorld, KeepNoMoreTimeMachinesForThoseWhoGoAwayBeforeTheyAreAnswered) {
  world_.Register("long", "{id: hang, type: script}");
  std::vector<InstanceId> all;
  for (size_t i = 0; i < kMaxMachines + 3; ++i) all.push_back(world_.Start("long"));
  world_.Settle();
  for (const InstanceId instance : all) {
    const auto unanswered = world_.histories().State(Admin(), instance, {});
    EXPECT_LE(world_.histories().machines().count(), kMaxMachines);
  }
}

TEST_F(HistoriesWorld, AnswerTwoWhoAskForOneInstanceAtOnce) {
  world_.Register("long", "{id: hang, type: script}");
  const InstanceId instance = world_.Start("long");
  world_.Settle();
  auto one = world_.histories().State(Admin(), instance, {});
  auto other = world_.histories().Chart(Admin(), instance, 10);
  EXPECT_EQ(*world_.Get(kj::mv(one)).Find("instance"), Value(1));
  EXPECT_EQ(*world_.Get(kj::mv(other)).Find("runs"), Value(1));
  EXPECT_EQ(world_.histories().machines().count(), 1u);
}

TEST_F(HistoriesWorld, GetTheDefinitionsAnewWhenThereAreMoreAlone) {
  world_.Register("long", "{id: hang, type: script}");
  const auto before = world_.desk().Definitions();
  auto answering = world_.desk().Await();
  world_.shard().ChangeSetting("note", "{}", "test", std::move(answering.answer));
  ASSERT_TRUE(world_.Await(kj::mv(answering.promise)).has_value());
  EXPECT_EQ(world_.desk().Definitions(), before);
  world_.Register("other", "{id: hang, type: script}");
  const auto after = world_.desk().Definitions();
  EXPECT_EQ(before->definitions.size(), 1u);
  ASSERT_EQ(after->definitions.size(), 2u);
  EXPECT_EQ(after->definitions[1].name, "other");
}

}  // namespace
}  // namespace stele::server
