// What a version, its state and the bounds of starts refuse.
#include "tests/engine/runtime/workflow.h"
#include "tests/engine/runtime/world.h"

namespace stele::runtime {
namespace {

using eventstore::MemoryStore;
using model::DefinitionState;

constexpr const char* kChecked = R"(
version: "1.0"
name: checked
input_schema: {type: object, required: [n], properties: {n: {type: integer}}}
variables:
  - {name: who, type: string, required: true}
steps:
  - {id: work, type: script, config: {script: x}}
)";

TEST(ARefusedStart, TakesNoNumber) {
  World world(std::make_unique<MemoryStore>());
  world.held = {"work"};
  world.Open();
  const DefinitionId checked = world.Register(kChecked);
  const auto start = [&](const std::string& input, const std::string& who,
                         const std::string& key = "", int32_t priority = 0) {
    model::StartInstance command{
        .definition = checked, .input = Payload::FromText(input), .priority = priority};
    if (!who.empty()) command.variables.push_back({"who", Payload::FromText(who)});
    command.business_key = key;
    InstanceId id;
    const auto answer = world.Start(std::move(command), &id, {.unique_business_key = true});
    EXPECT_EQ(answer.has_value(), id.value != 0);
    return answer.has_value() ? ErrorCode() : answer.error().code;
  };
  EXPECT_EQ(start("{}", R"("ann")"), ErrorCode::kInvalidInput);
  EXPECT_EQ(start(R"({"n":1})", ""), ErrorCode::kInvalidInput);
  EXPECT_EQ(start(R"({"n":1})", "7"), ErrorCode::kInvalidInput);
  EXPECT_EQ(world.shard().last_instance(), InstanceId());
  EXPECT_EQ(start(R"({"n":1})", R"("ann")", "A"), ErrorCode());
  EXPECT_EQ(start(R"({"n":1})", R"("ann")", "A"), ErrorCode::kDuplicateKey);
  EXPECT_EQ(start(R"({"n":1})", R"("ann")", std::string(2'000, 'k')), ErrorCode::kLimitExceeded);
  for (const int32_t priority : {-1'000'001, 1'000'001})
    EXPECT_EQ(start(R"({"n":1})", R"("ann")", "", priority), ErrorCode::kInvalidInput);
  world.shard().ChangeDefinition(checked, DefinitionState::kPaused, "", "tester", nullptr);
  EXPECT_EQ(start(R"({"n":1})", R"("ann")"), ErrorCode::kDefinitionState);
  EXPECT_EQ(world.shard().last_instance(), InstanceId(1));
}

TEST(Migration, ToARetiredVersionIsRefused) {
  World world(std::make_unique<MemoryStore>());
  world.held = {"work"};
  world.Open();
  InstanceId id;
  ASSERT_TRUE(world.Start(world.Register(kWork), &id).has_value());
  const DefinitionId next = world.Register(std::string(kWork) + "description: new\n");
  const auto become = [&](DefinitionState state) {
    world.shard().ChangeDefinition(next, state, "too slow", "tester",
                                   [](const Result<Position>&) {});
  };
  become(DefinitionState::kRetired);
  const auto refused = world.Ask(id, model::MigrateInstance{next, ""});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(
      refused.error().ToString(),
      "STL0411: Expected \"work\" version 2 to be one that instances may migrate to but found "
      "it retired: too slow");
  become(DefinitionState::kPaused);
  EXPECT_TRUE(world.Ask(id, model::MigrateInstance{next, ""}).has_value());
}

}  // namespace
}  // namespace stele::runtime
