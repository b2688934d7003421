#include "engine/tasks/outputs_file.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace stele::tasks {
namespace {

std::string Parsed(std::string_view text) {
  Result<Object> outputs = ParseOutputs(text);
  return outputs ? ToJson(*outputs) : outputs.error().message;
}

TEST(ParseOutputs, ReadsALineAnOutput) {
  EXPECT_EQ(Parsed("production=true\nurl=http://x?a=b\n\nempty=\r\nlast=1"),
            R"({"production":"true","url":"http://x?a=b","empty":"","last":"1"})");
}

TEST(ParseOutputs, KeepsTextsThatLookLikeJson) {
  EXPECT_EQ(Parsed("o={\"a\":1}"), R"({"o":"{\"a\":1}"})");
}

TEST(ParseOutputs, LetsTheLastLineOfANameWin) {
  EXPECT_EQ(Parsed("a=1\na=2\n"), R"({"a":"2"})");
}

TEST(ParseOutputs, ReadsBlocksOfSeveralLines) {
  EXPECT_EQ(Parsed("text<<EOF\none=1\n\ntwo\nEOF\nb=1 << 2\nnone<<X\nX\n"),
            R"({"text":"one=1\n\ntwo","b":"1 << 2","none":""})");
}

TEST(ParseOutputs, NamesTheLineThatIsNone) {
  EXPECT_EQ(Parsed("a=1\nnonsense\n"),
            "Expected name=value in line 2 of outputs but found \"nonsense\"");
  EXPECT_EQ(Parsed("=1\n"), "Expected name=value in line 1 of outputs but found \"=1\"");
  EXPECT_EQ(Parsed("a<<EOF\n1\n"),
            "Expected a line \"EOF\" to close the value of a from line 1 of outputs but found "
            "none");
}

// Comparing each with each would take minutes.
TEST(ParseOutputs, TakesManyNames) {
  std::string text;
  for (int i = 0; i < 500'000; ++i) text += std::to_string(i) + "=x\n";
  const Result<Object> outputs = ParseOutputs(text);
  ASSERT_TRUE(outputs.has_value());
  EXPECT_EQ(outputs->size(), 500'000u);
}

}  // namespace
}  // namespace stele::tasks
