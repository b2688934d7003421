// A shard whose log has lost instances to retention goes on without them.
#include "tests/engine/runtime/workflow.h"
#include "tests/engine/runtime/world.h"

namespace stele::runtime {
namespace {

// The ways a shard starts: from its checkpoint, or from the log alone.
class ErasedInstance : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Starts, ErasedInstance, testing::Bool(), [](const auto& given) {
  return std::string(given.param ? "FromTheCheckpoint" : "FromTheLog");
});

TEST_P(ErasedInstance, LeavesItsNumberToNobody) {
  World first(std::make_unique<eventstore::MemoryStore>());
  first.Open();
  const DefinitionId definition = first.Register(kMixedWorkflow);
  InstanceId kept, erased;
  ASSERT_TRUE(first.Start(definition, &kept).has_value());
  ASSERT_TRUE(first.RunUntilEnded(kept));
  ASSERT_TRUE(first.Start(definition, &erased).has_value());
  ASSERT_TRUE(first.RunUntilEnded(erased));
  ASSERT_EQ(erased, kept.Next());
  if (GetParam()) first.Stop();
  auto store = first.Crash();
  const Position end = store->NextPosition(ShardId());
  ASSERT_TRUE(store->Archive(ShardId(), end).has_value());
  const auto cut = store->Cut(ShardId(), {{erased}, {}});
  ASSERT_TRUE(cut.has_value()) << cut.error().ToString();

  World second(std::move(store));
  second.Open();
  EXPECT_FALSE(second.shard().Find(erased).has_value());
  EXPECT_TRUE(second.shard().Find(kept).has_value());
  InstanceId next;
  ASSERT_TRUE(second.Start(definition, &next).has_value());
  EXPECT_EQ(next, erased.Next());
  EXPECT_TRUE(second.RunUntilEnded(next));
}

}  // namespace
}  // namespace stele::runtime
