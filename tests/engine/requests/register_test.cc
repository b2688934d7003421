// Registering a definition in a shard.
#include <gtest/gtest.h>

#include "engine/requests/definitions.h"
#include "tests/engine/runtime/world.h"
#include "tests/support/definitions.h"

namespace stele::requests {
namespace {

constexpr const char* kText = R"(version: "1.0"
name: hello
steps:
  - {id: say, type: script, config: {script: x}}
)";

class Registering : public testing::Test {
 protected:
  Registering() : world_(std::make_unique<eventstore::MemoryStore>()) { world_.Open(); }
  Registered Register(bool draft, const std::string& text = kText) {
    return requests::Register(
        world_.shard(),
        {.definition = test::Load(text), .text = text, .file = "hello.yml", .draft = draft}, "anna",
        [this](const Result<Position>& answer) { answers_.push_back(answer); });
  }
  const model::RegisteredDefinition& Known(DefinitionId id) {
    return *world_.shard().registry().Find(id);
  }

  runtime::World world_;
  std::vector<Result<Position>> answers_;
};

TEST_F(Registering, RecordsTheTextAndWhereItWas) {
  const Registered hello = Register(false);
  world_.RunUntilQuiet();
  EXPECT_TRUE(hello.is_new);
  EXPECT_EQ(Known(hello.id).name, "hello");
  EXPECT_EQ(Known(hello.id).source, kText);
  EXPECT_EQ(Known(hello.id).file, "hello.yml");
  EXPECT_EQ(Known(hello.id).state, model::DefinitionState::kActive);
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_TRUE(answers_[0].has_value());
}

TEST_F(Registering, AnswersOnceForTheTwoRecordsOfADraft) {
  const Registered hello = Register(true);
  EXPECT_TRUE(answers_.empty());
  world_.RunUntilQuiet();
  EXPECT_EQ(Known(hello.id).state, model::DefinitionState::kDraft);
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_EQ(*answers_[0], Position(2));
}

TEST_F(Registering, LeavesTheStateOfWhatIsKnown) {
  const Registered first = Register(false);
  const Registered again = Register(true);
  world_.RunUntilQuiet();
  EXPECT_EQ(again.id, first.id);
  EXPECT_FALSE(again.is_new);
  EXPECT_EQ(Known(first.id).state, model::DefinitionState::kActive);
  ASSERT_EQ(answers_.size(), 2u);
  EXPECT_TRUE(answers_[1].has_value());
}

TEST_F(Registering, GivesAChangedTextTheNextVersion) {
  const Registered first = Register(false);
  const Registered second =
      Register(false, std::string(kText) + "  - {id: more, type: script, config: {script: y}}\n");
  world_.RunUntilQuiet();
  EXPECT_TRUE(second.is_new);
  EXPECT_EQ(Known(first.id).version, 1u);
  EXPECT_EQ(Known(second.id).version, 2u);
}

TEST_F(Registering, IsRefusedOnceWhenTheShardStops) {
  world_.shard().Stop([] {});
  const Registered hello = Register(true);
  world_.Crash();
  EXPECT_FALSE(hello.is_new);
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_EQ(answers_[0].error().code, ErrorCode::kShardStopped);
}

}  // namespace
}  // namespace stele::requests
