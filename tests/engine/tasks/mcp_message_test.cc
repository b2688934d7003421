#include "engine/tasks/mcp_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/tasks/mcp_plan.h"
#include "task_harness.h"

namespace stele::tasks {
namespace {

Result<std::vector<McpMessage>> Parsed(std::string_view json) {
  return ParseMcpMessages(json, Redactor({}));
}

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<McpMessage> Parse(std::string_view json) {
  auto messages = Parsed(json);
  EXPECT_TRUE(messages.has_value()) << json;
  return messages.value_or(std::vector<McpMessage>());
}

TEST(McpMessage, IsOneOfFourKinds) {
  using Kind = McpMessage::Kind;
  auto kind = [](std::string_view json) { return Parse(json).at(0).kind; };
  EXPECT_EQ(kind(R"({"jsonrpc":"2.0","id":1,"method":"ping"})"), Kind::kRequest);
  EXPECT_EQ(kind(R"({"jsonrpc":"2.0","method":"notifications/message"})"), Kind::kNotification);
  EXPECT_EQ(kind(R"({"jsonrpc":"2.0","id":"a","result":{}})"), Kind::kResult);
  EXPECT_EQ(kind(R"({"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no"}})"),
            Kind::kError);
}

TEST(McpMessage, MayComeInABatch) {
  std::vector<McpMessage> messages = Parse(
      R"([{"jsonrpc":"2.0","method":"a"},{"jsonrpc":"2.0","id":2,"error":{"code":7,"message":"b"}}])");
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0].method, "a");
  EXPECT_EQ(messages[1].error_code, 7);
  EXPECT_EQ(messages[1].error_message, "b");
}

TEST(McpMessage, IsRefusedWhenItIsNone) {
  for (const char* text :
       {"", "hello", "7", "{}", R"({"jsonrpc":"1.0","method":"a"})", R"({"jsonrpc":"2.0"})",
        R"({"jsonrpc":"2.0","result":{}})", R"({"jsonrpc":"2.0","id":{},"method":"a"})",
        R"({"jsonrpc":"2.0","id":1,"method":7})", R"({"jsonrpc":"2.0","id":1,"error":{}})",
        R"([{"jsonrpc":"2.0","method":"a"},7])"}) {
    auto messages = Parsed(text);
    ASSERT_FALSE(messages.has_value()) << text;
    EXPECT_THAT(messages.error().message, HasSubstr("Expected a JSON-RPC 2.0 message but found"));
  }
  EXPECT_THAT(Parsed(std::string(1000, 'x')).error().message, HasSubstr("xxx…\""));
}

TEST(McpMessage, IsWrittenOnOneLine) {
  EXPECT_EQ(McpRequest(3, "tools/call", Object{{"name", "a\nb"}}),
            R"({"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"a\nb"}})");
  EXPECT_EQ(McpNotification("notifications/initialized", {}),
            R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
  EXPECT_EQ(McpResult(Value("q"), {}), R"({"jsonrpc":"2.0","id":"q","result":{}})");
  EXPECT_EQ(McpError(Value(1), -32601, "no"),
            R"({"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}})");
}

std::vector<std::string> Faults(std::string_view config,
                                ConfigReader::Mode mode = ConfigReader::Mode::kRendered) {
  auto plan = ReadMcpPlan(Json(config), Value(Object()), mode);
  return plan ? std::vector<std::string>() : plan.error();
}

TEST(McpPlan, NeedsOneServerAndOneTool) {
  EXPECT_THAT(Faults(R"({"tool":"a"})"),
              ElementsAre("Expected `command` (a server to start) or `url` (one to call) but found "
                          "neither"));
  EXPECT_THAT(Faults(R"({"command":"a","url":"http://a/","tool":"b"})"),
              ElementsAre("Expected one of `command` and `url` but found both"));
  EXPECT_THAT(Faults(R"({"command":"a"})"), ElementsAre("Expected `tool` but found none"));
  EXPECT_THAT(Faults(R"({"command":"a","action":"list_tools"})"), IsEmpty());
  EXPECT_THAT(Faults(R"({"command":"a","action":"list_tools","tool":"b"})"),
              ElementsAre(HasSubstr("Expected no `tool`")));
  EXPECT_THAT(Faults(R"({"command":"a","action":"create_session"})"),
              ElementsAre(HasSubstr("to be call_tool or list_tools but found \"create_session\"")));
}

TEST(McpPlan, KeepsTheKeysOfTheTwoTransportsApart) {
  EXPECT_THAT(Faults(R"({"command":"a","tool":"b","headers":{}})"),
              ElementsAre(HasSubstr("but found `headers`")));
  EXPECT_THAT(Faults(R"({"url":"http://a/","tool":"b","args":[]})"),
              ElementsAre(HasSubstr("but found `args`")));
  EXPECT_THAT(Faults(R"({"url":"http://a/","tool":"b","follow_redirects":true})"),
              ElementsAre(HasSubstr("Expected no `follow_redirects`")));
  EXPECT_THAT(Faults(R"({"command":"--x","tool":"b","arguments":7})"),
              testing::UnorderedElementsAre(HasSubstr("`command` to be a value that is no option"),
                                            HasSubstr("`arguments` to be an object")));
  EXPECT_THAT(Faults(R"({"url":"{{u}}","tool":"{{t}}","arguments":"{{a}}","action":"{{x}}"})",
                     ConfigReader::Mode::kStatic),
              IsEmpty());
}

TEST(McpPlan, TakesTheInputAsArgumentsWhereThereAreNone) {
  Value input = Object{{"a", 1}};
  auto plan =
      ReadMcpPlan(Json(R"({"command":"a","tool":"b"})"), input, ConfigReader::Mode::kRendered);
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(Value(plan->arguments), input);
  plan = ReadMcpPlan(Json(R"({"command":"a","tool":"b","arguments":{}})"), input,
                     ConfigReader::Mode::kRendered);
  ASSERT_TRUE(plan.has_value());
  EXPECT_TRUE(plan->arguments.empty());
}

}  // namespace
}  // namespace stele::tasks
