#include "server/operations/deeds.h"

#include <gmock/gmock.h>

#include "engine/requests/operators.h"
#include "server/operations/denials.h"
#include "server/operations/limits.h"
#include "tests/server/support/served_world.h"

namespace stele::server {
namespace {

using replay::DeedFilter;
using replay::DeedKind;
using testing::ElementsAre;

class AskedDeeds : public testing::Test {
 protected:
  AskedDeeds() {
    operator_.source = "rest 10.0.0.7";
    auditor_.source = "rpc unix";
    world_.Register("long", "{id: hang, type: script}");
    id_ = world_.Start("long");
  }
  std::vector<std::string> Texts(const DeedFilter& filter) {
    std::vector<std::string> texts;
    world_.Settle();
    for (const replay::Deed& deed :
         world_.Get(ReadDeeds(world_.desk(), auditor_, filter, "", kMaxDeeds)).deeds)
      texts.push_back(deed.actor + " " + deed.source + ": " + deed.action + " " + deed.definition +
                      " " + deed.reason + deed.outcome);
    return texts;
  }

  ServedWorld world_;
  Denials denials_{world_.desk()};
  Caller operator_ = ServedWorld::Somebody(Role::kOperator);
  Caller auditor_ = ServedWorld::Somebody(Role::kAuditor);
  InstanceId id_;
};

TEST_F(AskedDeeds, HaveTheSourceOfWhoAsked) {
  world_.Get(world_.instances().Send(operator_, Permission::kOperate, id_,
                                     requests::Pause("the supplier is down")));
  EXPECT_THAT(Texts({.instance = id_, .kinds = {DeedKind::kOperate}}),
              ElementsAre("operator rest 10.0.0.7: pause long the supplier is downdone"));
}

TEST_F(AskedDeeds, AreAlsoWhatWasDeniedOfTheInstance) {
  Caller viewer = ServedWorld::Somebody(Role::kViewer);
  viewer.source = "rpc 10.0.0.9";
  EXPECT_EQ(world_.CodeOf(world_.instances().Send(viewer, Permission::kOperate, id_,
                                                  requests::Terminate("why not"))),
            ErrorCode::kForbidden);
  EXPECT_THAT(Texts({.instance = id_, .kinds = {DeedKind::kDenied}}),
              ElementsAre("viewer rpc 10.0.0.9: operate long denied"));
  EXPECT_TRUE(Texts({.instance = InstanceId(99), .kinds = {DeedKind::kDenied}}).empty());
}

TEST_F(AskedDeeds, AreNotForEverybody) {
  for (const Role role : {Role::kOperator, Role::kDeveloper, Role::kWorker, Role::kViewer})
    EXPECT_EQ(world_.CodeOf(ReadDeeds(world_.desk(), ServedWorld::Somebody(role), {}, "", 10)),
              ErrorCode::kForbidden)
        << RoleName(role);
  // Who asked for that is told, too.
  EXPECT_EQ(Texts({.kinds = {DeedKind::kDenied}}).size(), 4u);
}

TEST_F(AskedDeeds, ComeInPages) {
  for (int i = 0; i < 5; ++i) world_.Start("long");
  world_.Settle();
  size_t count = 0;
  std::string from;
  do {
    const DeedPage page =
        world_.Get(ReadDeeds(world_.desk(), auditor_, {.kinds = {DeedKind::kStart}}, from, 2));
    EXPECT_LE(page.deeds.size(), 2u);
    count += page.deeds.size();
    from = page.next;
  } while (!from.empty());
  EXPECT_EQ(count, 6u);
  EXPECT_EQ(world_.CodeOf(ReadDeeds(world_.desk(), auditor_, {}, "no place", 2)),
            ErrorCode::kInvalidInput);
}

TEST_F(AskedDeeds, ComeInPagesOfABoundedSizeHoweverLongReasonsAre) {
  const std::string reason(60u << 10, 'x');
  constexpr size_t kDone = 100;
  for (size_t i = 0; i < kDone; ++i)
    world_.Get(
        world_.instances().Send(operator_, Permission::kOperate, id_,
                                i % 2 == 0 ? requests::Pause(reason) : requests::Resume(reason)));
  world_.Settle();
  size_t count = 0, pages = 0;
  std::string from;
  do {
    const DeedPage page = world_.Get(
        ReadDeeds(world_.desk(), auditor_, {.kinds = {DeedKind::kOperate}}, from, kMaxDeeds));
    EXPECT_LE(page.deeds.size() * reason.size(), kMaxDeedPageBytes + 2 * reason.size());
    count += page.deeds.size();
    ++pages;
    from = page.next;
  } while (!from.empty());
  EXPECT_EQ(count, kDone);
  EXPECT_GT(pages, 1u);
}

}  // namespace
}  // namespace stele::server
