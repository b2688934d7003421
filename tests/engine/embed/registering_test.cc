#include <fstream>

#include "tests/engine/embed/fixture.h"

namespace stele::embed {
namespace {

class EmbedRegister : public EmbedTest {
 protected:
  void SetUp() override { Open(); }
};

constexpr const char* kText = R"(version: "1.0"
name: hello
steps:
  - {id: say, type: custom:echo}
)";

TEST_F(EmbedRegister, GivesVersionsToWhatChanges) {
  const Definition first = Get(engine_->RegisterText(kText));
  EXPECT_EQ(first.name, "hello");
  EXPECT_EQ(first.version, 1u);
  EXPECT_EQ(Get(engine_->RegisterText(kText)).version, 1u);
  const std::string changed =
      std::string(kText) + "  - {id: more, type: custom:echo, depends_on: say}\n";
  EXPECT_EQ(Get(engine_->RegisterText(changed)).version, 2u);
  const uint64_t old = Get(engine_->Start({.definition = "hello", .version = 1}));
  EXPECT_EQ(End(old).version, 1u);
  EXPECT_EQ(End(Start("hello")).version, 2u);
}

TEST_F(EmbedRegister, RefusesWithEveryFaultAndItsPlace) {
  const auto refused = engine_->RegisterText(R"(version: "1.0"
name: bad
steps:
  - {id: a, type: ecko}
  - {id: b, type: custom:echo, depends_on: c}
)");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, "STL0102");
  ASSERT_FALSE(refused.error().faults.empty());
  for (const Fault& fault : refused.error().faults) {
    EXPECT_EQ(fault.code.substr(0, 3), "STL");
    EXPECT_GT(fault.line, 2u) << fault.message;
    EXPECT_GT(fault.column, 0u) << fault.message;
  }
  EXPECT_NE(refused.error().ToString().find("\n5:"), std::string::npos)
      << refused.error().ToString();
}

TEST_F(EmbedRegister, RefusesATypeThatNothingRuns) {
  const auto refused = engine_->RegisterText(
      R"({"version": "1.0", "name": "n", "steps": [{"id": "a", "type": "custom:nobody"}]})");
  ASSERT_FALSE(refused.has_value());
  ASSERT_EQ(refused.error().faults.size(), 1u);
  EXPECT_EQ(refused.error().faults[0].code, "STL0107");
  Do(engine_->RegisterFunction("nobody", [](const Attempt&) { return TaskResult(); }));
  Get(engine_->RegisterText(
      R"({"version": "1.0", "name": "n", "steps": [{"id": "a", "type": "custom:nobody"}]})"));
}

TEST_F(EmbedRegister, ReadsAFileAndNamesItByTheFile) {
  const std::string path = directory_ + "/tidy.yml";
  std::ofstream(path) << "version: '1.0'\nsteps: [{id: a, type: custom:echo}]\n";
  EXPECT_EQ(Get(engine_->RegisterFile(path)).name, "tidy");
  EXPECT_EQ(CodeOf(engine_->RegisterFile(directory_ + "/none.yml")), "STL0003");
  EXPECT_EQ(CodeOf(engine_->RegisterFile(directory_)), "STL0003");
}

TEST(EmbedJson, WritesWhatCppHas) {
  EXPECT_EQ(JsonObject({}), "{}");
  EXPECT_EQ(
      JsonObject({{"a", 1},
                  {"b", "q\"\n"},
                  {"c", true},
                  {"d", nullptr},
                  {"e", 0.5},
                  {"f", uint64_t{1} << 63},
                  {"g", Json::Raw("[1]")},
                  {"h", std::string("s")}}),
      R"({"a": 1, "b": "q\"\n", "c": true, "d": null, "e": 0.5, "f": 9223372036854775808, "g": [1], "h": "s"})");
}

TEST(EmbedJson, ReadsAMember) {
  EXPECT_EQ(JsonMember(R"({"a": "x", "b": {"c": 1}})", "a"), "x");
  EXPECT_EQ(JsonMember(R"({"a": "x", "b": {"c": 1}})", "b"), R"({"c":1})");
  EXPECT_EQ(JsonMember("{}", "a"), std::nullopt);
  EXPECT_EQ(JsonMember("no json", "a"), std::nullopt);
}

}  // namespace
}  // namespace stele::embed
