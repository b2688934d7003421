#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <set>

#include "tests/engine/embed/fixture.h"

namespace stele::embed {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kHour = 3'600 * kSecond;
constexpr int64_t kNine = 1'777'626'000 * kSecond;  // 2026-05-01T09:00:00Z

// The clock stands at nine until a test moves it.
class EmbedDeclared : public EmbedTest {
 protected:
  void SetUp() override { Begin(); }
  void Begin() {
    Open({.clock = [this] { return now_.load(); }});
  }
  void Again() {
    engine_.reset();
    Begin();
    Get(engine_->Continue());
  }
  void Declare(const std::string& name, const std::string& triggers,
               const std::string& steps = kEcho) {
    Register(name, steps, "triggers:\n" + triggers);
  }
  void MoveTo(int64_t time_us) {
    now_ = time_us;
    Do(engine_->Elapse());
  }
  // What was started, the oldest first.
  std::vector<uint64_t> Started() {
    std::vector<uint64_t> ids;
    for (const Instance& instance : Get(engine_->Query())) ids.insert(ids.begin(), instance.id);
    return ids;
  }
  void EndAll() {
    for (const uint64_t id : Started()) End(id);
  }
  TriggerInfo Only() {
    const std::vector<TriggerInfo> triggers = Get(engine_->Triggers());
    EXPECT_EQ(triggers.size(), 1u);
    return triggers.empty() ? TriggerInfo() : triggers[0];
  }

  std::atomic<int64_t> now_ = kNine;
};

constexpr const char* kHourly =
    "  - {type: schedule, name: hourly, config: {cron: '0 * * * *'}, "
    "input: {text: '{{trigger.scheduled_time}}'}}\n";
constexpr const char* kOnOrder = "  - {type: event, name: order, config: {event: ordered}}\n";

TEST_F(EmbedDeclared, AreThereWhenTheirDefinitionIsRegistered) {
  Declare("hello", kHourly);
  const TriggerInfo trigger = Only();
  EXPECT_EQ(trigger.definition, "hello");
  EXPECT_EQ(trigger.name, "hourly");
  EXPECT_EQ(trigger.kind, "schedule");
  EXPECT_EQ(trigger.state, "active");
  EXPECT_TRUE(trigger.declared);
  EXPECT_EQ(trigger.next_us, kNine + kHour);
}

TEST_F(EmbedDeclared, AScheduleFiresOnceAtEachOfItsMoments) {
  Declare("hello", kHourly);
  MoveTo(kNine + kHour);
  EXPECT_TRUE(Started().empty()) << "nothing fires before Continue";
  Get(engine_->Continue());
  ASSERT_EQ(Started().size(), 1u);
  MoveTo(kNine + kHour + 30 * kSecond);
  MoveTo(kNine + kHour + 40 * kSecond);
  ASSERT_EQ(Started().size(), 1u);
  const Instance first = End(Started()[0]);
  EXPECT_EQ(first.status, "completed");
  EXPECT_EQ(JsonMember(first.input, "text"), "2026-05-01T10:00:00Z");
  EXPECT_EQ(first.tags, std::vector<std::string>{"trigger:1"});
  MoveTo(kNine + 2 * kHour);
  ASSERT_EQ(Started().size(), 2u);
  EXPECT_EQ(JsonMember(End(Started()[1]).input, "text"), "2026-05-01T11:00:00Z");
}

TEST_F(EmbedDeclared, ARestartMakesUpForAMomentAndRepeatsNone) {
  Declare("hello", kHourly);
  Get(engine_->Continue());
  MoveTo(kNine + kHour);
  EndAll();
  Again();
  EXPECT_EQ(Started().size(), 1u);
  engine_.reset();
  now_ = kNine + 2 * kHour + 60 * kSecond;
  Begin();
  EXPECT_EQ(Started().size(), 1u);
  Get(engine_->Continue());
  EndAll();
  ASSERT_EQ(Started().size(), 2u);
  EXPECT_EQ(JsonMember(Get(engine_->GetStatus(Started()[1])).input, "text"),
            "2026-05-01T11:00:00Z");
  Again();
  EXPECT_EQ(Started().size(), 2u);
}

TEST_F(EmbedDeclared, AnEventStartsOneInstanceForEachMessage) {
  Declare("hello", kOnOrder);
  Get(engine_->Continue());
  Do(engine_->Publish("ordered", "A", R"({"text": "first"})"));
  Do(engine_->Publish("ordered", "A", R"({"text": "second"})", "id-2"));
  Do(engine_->Publish("ordered", "A", R"({"text": "second"})", "id-2"));
  Do(engine_->Publish("paid", "A", R"({"text": "other"})"));
  Do(engine_->Elapse());
  ASSERT_EQ(Started().size(), 2u);
  EXPECT_EQ(JsonMember(End(Started()[0]).input, "text"), "first");
  EXPECT_EQ(JsonMember(End(Started()[1]).input, "text"), "second");
}

TEST_F(EmbedDeclared, WhatWasPublishedWithoutAnEngineThatGoesOnFiresLater) {
  Declare("hello", kOnOrder);
  Do(engine_->Publish("ordered", "A", R"({"text": "early"})"));
  EXPECT_TRUE(Started().empty());
  Again();
  ASSERT_EQ(Started().size(), 1u);
  EXPECT_EQ(JsonMember(End(Started()[0]).input, "text"), "early");
  Again();
  EXPECT_EQ(Started().size(), 1u);
}

// Whether the process dies before or behind the firing, or the start: it is one instance a message.
TEST_F(EmbedDeclared, DeathInBetweenNeitherLosesNorDoublesAFiring) {
  engine_.reset();
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    Begin();
    Declare("hello", kOnOrder);
    Get(engine_->Continue());
    for (int i = 0; i < 20; ++i)
      Do(engine_->Publish("ordered", "A", JsonObject({{"text", std::to_string(i)}})));
    (void)!write(pipe_ends[1], "x", 1);
    pause();
  }
  close(pipe_ends[1]);
  char done = 0;
  ASSERT_EQ(read(pipe_ends[0], &done, 1), 1);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(pipe_ends[0]);
  Begin();
  Get(engine_->Continue());
  Do(engine_->Elapse());
  EndAll();
  std::multiset<std::string> texts;
  for (const uint64_t id : Started())
    texts.insert(*JsonMember(Get(engine_->GetStatus(id)).input, "text"));
  std::multiset<std::string> expected;
  for (int i = 0; i < 20; ++i) expected.insert(std::to_string(i));
  EXPECT_EQ(texts, expected);
}

TEST_F(EmbedDeclared, AConditionFiresWhenItBeginsToHold) {
  Register("work", kEcho);
  Declare("alarm",
          "  - {type: condition, name: many, "
          "conditions: ['definitions[\"work\"].completed >= 2']}\n");
  Get(engine_->Continue());
  const auto alarms = [this] { return Get(engine_->Query({.definition = "alarm"})).size(); };
  End(Get(engine_->Start({.definition = "work", .input = R"({"text": ""})"})));
  Do(engine_->Elapse());
  EXPECT_EQ(alarms(), 0u);
  End(Get(engine_->Start({.definition = "work", .input = R"({"text": ""})"})));
  Do(engine_->Elapse());
  EXPECT_EQ(alarms(), 1u);
  End(Get(engine_->Start({.definition = "work", .input = R"({"text": ""})"})));
  Do(engine_->Elapse());
  EXPECT_EQ(alarms(), 1u);
}

TEST_F(EmbedDeclared, OneThatIsPausedFiresNothingAndMakesUpForNothing) {
  Declare("hello", kHourly);
  Get(engine_->Continue());
  const uint64_t id = Only().id;
  Do(engine_->PauseTrigger(id, "holiday"));
  EXPECT_EQ(Only().state, "paused");
  EXPECT_EQ(Only().reason, "holiday");
  EXPECT_EQ(Only().next_us, 0);
  EXPECT_EQ(CodeOf(engine_->PauseTrigger(id)), "STL0405");
  EXPECT_EQ(CodeOf(engine_->FireTrigger(id)), "STL0405");
  MoveTo(kNine + kHour);
  now_ = kNine + kHour + 60 * kSecond;
  Do(engine_->ResumeTrigger(id));
  Do(engine_->Elapse());
  EXPECT_TRUE(Started().empty());
  MoveTo(kNine + 2 * kHour);
  EXPECT_EQ(Started().size(), 1u);
}

TEST_F(EmbedDeclared, ABackfillFiresWhatWasMissedOnce) {
  Declare("hello",
          "  - {type: schedule, name: hourly, config: {cron: '0 * * * *', overlap: allow}}\n",
          "  - {id: s, type: custom:echo}\n");
  Get(engine_->Continue());
  const uint64_t id = Only().id;
  const Backfilled first = Get(engine_->Backfill(id, kNine - 3 * kHour, kNine));
  EXPECT_EQ(first.fired, 3u);
  EXPECT_EQ(first.known, 0u);
  Do(engine_->Elapse());
  EXPECT_EQ(Started().size(), 3u);
  const Backfilled again = Get(engine_->Backfill(id, kNine - 4 * kHour, kNine));
  EXPECT_EQ(again.fired, 1u);
  EXPECT_EQ(again.known, 3u);
  EndAll();
  EXPECT_EQ(Started().size(), 4u);
  EXPECT_EQ(CodeOf(engine_->Backfill(id, kNine, kNine)), "STL0406");
  EXPECT_EQ(CodeOf(engine_->Backfill(9, 0, kNine)), "STL0904");
}

TEST_F(EmbedDeclared, FiresByHandOnceForAKey) {
  Declare("hello", "  - {type: manual, name: hand}\n");
  const uint64_t trigger = Only().id;
  const uint64_t first = Get(engine_->FireTrigger(trigger, "k", R"({"text": "a"})"));
  EXPECT_NE(first, 0u);
  EXPECT_EQ(Get(engine_->FireTrigger(trigger, "k", R"({"text": "b"})")), first);
  EXPECT_NE(Get(engine_->FireTrigger(trigger, "", R"({"text": "c"})")), first);
  EXPECT_EQ(JsonMember(End(first).input, "text"), "a");
  EXPECT_EQ(CodeOf(engine_->FireTrigger(77)), "STL0904");
  EXPECT_EQ(CodeOf(engine_->FireTrigger(trigger, "", "[]")), "STL0406");
}

TEST_F(EmbedDeclared, ARequestOfAWebhookIsDelivered) {
  Declare("hello", "  - {type: webhook, name: hook, config: {path: /orders}}\n");
  EXPECT_EQ(Only().path, "/orders");
  const WebAnswer fired = Get(engine_->Deliver(
      {.path = "/orders", .headers = {{"Idempotency-Key", "1"}}, .body = R"({"text": "x"})"}));
  EXPECT_EQ(fired.status, 202);
  ASSERT_EQ(fired.triggers.size(), 1u);
  EXPECT_EQ(fired.triggers[0].verdict, "fired");
  End(fired.triggers[0].instance);
  const WebAnswer again = Get(engine_->Deliver(
      {.path = "/orders", .headers = {{"Idempotency-Key", "1"}}, .body = R"({"text": "x"})"}));
  ASSERT_EQ(again.triggers.size(), 1u);
  EXPECT_EQ(again.triggers[0].instance, fired.triggers[0].instance);
  const WebAnswer unknown = Get(engine_->Deliver({.path = "/nothing"}));
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.error.code.substr(0, 3), "STL");
  EXPECT_TRUE(unknown.triggers.empty());
  EXPECT_EQ(Started().size(), 1u);
}

TEST_F(EmbedDeclared, ComeAndGoByHandAndWithVersions) {
  Declare("hello", kHourly);
  const uint64_t added = Get(engine_->AddTrigger("hello", R"({"type": "event", "event": "e"})"));
  EXPECT_EQ(Get(engine_->Triggers()).size(), 2u);
  EXPECT_EQ(CodeOf(engine_->AddTrigger("none", R"({"type": "event", "event": "e"})")), "STL0407");
  EXPECT_EQ(CodeOf(engine_->AddTrigger("hello", R"({"type": "nothing"})")).substr(0, 3), "STL");
  Register("hello", kEcho);
  ASSERT_EQ(Get(engine_->Triggers()).size(), 1u);
  EXPECT_EQ(Only().id, added);
  Do(engine_->RemoveTrigger(added, "no longer"));
  EXPECT_TRUE(Get(engine_->Triggers()).empty());
  EXPECT_EQ(Get(engine_->Triggers(true)).size(), 2u);
  EXPECT_EQ(CodeOf(engine_->RemoveTrigger(added)), "STL0904");
}

TEST_F(EmbedDeclared, ATriggerWithAFaultIsRefusedAtItsPlace) {
  const auto refused = engine_->RegisterText(
      "version: '1.0'\n"
      "name: bad\n"
      "steps:\n"
      "  - {id: s, type: 'custom:nobody'}\n"
      "triggers:\n"
      "  - {type: schedule, name: a, config: {cron: '99 * * * *'}}\n");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, "STL0102");
  ASSERT_EQ(refused.error().faults.size(), 2u) << refused.error().ToString();
  EXPECT_EQ(refused.error().faults[0].line, 4u);
  EXPECT_EQ(refused.error().faults[1].line, 6u);
  EXPECT_TRUE(Get(engine_->Definitions()).empty());
}

TEST_F(EmbedDeclared, TimersOfInstancesFollowTheClockOfTheProgram) {
  Register("rest", kRest);
  Get(engine_->Continue());
  const uint64_t id = Start("rest");
  MoveTo(kNine + 7 * kHour);
  EXPECT_EQ(Get(engine_->GetStatus(id)).status, "running");
  MoveTo(kNine + 8 * kHour);
  const Instance ended = End(id);
  EXPECT_EQ(ended.status, "completed");
  EXPECT_EQ(ended.started_us, kNine);
  EXPECT_EQ(ended.ended_us, kNine + 8 * kHour);
}

}  // namespace
}  // namespace stele::embed
