// What a shard lets go of: ended instances alone, and nothing more happens to them.
#include "base/instance_ranges.h"
#include "tests/engine/runtime/world.h"

namespace stele::runtime {
namespace {

constexpr const char* kOne = "id: one\nsteps: [{id: a, type: script}]\n";

class Removal : public testing::Test {
 protected:
  Removal() : world_(std::make_unique<eventstore::MemoryStore>()) {
    world_.Open();
    one_ = world_.Register(kOne);
  }
  InstanceId Ended() {
    InstanceId id;
    EXPECT_TRUE(world_.Start(one_, &id).has_value());
    EXPECT_TRUE(world_.RunUntilEnded(id));
    return id;
  }
  Position End() { return Position(world_.store().NextPosition(ShardId()).value - 1); }
  // The code of the refusal; nothing: it was done.
  std::optional<ErrorCode> Purge(std::vector<InstanceId> ids, Position seen) {
    return CodeOf([&](const Shard::Answer& answer) {
      world_.shard().Purge({.instances = RangesOf(ids), .reason = "a test"}, seen, "tester",
                           answer);
    });
  }
  std::optional<ErrorCode> Erase(std::vector<InstanceId> ids, Position seen) {
    return CodeOf([&](const Shard::Answer& answer) {
      world_.shard().Erase({RangesOf(ids), "a test"}, seen, "tester", answer);
    });
  }
  template <class Ask>
  std::optional<ErrorCode> CodeOf(const Ask& ask) {
    std::optional<Result<Position>> answer;
    ask([&](const Result<Position>& given) { answer = given; });
    EXPECT_TRUE(world_.RunUntil([&] { return answer.has_value(); }));
    return answer->has_value() ? std::nullopt : std::optional(answer->error().code);
  }

  World world_;
  DefinitionId one_;
};

TEST_F(Removal, IsOfEndedInstancesAlone) {
  world_.hanging = {"a"};
  InstanceId open;
  ASSERT_TRUE(world_.Start(one_, &open).has_value());
  world_.hanging.clear();
  const InstanceId ended = Ended();
  EXPECT_EQ(Purge({open, ended}, End()), ErrorCode::kWrongState);
  EXPECT_TRUE(world_.shard().Find(ended).has_value()) << "one refusal is of all";
  EXPECT_EQ(Purge({InstanceId(77)}, End()), ErrorCode::kUnknownInstance);
  EXPECT_EQ(Purge({}, End()), ErrorCode::kLimitExceeded);
  EXPECT_EQ(Purge({ended}, End()), std::nullopt);
  EXPECT_EQ(world_.Ask(ended, model::CancelInstance{}).error().code, ErrorCode::kInstanceErased);
  EXPECT_EQ(Purge({ended}, End()), ErrorCode::kInstanceErased);
}

TEST_F(Removal, WaitsUntilTheOneBeforeIsDone) {
  const InstanceId first = Ended(), second = Ended();
  ASSERT_EQ(Purge({first}, End()), std::nullopt);
  EXPECT_EQ(Purge({second}, End()), ErrorCode::kWrongState);
  ASSERT_TRUE(world_.store().Archive(ShardId(), End()).has_value());
  ASSERT_TRUE(world_.store().Cut(ShardId(), {{first}, {}}).has_value());
  EXPECT_EQ(Purge({second}, End()), std::nullopt);
}

// The state that a fork is made of was read before.
TEST_F(Removal, LeavesNoForkThatWasAskedForBefore) {
  world_.held = {"a"};
  InstanceId origin;
  ASSERT_TRUE(world_.Start(one_, &origin).has_value());
  world_.RunUntilQuiet();
  const model::ForkInstance fork = world_.ForkOf(origin);
  ASSERT_TRUE(world_.Finish("a"));
  world_.RunUntilQuiet();
  std::optional<Result<Position>> answer;
  const InstanceId asked =
      world_.shard().Fork(fork, "tester", [&](const Result<Position>& given) { answer = given; });
  EXPECT_TRUE(asked);
  EXPECT_EQ(Purge({origin}, End()), std::nullopt);
  ASSERT_TRUE(world_.RunUntil([&] { return answer.has_value(); }));
  ASSERT_FALSE(answer->has_value());
  EXPECT_EQ(answer->error().code, ErrorCode::kInstanceErased);
  EXPECT_FALSE(world_.shard().Find(asked).has_value());
  const auto again = world_.Fork(fork);
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, ErrorCode::kInstanceErased);
}

TEST_F(Removal, OfPayloadsIsRefusedWhileAForkIsNotSeen) {
  world_.held = {"a"};
  InstanceId origin;
  ASSERT_TRUE(world_.Start(one_, &origin).has_value());
  world_.RunUntilQuiet();
  const model::ForkInstance command = world_.ForkOf(origin);
  ASSERT_TRUE(world_.Finish("a"));
  world_.RunUntilQuiet();
  const Position seen = End();
  InstanceId fork;
  ASSERT_TRUE(world_.Fork(command, &fork).has_value());
  world_.RunUntilQuiet();
  ASSERT_TRUE(world_.Finish("a"));
  ASSERT_TRUE(world_.RunUntilEnded(fork));
  EXPECT_EQ(Erase({origin}, seen), ErrorCode::kBackPressure);
  EXPECT_FALSE(world_.shard().registry().IsErased(origin));
  EXPECT_EQ(Erase({origin, fork}, End()), std::nullopt);
  EXPECT_TRUE(world_.shard().registry().IsErased(origin));
}

TEST_F(Removal, IsRefusedWhenTheInstanceWasRetriedSince) {
  world_.failing["a"] = 1;
  const InstanceId failed = Ended();
  const Position seen = End();
  world_.failing["a"] = 1;
  ASSERT_TRUE(world_.Ask(failed, model::RetryInstance{}).has_value());
  world_.RunUntilQuiet();
  EXPECT_EQ(Purge({failed}, seen), ErrorCode::kWrongState);
  EXPECT_EQ(Purge({failed}, End()), std::nullopt);
}

TEST_F(Removal, IsOfWhatWasSeenSinceTheShardIsOpen) {
  const InstanceId ended = Ended();
  const Position seen(End().value - 1);
  auto store = world_.Crash();
  World second(std::move(store));
  second.Open();
  std::optional<Result<Position>> answer;
  second.shard().Purge({.instances = {{ended, ended}}}, seen, "tester",
                       [&](const Result<Position>& given) { answer = given; });
  ASSERT_TRUE(answer.has_value());
  ASSERT_FALSE(answer->has_value());
  EXPECT_EQ(answer->error().code, ErrorCode::kBackPressure);
}

TEST_F(Removal, IsKnownBehindARestartThatComesBeforeTheCut) {
  const InstanceId ended = Ended();
  ASSERT_EQ(Purge({ended}, End()), std::nullopt);
  World second(world_.Crash());
  second.Open();
  EXPECT_FALSE(second.shard().Find(ended).has_value());
  EXPECT_EQ(second.Ask(ended, model::RetryInstance{}).error().code, ErrorCode::kInstanceErased);
}

}  // namespace
}  // namespace stele::runtime
