// Rules over a running engine: when they fire, what is recorded, who is told.
#include "server/alerts/alerts.h"

#include <gmock/gmock.h>

#include <atomic>

#include "engine/tasks/notification.h"
#include "server/alerts/recording.h"
#include "server/rest/alerts.h"
#include "tests/engine/tasks/http_server.h"
#include "tests/server/rest/rest_world.h"
#include "tests/server/support/guarded_world.h"

namespace stele::server::alerts {
namespace {

using rest::Answered;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr int64_t kMinute = 60'000'000;
constexpr Retries kRetries{.first_us = 1'000, .last_us = 2'000, .attempts = 8};

class AlertsTest : public testing::Test {
 protected:
  AlertsTest() {
    served().tasks().Register(
        "webhook",
        tasks::MakeWebhookExecutor(std::make_shared<tasks::HttpClient>(served().turns().uv())));
    served().Register("works", "{id: a, type: script}");
    served().Register("breaks", "{id: fail, type: script}");
    served().CatchUp();
  }
  ~AlertsTest() override { alerts_.reset(); }

  ServedWorld& served() { return world_.served; }
  Alerts& alerts() { return *alerts_; }
  // As a restart does it: what it knew is gone, but for what is recorded.
  void Restart() {
    alerts_.reset();
    alerts_.emplace(served().desk(), NoteIt(), kRetries);
  }

  Answered Put(const std::string& name, const std::string& rule) {
    return world_.Ask(http::Method::kPut, "/alerts/" + name, rule);
  }
  void Set(const std::string& name, const std::string& rule) {
    const Answered set = Put(name, rule);
    EXPECT_EQ(set.status, 200) << set.body;
  }
  Answered Get(const std::string& name) { return world_.Get("/alerts/" + name); }
  std::string StateOf(const std::string& name) { return Get(name).text("state"); }
  void Run(const char* definition, int times) {
    for (int i = 0; i < times; ++i) served().Start(definition);
  }
  void Look() {
    served().CatchUp();
    served().Await(alerts().Look());
    served().Settle();
  }
  // All that was recorded of alerts: "r firing", "r over".
  std::vector<std::string> Recorded() {
    std::vector<std::string> recorded;
    auto follower =
        served().events().Follow(ServedWorld::Somebody(Role::kAdmin),
                                 {.names = {"alert_changed", "instance_completed"}}, {Position(1)});
    EXPECT_TRUE(follower.has_value());
    const InstanceId last = served().Start("works");
    served().Settle();
    for (;;)
      for (const EventPointer& event : served().Get((*follower)->Next())) {
        if (event->instance == last) return recorded;
        if (event->name != "alert_changed") continue;
        const Value shown = ParseJson(event->json).value();
        recorded.push_back(shown.Find("rule")->as_string() +
                           (shown.Find("firing") != nullptr ? " firing" : " over"));
      }
  }

  // Before the world, which makes it; gone before that.
  std::optional<Alerts> alerts_;
  rest::RestWorld world_{[this](const Operations& operations) {
    alerts_.emplace(operations.desk, NoteIt(), kRetries);
    // What a restart makes is at the same place: routes go on to find it.
    return std::vector<rest::Resource>{rest::AlertsResource(*alerts_)};
  }};
  std::vector<std::string> notes_;

 private:
  Deliveries::Note NoteIt() {
    return [this](const std::string&, const std::string& sentence) { notes_.push_back(sentence); };
  }
};

TEST_F(AlertsTest, FireWhenTheirConditionHoldsAndAreOverWhenItDoesNot) {
  Set("high_failure_rate", R"({"condition": "failure_rate > 0.5"})");
  EXPECT_EQ(StateOf("high_failure_rate"), "unknown");
  Run("works", 1);
  Look();
  EXPECT_EQ(StateOf("high_failure_rate"), "quiet");
  Run("breaks", 2);
  Look();
  const Answered firing = Get("high_failure_rate");
  EXPECT_EQ(firing.text("state"), "firing");
  EXPECT_EQ(firing.number("since"), served().clock().Now().value);
  EXPECT_TRUE(firing.at("value/failure_rate").is_double()) << firing.body;
  Look();
  Run("works", 9);
  Look();
  EXPECT_EQ(StateOf("high_failure_rate"), "quiet");
  EXPECT_THAT(Recorded(), ElementsAre("high_failure_rate firing", "high_failure_rate over"));
}

TEST_F(AlertsTest, CountWhatHappenedInTheirWindowAlone) {
  Set("some", R"({"condition": "failed >= 1", "window": "2m"})");
  Run("breaks", 1);
  Look();
  EXPECT_EQ(StateOf("some"), "firing");
  served().clock().Advance(4 * kMinute);
  Look();
  EXPECT_EQ(StateOf("some"), "quiet");
}

TEST_F(AlertsTest, FireWhenItHasHeldForLongEnough) {
  Set("long", R"({"condition": "failed >= 1", "for": "1m", "window": "1h"})");
  Run("breaks", 1);
  Look();
  EXPECT_EQ(StateOf("long"), "pending");
  served().clock().Advance(kMinute - 1);
  Look();
  EXPECT_EQ(StateOf("long"), "pending");
  served().clock().Advance(1);
  Look();
  EXPECT_EQ(StateOf("long"), "firing");
}

TEST_F(AlertsTest, AreOfOneDefinitionOrOfAll) {
  Set("all", R"({"condition": "failed >= 1"})");
  Set("of_works", R"({"condition": "failed >= 1", "definition": "works"})");
  Set("of_breaks", R"({"condition": "failed >= 1", "definition": "breaks"})");
  Run("breaks", 1);
  Run("works", 1);
  Look();
  EXPECT_EQ(StateOf("all"), "firing");
  EXPECT_EQ(StateOf("of_works"), "quiet");
  EXPECT_EQ(StateOf("of_breaks"), "firing");
}

TEST_F(AlertsTest, DoNotFireForWhatCannotBeTold) {
  Set("rate", R"({"condition": "failure_rate < 2"})");
  Set("nowhere", R"({"condition": "failed == 0", "definition": "nowhere"})");
  Look();
  for (const char* name : {"rate", "nowhere"}) {
    EXPECT_EQ(StateOf(name), "unknown") << name;
    EXPECT_NE(Get(name).text("fault"), "") << name;
  }
  Run("works", 1);
  Look();
  EXPECT_EQ(StateOf("rate"), "firing");
}

TEST_F(AlertsTest, AreNotSaidTwiceBehindARestart) {
  Set("some", R"({"condition": "failed >= 1"})");
  Run("breaks", 1);
  Look();
  Restart();
  EXPECT_EQ(alerts().Get(ServedWorld::Somebody(Role::kAdmin), "some")->state, "firing");
  Look();
  EXPECT_THAT(Recorded(), ElementsAre("some firing"));
}

TEST_F(AlertsTest, AreOverWithTheirRule) {
  Set("some", R"({"condition": "failed >= 1"})");
  Run("breaks", 1);
  Look();
  EXPECT_EQ(world_.Ask(http::Method::kDelete, "/alerts/some").status, 204);
  EXPECT_EQ(world_.Refusal(404, Get("some")), "STL1013");
  EXPECT_EQ(world_.Refusal(404, world_.Ask(http::Method::kDelete, "/alerts/some")), "STL1013");
  EXPECT_THAT(Recorded(), ElementsAre("some firing", "some over"));
  EXPECT_TRUE(served().shard().registry().settings.empty());
}

TEST_F(AlertsTest, AreSetByWhoMayAdministerAndSeenByWhoMayReadFigures) {
  Set("some", R"({"condition": "failed >= 1", "notify": {"url": "https://hooks/token"}})");
  EXPECT_THAT(Get("some").body, HasSubstr("https://hooks/token"));
  world_.who = ServedWorld::Somebody(Role::kViewer);
  EXPECT_THAT(Get("some").body, Not(HasSubstr("hooks/token")));
  EXPECT_EQ(Get("some").text("notify/type"), "webhook");
  EXPECT_EQ(world_.Get("/alerts").at("alerts").as_array().size(), 1u);
  EXPECT_EQ(world_.Refusal(403, Put("some", R"({"condition": "failed >= 2"})")), "STL1002");
  EXPECT_EQ(world_.Refusal(403, world_.Ask(http::Method::kDelete, "/alerts/some")), "STL1002");
  world_.who = ServedWorld::Somebody(Role::kWorker);
  EXPECT_EQ(world_.Refusal(403, Get("some")), "STL1002");
}

TEST_F(AlertsTest, OfDefinitionsThatAreHiddenAreHidden) {
  RegisterTelling(served(), "secret", ForAdaAlone("read"));
  Set("hidden", R"({"condition": "started >= 1", "definition": "secret-flow"})");
  world_.who = ServedWorld::Somebody(Role::kOperator);
  EXPECT_EQ(world_.Get("/alerts").at("alerts").as_array().size(), 0u);
  EXPECT_EQ(world_.Refusal(404, Get("hidden")), "STL1013");
  world_.who = Ada();
  EXPECT_EQ(Get("hidden").status, 200);
}

TEST_F(AlertsTest, AreRefusedWithWhatIsWrong) {
  EXPECT_THAT(Put("some", R"({"condition": "failed >"})").body, HasSubstr("column 9"));
  EXPECT_EQ(Put("some", R"({})").status, 422);
  for (size_t i = 0; i < kMaxRules; ++i)
    Set(fmt::format("r{}", i), R"({"condition": "failed >= 1"})");
  EXPECT_EQ(world_.Refusal(413, Put("more", R"({"condition": "failed >= 1"})")), "STL0002");
  Set("r7", R"({"condition": "failed >= 2"})");
}

std::string Nested(int depth) {
  std::string text(static_cast<size_t>(depth), '[');
  return text.append(static_cast<size_t>(depth), ']');
}

// What the server puts around a rule makes it deeper than a request may be.
TEST_F(AlertsTest, AreReadHoweverDeepTheyWereAccepted) {
  Set("r", R"({"condition": "failed >= 1"})");
  Set("r", fmt::format(R"({{"condition": "failed >= 2",
      "notify": {{"url": "https://x", "payload": {}}}}})",
                       Nested(126)));
  EXPECT_EQ(Get("r").text("condition"), "failed >= 2");
}

TEST_F(AlertsTest, AreRefusedWhenTheyCouldNotBeReadAgain) {
  Set("r", R"({"condition": "failed >= 1"})");
  auto rule = ReadRule("r", Object{{"condition", "failed >= 2"}}, served().tasks());
  ASSERT_TRUE(rule.has_value()) << rule.error().ToString();
  Value deep;
  for (size_t i = 0; i < kWrittenJson.depth; ++i) deep = Value(Array{std::move(deep)});
  rule->given.Set("notify", std::move(deep));
  EXPECT_FALSE(RecordRule(served().shard(), *std::move(rule), "ada", [](const Result<Position>&) {
                 ADD_FAILURE() << "it was recorded";
               }).has_value());
  EXPECT_EQ(Get("r").text("condition"), "failed >= 1");
}

class AlertsTold : public AlertsTest {
 protected:
  std::string Notifying(const std::string& more = "", const std::string& target = "/hook") {
    return fmt::format(R"({{"condition": "failed >= 1", "window": "2m",
        "notify": {{"url": "{}"{}}}}})",
                       server_.Url(target), more);
  }
  void UntilTold(size_t times) {
    served().Until([&] { return server_.requests().size() >= times; });
    served().Settle();
  }
  void UntilDelivered(const std::string& name) {
    served().Until([&] {
      return alerts().Get(ServedWorld::Somebody(Role::kAdmin), name)->delivery.Find("state") !=
                 nullptr &&
             *alerts().Get(ServedWorld::Somebody(Role::kAdmin), name)->delivery.Find("state") ==
                 Value("delivered");
    });
    served().Settle();
  }

  std::atomic<int> refusals_ = 0;
  tasks::HttpServer server_{[this](const tasks::HttpServer::Request&) {
    const bool refuses = refusals_ > 0;
    if (refuses) --refusals_;
    return tasks::HttpServer::Response{.status = refuses ? 503 : 200};
  }};
};

TEST_F(AlertsTold, TellWhenItBeginsAndWhenItIsOver) {
  served().secrets()["hook"] = "abracadabra";
  Set("some",
      Notifying(R"(, "headers": {"X-Key": "{{ secrets.hook }}"}, "secret": "{{ secrets.hook }}")"));
  Run("breaks", 1);
  Look();
  UntilDelivered("some");
  served().clock().Advance(4 * kMinute);
  Look();
  UntilTold(2);
  const auto requests = server_.requests();
  ASSERT_EQ(requests.size(), 2u);
  const Value begun = ParseJson(requests[0].body).value();
  EXPECT_EQ(*begun.Find("alert"), Value("some"));
  EXPECT_EQ(*begun.Find("state"), Value("firing"));
  EXPECT_EQ(*begun.Find("value"), Value(Object{{"failed", int64_t{1}}}));
  EXPECT_EQ(requests[0].headers.at("x-key"), "abracadabra");
  EXPECT_TRUE(requests[0].headers.contains("x-hub-signature-256"));
  EXPECT_EQ(requests[0].headers.at("idempotency-key"),
            fmt::format("some-{}", begun.Find("position")->as_int()));
  const Value over = ParseJson(requests[1].body).value();
  EXPECT_EQ(*over.Find("state"), Value("over"));
  EXPECT_EQ(*over.Find("since"), *begun.Find("since"));
  EXPECT_NE(requests[1].headers.at("idempotency-key"), requests[0].headers.at("idempotency-key"));
  for (const auto& [name, document] : served().shard().registry().settings)
    EXPECT_THAT(document, Not(HasSubstr("abracadabra"))) << name;
}

TEST_F(AlertsTold, AreTriedAgainWithTheSameKey) {
  refusals_ = 2;
  Set("some", Notifying());
  Run("breaks", 1);
  Look();
  UntilTold(3);
  UntilDelivered("some");
  const auto requests = server_.requests();
  EXPECT_EQ(requests[0].headers.at("idempotency-key"), requests[2].headers.at("idempotency-key"));
  EXPECT_EQ(requests[0].body, requests[2].body);
  EXPECT_EQ(notes_.size(), 2u);
  EXPECT_THAT(notes_[0], HasSubstr("503"));
  EXPECT_EQ(Get("some").number("delivery/attempts"), 3);
  const AlertFigures figures = alerts().figures();
  EXPECT_EQ(figures.delivered, 1u);
  EXPECT_EQ(figures.failed_attempts, 2u);
  EXPECT_EQ(figures.firing.at("some"), true);
}

TEST_F(AlertsTold, AreGivenUpAtLast) {
  refusals_ = 1'000;
  Set("some", Notifying());
  Run("breaks", 1);
  Look();
  served().Until([&] { return alerts().figures().failed_attempts >= 3; });
  EXPECT_EQ(Get("some").text("delivery/state"), "retrying");
  EXPECT_THAT(Get("some").text("delivery/error"), HasSubstr("503"));
  served().Until([&] { return alerts().figures().given_up == 1; });
  served().Settle();
  EXPECT_EQ(Get("some").text("delivery/state"), "failed");
  EXPECT_EQ(Get("some").number("delivery/attempts"), kRetries.attempts);
  EXPECT_THAT(notes_.back(), HasSubstr("given up"));
  // Nor is it sent again behind a restart.
  Restart();
  alerts().Begin();
  Look();
  EXPECT_EQ(server_.requests().size(), kRetries.attempts);
}

TEST_F(AlertsTold, GoOnBehindARestart) {
  refusals_ = 1'000;
  Set("some", Notifying());
  Run("breaks", 1);
  Look();
  served().Until([&] { return !server_.requests().empty(); });
  const std::string key = server_.requests()[0].headers.at("idempotency-key");
  Restart();
  refusals_ = 0;
  const size_t before = server_.requests().size();
  alerts().Begin();
  served().Until([&] { return alerts().figures().delivered == 1; });
  served().Settle();
  EXPECT_EQ(server_.requests().size(), before + 1);
  EXPECT_EQ(server_.requests().back().headers.at("idempotency-key"), key);
  // What was taken is not sent again.
  Restart();
  alerts().Begin();
  Look();
  Look();
  EXPECT_EQ(server_.requests().size(), before + 1);
}

TEST_F(AlertsTold, TellNothingOfWhatWasBeforeSomebodyWasToBeTold) {
  Set("some", R"({"condition": "failed >= 1", "window": "2m"})");
  Run("breaks", 1);
  Look();
  Set("some", Notifying());
  Restart();
  alerts().Begin();
  served().clock().Advance(4 * kMinute);
  Look();
  UntilTold(1);
  EXPECT_EQ(*ParseJson(server_.requests()[0].body).value().Find("state"), Value("over"));
}

TEST_F(AlertsTold, WaitForASecretThatIsNotThere) {
  Set("some", Notifying(R"(, "headers": {"X-Key": "{{ secrets.hook }}"})"));
  Run("breaks", 1);
  Look();
  served().Until([&] { return !notes_.empty(); });
  EXPECT_THAT(notes_[0], HasSubstr("the secret \"hook\""));
  served().secrets()["hook"] = "abracadabra";
  UntilTold(1);
  EXPECT_EQ(server_.requests()[0].headers.at("x-key"), "abracadabra");
}

TEST_F(AlertsTold, EndWithTheirRule) {
  refusals_ = 1'000;
  Set("some", Notifying());
  Run("breaks", 1);
  Look();
  served().Until([&] { return !server_.requests().empty(); });
  EXPECT_EQ(world_.Ask(http::Method::kDelete, "/alerts/some").status, 204);
  const uint64_t failed = alerts().figures().failed_attempts;
  Look();
  EXPECT_EQ(alerts().figures().failed_attempts, failed);
}

}  // namespace
}  // namespace stele::server::alerts
