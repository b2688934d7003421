#include "server/http/request.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace stele::server::http {
namespace {

Request Of(std::string body, std::string type = "") {
  Request request;
  request.body = std::move(body);
  if (!type.empty()) request.headers.Add("content-type", std::move(type));
  return request;
}

TEST(RequestJson, TakesTheTypesOfJsonAndNone) {
  for (const char* type : {"", "application/json", "Application/JSON; charset=utf-8",
                           "application/merge-patch+json", "text/json"})
    EXPECT_EQ(Of("{\"a\": 1}", type).Json(), Value(Object{{"a", 1}})) << type;
}

TEST(RequestJson, IsRefusedOfAnotherType) {
  const Result<Value> value = Of("{}", "text/plain;charset=utf-8").Json();
  ASSERT_FALSE(value.has_value());
  EXPECT_EQ(value.error().code, ErrorCode::kUnsupportedMedia);
  EXPECT_EQ(value.error().message, "Expected a body of application/json but found text/plain");
}

TEST(RequestJson, SaysTheLineAndColumnOfAFault) {
  const Result<Value> value = Of("{\n  \"a\": }").Json();
  ASSERT_FALSE(value.has_value());
  EXPECT_EQ(value.error().code, ErrorCode::kInvalidJson);
  EXPECT_TRUE(value.error().message.contains("line 2, column 8")) << value.error().message;
}

TEST(RequestJson, RefusesAMemberThatOccursTwice) {
  const Result<Value> value = Of(R"({"a": {"b": 1, "b": 2}})").Json();
  ASSERT_FALSE(value.has_value());
  EXPECT_EQ(value.error().code, ErrorCode::kInvalidJson);
  EXPECT_EQ(value.error().message, "Expected each member of an object once but found \"b\" twice");
}

TEST(RequestJson, CanBeAskedForAnObject) {
  EXPECT_EQ(Of("").JsonObject(), Object());
  EXPECT_EQ(Of("{\"a\": 1}").JsonObject(), (Object{{"a", 1}}));
  EXPECT_EQ(Of("[1]").JsonObject().error().message,
            "Expected an object as the body but found array");
  EXPECT_FALSE(Of("{").JsonObject().has_value());
}

TEST(RequestParam, IsANumberWhereOneIsAskedFor) {
  Request request;
  request.params = {{"id", "18446744073709551615"}, {"bad", "-1"}, {"name", "x"}};
  EXPECT_EQ(request.Param("name"), "x");
  EXPECT_EQ(request.NumberParam("id"), UINT64_MAX);
  EXPECT_EQ(request.NumberParam("bad").error().code, ErrorCode::kBadRequest);
  EXPECT_EQ(request.NumberParam("name").error().message,
            "Expected a number for name in the path but found \"x\"");
}

TEST(RequestIfMatch, HoldsWhenATagIsTheResources) {
  Request request;
  EXPECT_TRUE(request.CheckIfMatch("\"1\"").has_value());
  request.headers.Add("If-Match", "\"0\", \"1-gz\"");
  EXPECT_TRUE(request.CheckIfMatch("\"1\"").has_value());
  EXPECT_EQ(request.CheckIfMatch("\"2\"").error().code, ErrorCode::kPreconditionFailed);
  request.headers.Set("if-match", "W/\"1\"");
  EXPECT_FALSE(request.CheckIfMatch("\"1\"").has_value());
  request.headers.Set("if-match", "*");
  EXPECT_TRUE(request.CheckIfMatch("\"1\"").has_value());
}

TEST(Headers, AreFoundInAnyCaseOfLetters) {
  Headers headers = {{"X-Odd_Name", "a, B ,,c"}, {"x-odd_name", "d"}};
  EXPECT_EQ(headers.Get("x-ODD_name"), "a, B ,,c");
  EXPECT_TRUE(headers.HasToken("X-Odd_Name", "b"));
  EXPECT_FALSE(headers.HasToken("X-Odd_Name", "d"));
  EXPECT_EQ(headers.Get("other"), "");
  headers.Set("X-ODD_NAME", "e");
  EXPECT_EQ(headers.fields().size(), 1u);
  EXPECT_EQ(headers.Get("x-odd_name"), "e");
}

TEST(Headers, KnowWhatMayBeSent) {
  EXPECT_TRUE(IsFieldName("X-A_b.1"));
  for (const char* name : {"", "a b", "a:", "a\r", "\xC3\xA4"}) EXPECT_FALSE(IsFieldName(name));
  EXPECT_TRUE(IsFieldValue("a\tb \xC3\xA4"));
  EXPECT_TRUE(IsFieldValue(""));
  for (const char* value : {"a\r\nb", "a\n", "\r", "\x01", "\x7F"})
    EXPECT_FALSE(IsFieldValue(value));
  EXPECT_FALSE(IsFieldValue(std::string_view("a\0b", 3)));
}

}  // namespace
}  // namespace stele::server::http
