#include "engine/requests/try_command.h"

#include <gtest/gtest.h>

#include "engine/model/snapshot.h"
#include "tests/engine/requests/asking.h"
#include "tests/support/definitions.h"

namespace stele::requests {
namespace {

constexpr std::string_view kLine = R"(
id: line
steps:
  - {id: a, type: script}
  - {id: b, type: script, depends_on: [a]}
)";

class Trying : public testing::Test {
 protected:
  Trying() : flow_(kLine) {
    Know(kLine);
    flow_.Start();
  }
  void Know(std::string_view yaml) {
    model::RegisteredDefinition registered;
    registered.id = DefinitionId(static_cast<uint32_t>(registry_.definitions.size() + 1));
    registered.definition = test::Load(yaml);
    registry_.definitions.push_back(std::move(registered));
  }
  std::optional<Rejection> Try(const model::Command& command) {
    return TryCommand(flow_.instance(), registry_, flow_.now(), command);
  }

  CoreDriver flow_;
  model::Registry registry_;
};

TEST_F(Trying, SaysWhatThePresentStateHasAgainstACommandAndChangesNothing) {
  const std::string before = model::EncodeSnapshot(flow_.instance());
  EXPECT_FALSE(Try(model::PauseInstance{}).has_value());
  EXPECT_FALSE(Try(model::PauseInstance{}).has_value());
  ASSERT_TRUE(Try(model::ResumeInstance{}).has_value());
  EXPECT_EQ(Try(model::ResumeInstance{})->code, ErrorCode::kWrongState);
  EXPECT_EQ(model::EncodeSnapshot(flow_.instance()), before);
}

TEST_F(Trying, AgreesWithWhatIsDecidedThen) {
  flow_.Complete("a");
  const model::Command retry = model::RetryInstance{"again"};
  const auto tried = Try(retry);
  ASSERT_TRUE(tried.has_value());
  EXPECT_EQ(*tried, *flow_.Do(retry));
  flow_.Fail("b");
  EXPECT_FALSE(Try(retry).has_value());
  EXPECT_FALSE(flow_.Do(retry).has_value());
}

TEST_F(Trying, LooksAtTheVersionThatAMigrationNames) {
  Know("id: line\nsteps:\n  - {id: a, type: script}\n");
  Know("id: line\nsteps:\n  - {id: z, type: script}\n");
  EXPECT_FALSE(Try(model::MigrateInstance{DefinitionId(2), ""}).has_value());
  // The step whose attempt is outside is not in that one.
  EXPECT_TRUE(Try(model::MigrateInstance{DefinitionId(3), ""}).has_value());
  EXPECT_EQ(Try(model::MigrateInstance{DefinitionId(9), ""})->code, ErrorCode::kUnknownDefinition);
  registry_.definitions[1].state = model::DefinitionState::kRetired;
  EXPECT_EQ(Try(model::MigrateInstance{DefinitionId(2), ""})->code, ErrorCode::kDefinitionState);
}

}  // namespace
}  // namespace stele::requests
