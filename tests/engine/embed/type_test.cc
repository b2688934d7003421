// Task types of the user's own that the log has.
#include "tests/engine/embed/fixture.h"

namespace stele::embed {
namespace {

class EmbedType : public EmbedTest {
 protected:
  void SetUp() override { Open(); }
  static std::string StepWith(const std::string& config) {
    return "version: '1.0'\nname: n\nsteps:\n  - {id: a, type: 'custom:compile', config: " +
           config + "}\n";
  }
};

constexpr const char* kCompile = R"({
  "schema": {"type": "object", "required": ["target"],
             "properties": {"target": {"type": "string"}}, "additionalProperties": false},
  "worker": true})";

TEST_F(EmbedType, HoldsConfigurationsToItsSchemaAfterARestart) {
  EXPECT_NE(CodeOf(engine_->RegisterText(StepWith("{target: x}"))), "");
  Do(engine_->RegisterType("compile", kCompile));
  Reopen();
  Get(engine_->RegisterText(StepWith("{target: x}")));
  const auto refused = engine_->RegisterText(StepWith("{goal: x}"));
  ASSERT_FALSE(refused.has_value());
  ASSERT_FALSE(refused.error().faults.empty());
  EXPECT_EQ(refused.error().faults[0].line, 4u);
}

TEST_F(EmbedType, IsRunByTheProgramThatHasAnExecutorForIt) {
  Do(engine_->RegisterType("compile", kCompile));
  Reopen();
  Do(engine_->RegisterFunction("compile", [](const Attempt& attempt) {
    return TaskResult().Output("built", *attempt.Get("target"));
  }));
  Get(engine_->RegisterText(StepWith("{target: x}")));
  Get(engine_->Continue());
  EXPECT_EQ(End(Start("n")).status, "completed");
}

TEST_F(EmbedType, IsCalledWhereItsDocumentSays) {
  // Nobody listens at that port of the loopback.
  Do(engine_->RegisterType(
      "compile", R"({"schema": true, "url": "http://127.0.0.1:1/run", "headers": {"X-A": "b"}})"));
  Get(engine_->RegisterText(StepWith("{target: x}")));
  const Instance ended = End(Start("n"));
  EXPECT_EQ(ended.status, "failed");
  EXPECT_NE(ended.message.find("127.0.0.1"), std::string::npos) << ended.message;
}

TEST_F(EmbedType, RefusesADocumentThatIsNone) {
  EXPECT_EQ(CodeOf(engine_->RegisterType("compile", "{}")), "STL0406");
  EXPECT_EQ(CodeOf(engine_->RegisterType("script", kCompile)), "STL0406");
  EXPECT_EQ(CodeOf(engine_->RegisterType("", kCompile)), "STL0406");
  EXPECT_EQ(CodeOf(engine_->RegisterType("compile", R"({"schema": {"type": 3}, "worker": true})")),
            "STL0406");
}

}  // namespace
}  // namespace stele::embed
