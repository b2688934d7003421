// Which instances are due: whole trees of calls, the callers last.
#include "engine/retention/due.h"

#include <gmock/gmock.h>

#include "tests/engine/retention/closed.h"

namespace stele::retention {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class Due : public testing::Test {
 protected:
  Due() {
    auto definition = std::make_shared<definition::Definition>();
    registry_.definitions.push_back({.id = DefinitionId(1),
                                     .name = "flow",
                                     .canonical = {},
                                     .source = {},
                                     .file = {},
                                     .registered = {},
                                     .definition = definition,
                                     .reason = {}});
  }
  std::vector<InstanceId> At(int64_t now) {
    DueScan scan(registry_, {.closed_us = 100}, TimeUs(now));
    const auto next = scan.Next(closed_.Read(), 1'000);
    EXPECT_TRUE(next.has_value());
    return *next;
  }

  model::Registry registry_;
  Closed closed_;
};

TEST_F(Due, AreThoseThatEndedLongerAgoThanTheyAreKept) {
  for (uint64_t id = 1; id <= 3; ++id) closed_.Start(InstanceId(id));
  closed_.End(InstanceId(1), TimeUs(1'000));
  closed_.End(InstanceId(2), TimeUs(1'010));
  EXPECT_THAT(At(1'100), IsEmpty());
  EXPECT_THAT(At(1'101), ElementsAre(InstanceId(1)));
  EXPECT_THAT(At(2'000), ElementsAre(InstanceId(1), InstanceId(2)));
  closed_.Retry(InstanceId(1));
  EXPECT_THAT(At(2'000), ElementsAre(InstanceId(2)));
}

TEST_F(Due, GoWithAllThatTheyCalledOrNotAtAll) {
  closed_.Start(InstanceId(1));
  closed_.Start(InstanceId(2), InstanceId(1));
  closed_.Start(InstanceId(3), InstanceId(2));
  closed_.End(InstanceId(2), TimeUs(10));
  closed_.End(InstanceId(1), TimeUs(20));
  EXPECT_THAT(At(1'000), IsEmpty()) << "3 is open";
  closed_.End(InstanceId(3), TimeUs(1'000));
  EXPECT_THAT(At(1'050), IsEmpty()) << "3 is to be kept longer";
  EXPECT_THAT(At(1'200), ElementsAre(InstanceId(1), InstanceId(2), InstanceId(3)));
}

TEST_F(Due, ComeInPortions) {
  for (uint64_t id = 1; id <= 1'000; ++id) {
    closed_.Start(InstanceId(id));
    closed_.End(InstanceId(id), TimeUs(static_cast<int64_t>(id)));
  }
  DueScan scan(registry_, {.closed_us = 100}, TimeUs(10'000));
  std::set<InstanceId> all;
  for (;;) {
    const auto next = scan.Next(closed_.Read(), 300);
    ASSERT_TRUE(next.has_value());
    if (next->empty()) break;
    EXPECT_LE(next->size(), 300u);
    for (const InstanceId id : *next) EXPECT_TRUE(all.insert(id).second);
  }
  EXPECT_EQ(all.size(), 1'000u);
}

}  // namespace
}  // namespace stele::retention
