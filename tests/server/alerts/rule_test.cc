#include "server/alerts/rule.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/json.h"
#include "engine/tasks/notification.h"
#include "server/alerts/figures.h"
#include "server/alerts/limits.h"
#include "server/alerts/message.h"

namespace stele::server::alerts {
namespace {

using testing::HasSubstr;

class RuleTest : public testing::Test {
 protected:
  RuleTest() {
    tasks_.Register("webhook", tasks::MakeWebhookExecutor(nullptr));
    tasks_.Register("notification", tasks::MakeNotificationExecutor(nullptr));
  }
  Result<Rule> Read(const std::string& json, const std::string& name = "r") {
    return ReadRule(name, ParseJson(json).value().as_object(), tasks_);
  }
  Error Refusal(const std::string& json, const std::string& name = "r") {
    const auto rule = Read(json, name);
    EXPECT_FALSE(rule.has_value()) << json;
    return rule.has_value() ? Error{ErrorCode::kIo, ""} : rule.error();
  }

  tasks::TaskRegistry tasks_;
};

TEST_F(RuleTest, NeedsAConditionAlone) {
  const auto rule = Read(R"({"condition": "failure_rate > 0.1"})", "high_failure_rate");
  ASSERT_TRUE(rule.has_value()) << rule.error().ToString();
  EXPECT_EQ(rule->name, "high_failure_rate");
  EXPECT_EQ(rule->window_us, 300'000'000);
  EXPECT_EQ(rule->hold_us, 0);
  EXPECT_EQ(rule->definition, "");
  EXPECT_FALSE(rule->notify.has_value());
}

TEST_F(RuleTest, SeesEveryFigureOfThePage) {
  for (const std::string& name : FigureNames())
    EXPECT_TRUE(Read(fmt::format(R"({{"condition": "{} >= 0"}})", name)).has_value()) << name;
  for (const char* name :
       {"failure_rate", "success_rate", "started", "completed", "failed", "throughput", "active",
        "average_duration", "p95_duration", "incidents", "queue_depth"})
    EXPECT_THAT(FigureNames(), testing::Contains(name));
}

TEST_F(RuleTest, IsRefusedWithTheColumnOfItsCondition) {
  EXPECT_THAT(Refusal(R"({"condition": "failure_rate >"})").message, HasSubstr("column 15"));
  const Error near = Refusal(R"({"condition": "1 < failure_rat"})");
  EXPECT_EQ(near.code, ErrorCode::kUnknownReference);
  EXPECT_EQ(near.message,
            "Expected \"failure_rate\" at column 5 of the condition but found \"failure_rat\"");
  EXPECT_THAT(Refusal(R"({"condition": "failure_rate > 'much'"})").message, HasSubstr("column"));
  EXPECT_EQ(Refusal(R"({"condition": "secrets.x == 1"})").message.empty(), false);
  EXPECT_THAT(Refusal(R"({"condition": "1 > 0"})").message, HasSubstr("a figure"));
  EXPECT_THAT(Refusal(R"({})").message, HasSubstr("\"condition\" but found none"));
}

TEST_F(RuleTest, IsRefusedWhenItsConditionIsNoTruthValue) {
  for (const char* condition : {"started", "  started + 1", "failure_rate ?? 0",
                                "failed > 1 ? 'many' : 'few'", "[started]"}) {
    const Error refusal = Refusal(fmt::format(R"({{"condition": "{}"}})", condition));
    EXPECT_EQ(refusal.code, ErrorCode::kInvalidInput) << condition;
    EXPECT_THAT(refusal.message, HasSubstr(condition[0] == ' ' ? "column 3 " : "column 1 "));
  }
  for (const char* condition : {"started > 1 and failed > 0", "not (started > 1)",
                                "(failure_rate ?? 0) > 0.5", "failed > 1 ? true : started == 0"})
    EXPECT_TRUE(Read(fmt::format(R"({{"condition": "{}"}})", condition)).has_value()) << condition;
}

TEST_F(RuleTest, IsRefusedForMembersThatDoNotFit) {
  const auto with = [](const std::string& rest) {
    return R"({"condition": "failed > 1", )" + rest + "}";
  };
  EXPECT_EQ(Refusal(with(R"("windows": "5m")")).code, ErrorCode::kUnknownKey);
  for (const char* rest :
       {R"("window": "5s")", R"("window": "7h")", R"("window": "soon")", R"("for": "25h")",
        R"("for": true)", R"("definition": 1)", R"("message": 1)", R"("notify": "x")",
        R"("notify": {})", R"("notify": {"type": "email", "to": "x"})",
        R"("notify": {"url": "https://x", "colour": "red"})",
        R"("notify": {"url": "https://x/{{ failed }}"})", R"("message": "{{ secrets.x }} it is")"})
    EXPECT_EQ(Refusal(with(rest)).code, ErrorCode::kInvalidInput) << rest;
  EXPECT_EQ(Refusal(with(R"("message": "{{ nothing }}")")).message.empty(), false);
  EXPECT_EQ(Refusal(R"({"condition": "failed > 1"})", "a/b").code, ErrorCode::kInvalidInput);
  EXPECT_EQ(Refusal(R"({"condition": "failed > 1"})", "").code, ErrorCode::kInvalidInput);
  EXPECT_EQ(Refusal(with("\"message\": \"" + std::string(kMaxRuleBytes, 'x') + "\"")).code,
            ErrorCode::kLimitExceeded);
}

TEST_F(RuleTest, ComesBackFromItsDocument) {
  auto rule = Read(
      R"({"condition": "failed > 1", "definition": "orders", "window": 120, "for": "1m",
          "message": "{{ definition }}: {{ failed }}",
          "notify": {"url": "https://x", "headers": {"X-Key": "{{ secrets.hook }}"}}})");
  ASSERT_TRUE(rule.has_value()) << rule.error().ToString();
  rule->since = Seq(7);
  const auto back = ReadDocument("r", ToDocument(*rule), tasks_);
  ASSERT_TRUE(back.has_value()) << back.error().ToString();
  EXPECT_EQ(back->given, rule->given);
  EXPECT_EQ(back->window, "120s");
  EXPECT_EQ(back->window_us, 120'000'000);
  EXPECT_EQ(back->hold_us, 60'000'000);
  EXPECT_EQ(back->since, Seq(7));
  EXPECT_EQ(back->notify->type, "webhook");
  EXPECT_EQ(ReadDocument("r", "{}", tasks_).error().code, ErrorCode::kInvalidInput);
}

TEST_F(RuleTest, SaysWhatItsMessageSays) {
  const auto rule = Read(R"({"condition": "failed > 1", "definition": "orders",
                             "message": "{{ definition }} {{ state }}: {{ failed }}"})");
  const Object figures{{"failed", int64_t{3}}};
  const auto said = [&](bool firing) {
    return ParseJson(DocumentOf(*rule, firing, figures)).value().Find("message")->as_string();
  };
  EXPECT_EQ(said(true), "orders firing: 3");
  EXPECT_EQ(said(false), "orders over: 3");
}

TEST_F(RuleTest, SaysSomethingWithoutAMessageOrTheFigureOfIt) {
  const auto plain = Read(R"({"condition": "failure_rate > 0.1", "window": "10m"})");
  EXPECT_EQ(*ParseJson(DocumentOf(*plain, true, {{"failure_rate", 0.25}})).value().Find("message"),
            Value("r is firing: failure_rate > 0.1 (failure_rate 0.25) in 10m"));
  const auto lacking = Read(R"({"condition": "failed > 1", "message": "{{ failure_rate }}"})");
  EXPECT_EQ(*ParseJson(DocumentOf(*lacking, false, Object())).value().Find("message"),
            Value("r is over: failed > 1 in 5m"));
}

}  // namespace
}  // namespace stele::server::alerts
