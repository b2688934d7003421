// What goes with instances that somebody names, and which are refused.
#include "engine/retention/named.h"

#include <gmock/gmock.h>

#include "eventstore/memory_store.h"
#include "tests/engine/retention/closed.h"

namespace stele::retention {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Named : public testing::Test {
 protected:
  // Into the log and the view.
  void Start(uint64_t id, uint64_t parent = 0) {
    closed_.Start(InstanceId(id), InstanceId(parent));
    eventstore::Batch batch;
    eventstore::AddRecord(&batch, id, 1);
    ASSERT_TRUE(eventstore::AppendNext(log_, batch).has_value());
  }
  void Fork(uint64_t id, uint64_t origin) {
    closed_.Fork(InstanceId(id), InstanceId(origin));
    eventstore::Batch batch;
    eventstore::AddRecord(&batch, id, 1);
    ASSERT_TRUE(eventstore::AppendNext(log_, batch).has_value());
  }
  void End(uint64_t id) { closed_.End(InstanceId(id), TimeUs(10)); }
  Result<std::vector<InstanceId>> Of(std::vector<InstanceId> roots) {
    return TreesOf(closed_.Read(), log_, ShardId(), roots, forks_,
                   [this](InstanceId id) { return id == alone_; });
  }
  void ExpectRefused(std::vector<InstanceId> roots, ErrorCode code, const std::string& words) {
    const auto trees = Of(std::move(roots));
    ASSERT_FALSE(trees.has_value());
    EXPECT_EQ(trees.error().code, code);
    EXPECT_THAT(trees.error().message, HasSubstr(words));
  }

  Closed closed_;
  eventstore::MemoryStore log_;
  InstanceId alone_;
  Forks forks_ = Forks::kStay;
};

TEST_F(Named, GoWithAllThatTheyCalledOnce) {
  Start(1);
  Start(2, 1);
  Start(3, 2);
  for (const uint64_t id : {1, 2, 3}) End(id);
  const auto trees = Of({InstanceId(1), InstanceId(3), InstanceId(1)});
  ASSERT_TRUE(trees.has_value()) << trees.error().message;
  EXPECT_THAT(*trees, ElementsAre(InstanceId(2), InstanceId(3), InstanceId(1)));
}

TEST_F(Named, GoWithTheirForksWhereThoseGo) {
  Start(1);
  Fork(2, 1);
  Start(3, 2);
  Fork(4, 3);
  for (const uint64_t id : {1, 2, 3}) End(id);
  ASSERT_TRUE(Of({InstanceId(1)}).has_value());
  EXPECT_THAT(*Of({InstanceId(1)}), ElementsAre(InstanceId(1)));
  forks_ = Forks::kGo;
  ExpectRefused({InstanceId(1)}, ErrorCode::kWrongState, "found 4 open");
  End(4);
  const auto trees = Of({InstanceId(1)});
  ASSERT_TRUE(trees.has_value()) << trees.error().message;
  EXPECT_THAT(*trees, ElementsAre(InstanceId(4), InstanceId(3), InstanceId(2), InstanceId(1)));
}

TEST_F(Named, ThoseThatAreOpenAreRefused) {
  Start(1);
  Start(2, 1);
  End(1);
  ExpectRefused({InstanceId(1)}, ErrorCode::kWrongState, "found 2 open");
}

TEST_F(Named, ThoseThatThereAreNotAreNotCalledOpen) {
  Start(1);
  End(1);
  ExpectRefused({InstanceId(1), InstanceId(77)}, ErrorCode::kUnknownInstance, "found no 77");
  ExpectRefused({InstanceId()}, ErrorCode::kUnknownInstance, "found no 0");
  Start(2);
  ASSERT_TRUE(log_.Archive(ShardId(), log_.NextPosition(ShardId())).has_value());
  ASSERT_TRUE(log_.Cut(ShardId(), {{InstanceId(2)}, {}}).has_value());
  ExpectRefused({InstanceId(2)}, ErrorCode::kInstanceErased, "2 was purged");
}

TEST_F(Named, WhatWasCalledIsRefusedWithoutItsCaller) {
  Start(1);
  Start(2, 1);
  End(1);
  End(2);
  ExpectRefused({InstanceId(2)}, ErrorCode::kWrongState, "found 2 without 1");
  EXPECT_TRUE(Of({InstanceId(2), InstanceId(1)}).has_value());
  alone_ = InstanceId(2);
  EXPECT_TRUE(Of({InstanceId(2)}).has_value());
}

TEST_F(Named, WhatWasCalledByWhoIsGoneGoesAlone) {
  Start(1);
  Start(2, 1);
  End(2);
  ASSERT_TRUE(log_.Archive(ShardId(), log_.NextPosition(ShardId())).has_value());
  ASSERT_TRUE(log_.Cut(ShardId(), {{InstanceId(1)}, {}}).has_value());
  EXPECT_TRUE(Of({InstanceId(2)}).has_value());
}

}  // namespace
}  // namespace stele::retention
