// The section `triggers:` in every spelling, and all of its faults at once.
#include "engine/triggers/trigger_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "engine/triggers/moment.h"

namespace stele::triggers {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Value Json(std::string_view text) {
  auto value = ParseJson(text);
  EXPECT_TRUE(value.has_value()) << text;
  return *std::move(value);
}

TriggerConfig One(std::string_view trigger_json) {
  TriggerSection section = ReadTriggers(Json("[" + std::string(trigger_json) + "]"));
  for (const TriggerFault& fault : section.faults)
    ADD_FAILURE() << fault.pointer << ": " << fault.message << " in " << trigger_json;
  return section.triggers.empty() ? TriggerConfig{} : section.triggers[0];
}

// "pointer STLnnnn: message"
std::vector<std::string> Faults(std::string_view triggers_json) {
  std::vector<std::string> texts;
  for (const TriggerFault& fault : CheckTriggers(Json(triggers_json)))
    texts.push_back(fault.pointer + " " + Error{fault.code, fault.message}.ToString());
  return texts;
}

TEST(Triggers, OfNothingAreNone) {
  EXPECT_THAT(ReadTriggers(Value()).faults, IsEmpty());
  EXPECT_THAT(Faults("[]"), IsEmpty());
  EXPECT_THAT(Faults(R"("daily")"),
              ElementsAre(" STL0102: Expected a list of triggers but found \"daily\""));
  EXPECT_THAT(Faults("[1]"),
              ElementsAre("/0 STL0102: Expected a trigger as a mapping but found 1"));
}

TEST(Triggers, OfEachSpellingAreRead) {
  // Only what every kind allows may stand in these.
  const auto plain = [](std::string_view type) {
    return One(R"({"id": "t", "name": "a b", "type_": ")" + std::string(type) +
               R"(", "conditions": [], "actions": [{"start": "x"}], "enabled": true})")
        .detail.index();
  };
  EXPECT_EQ(plain("Manual"), plain("manual"));
  EXPECT_EQ(plain("API"), 1u);
  for (const std::string_view webhook :
       {"Webhook", "GitPush", "git_push", "PullRequest", "pull-request", "Issue", "github_tag"})
    EXPECT_EQ(plain(webhook), 3u) << webhook;
  for (const std::string_view event : {"event", "message", "custom:docker-image", "custom"})
    EXPECT_EQ(plain(event), 4u) << event;
  EXPECT_EQ(One(R"({"type_": {"Custom": "database-change"}})").detail.index(), 4u);
  EXPECT_EQ(
      One(R"({"type_": "Schedule", "conditions": ["0 2 * * *"], "actions": []})").detail.index(),
      2u);
  EXPECT_EQ(One(R"({"type": "cron", "cron": "@daily"})").detail.index(), 2u);
}

TEST(Triggers, KeepTheirNamesAndSwitches) {
  const TriggerConfig trigger = One(
      R"({"type": "schedule", "name": "每日数据处理", "is_enabled": false, "paused": true,
          "config": {"cron": "0 2 * * *", "timezone": "Asia/Shanghai"}})");
  EXPECT_EQ(trigger.name, "每日数据处理");
  EXPECT_FALSE(trigger.enabled);
  EXPECT_TRUE(trigger.paused);
  EXPECT_EQ(One(R"({"type": "manual"})").name, "manual-1");
  EXPECT_EQ(One(R"({"type": "PullRequest", "id": "pr", "name": "Look"})").title, "Look");
  EXPECT_THAT(Faults(R"([{"type": "manual", "name": "a"}, {"type": "api", "id": "a"}])"),
              ElementsAre("/1 STL0103: Expected each trigger to have a name of its own but found "
                          "\"a\" again"));
}

TEST(ScheduleTrigger, HasAllItsKeys) {
  const TriggerConfig trigger = One(
      R"({"type": "schedule", "config": {"cron": "30 2 * * *", "time_zone": "Europe/Berlin",
          "start": "2026-01-01", "end": "2026-12-31T12:00:00+01:00", "jitter": "5m",
          "catch_up": "1h", "overlap": "buffer"}, "input": {"at": "{{ trigger.scheduled_time }}"}})");
  const auto& schedule = std::get<ScheduleTrigger>(trigger.detail);
  EXPECT_EQ(schedule.cron.ToText(), "30 2 * * *");
  EXPECT_EQ(schedule.zone.name(), "Europe/Berlin");
  EXPECT_EQ(schedule.start_us, 1767222000000000);  // 2025-12-31T23:00:00Z
  EXPECT_EQ(schedule.end_us, 1798714800000000);    // 2026-12-31T11:00:00Z
  EXPECT_EQ(schedule.jitter_us, 300'000'000);
  EXPECT_EQ(schedule.catch_up_us, 3'600'000'000);
  EXPECT_EQ(OverlapName(schedule.overlap), "buffer_all");
  EXPECT_TRUE(trigger.input.has_value());
  const auto first = schedule.MakeSchedule("a").NextFiring(0);
  EXPECT_EQ(first->scheduled_us, 1767231000000000);  // 2026-01-01T01:30:00Z
}

TEST(ScheduleTrigger, TakesAnInterval) {
  const auto text = [](std::string_view keys) {
    const TriggerConfig trigger = One(R"({"type": "schedule", )" + std::string(keys) + "}");
    return std::get<ScheduleTrigger>(trigger.detail).cron.ToText();
  };
  EXPECT_EQ(text(R"("interval": "15m")"), "@every 15m");
  EXPECT_EQ(text(R"("config": {"interval": 90})"), "@every 1m30s");
  EXPECT_EQ(text(R"("cron": "@every 1h")"), "@every 1h");
}

TEST(ScheduleTrigger, KnowsEveryOverlap) {
  for (const std::string_view word :
       {"skip", "buffer_one", "buffer_all", "allow", "cancel_other"}) {
    const TriggerConfig trigger =
        One(R"({"type": "schedule", "cron": "@daily", "overlap": ")" + std::string(word) + "\"}");
    EXPECT_EQ(OverlapName(std::get<ScheduleTrigger>(trigger.detail).overlap), word);
  }
}

TEST(Triggers, TellEveryFaultAtOnce) {
  EXPECT_THAT(
      Faults(R"([
        {"type": "schedule", "config": {"cron": "0 25 * * *", "timezone": "Mars/Olympus",
         "start": "soon", "jitter": "2d", "overlap": "queue", "catch_up": [], "croon": 1}},
        {"type": "sundial"},
        {"name": "no type"},
        {"type": "webhook", "config": {"path": "no-slash", "method": "BREW", "secret": "hunter2",
         "filter": "body.x > 1", "input": {"a": "{{ payload. }}"}, "branches": [1]}}])"),
      ElementsAre(
          "/0/config/cron STL0111: Expected an hour from 0 to 23 at column 3 of the cron "
          "expression "
          "but found \"25\"",
          "/0/config/timezone STL0112: Expected a time zone like \"Europe/Berlin\" or \"+08:00\" "
          "but "
          "found \"Mars/Olympus\"",
          "/0/config/start STL0102: Expected `start` to be a moment like \"2026-05-01T09:30:00\" "
          "or "
          "\"2026-05-01\" but found \"soon\"",
          "/0/config/catch_up STL0109: Expected `catch_up` to be a duration like \"30s\" or a "
          "number "
          "of seconds but found a list",
          "/0/config/overlap STL0102: Expected `overlap` to be \"skip\", \"buffer_one\", "
          "\"buffer_all\", \"allow\" or \"cancel_other\" but found \"queue\"",
          "/0/config/jitter STL0002: Expected a `jitter` of at most one day but found a longer one",
          "/0/config/croon STL0108: Expected a key of this kind of trigger but found \"croon\"; "
          "did "
          "you mean \"cron\"?",
          "/1/type STL0102: Expected a trigger's type to be \"manual\", \"api\", \"schedule\", "
          "\"webhook\", \"github_push\", \"github_pull_request\", \"github_issue\", "
          "\"github_tag\", "
          "\"event\" or \"condition\" but found \"sundial\"",
          "/2 STL0102: Expected a `type` in a trigger but found none",
          HasSubstr("/3/config/path STL0102: Expected `path` to be a path of at most 512 bytes"),
          HasSubstr("/3/config/method STL0102: Expected `method` to be"),
          "/3/config/secret STL0102: Expected `secret` to name a secret like {{ secrets.github }} "
          "but found something else; the text of a secret must not stand in a definition",
          HasSubstr("/3/config/branches STL0102"),
          "/3/config/filter STL0110: Expected a name that begins with \"payload\", \"headers\" or "
          "\"query\" at column 1 but found \"body\"",
          HasSubstr("/3/config/input STL0201")));
}

TEST(Triggers, OfOthersStayWhenOneHasAFault) {
  const TriggerSection section =
      ReadTriggers(Json(R"([{"type": "sundial"}, {"type": "api", "name": "a"}])"));
  ASSERT_EQ(section.triggers.size(), 1u);
  EXPECT_EQ(section.triggers[0].name, "a");
}

TEST(ScheduleTrigger, WantsExactlyOneOfCronAndInterval) {
  EXPECT_THAT(
      Faults(R"([{"type": "schedule"}])"),
      ElementsAre("/0 STL0111: Expected `cron` or `interval` in a schedule but found neither"));
  EXPECT_THAT(
      Faults(R"([{"type": "schedule", "cron": "@daily", "interval": "1h"}])"),
      ElementsAre("/0/interval STL0102: Expected either a `cron` or an `interval` but found "
                  "both"));
  EXPECT_THAT(Faults(R"([{"type": "schedule", "cron": "@daily", "config": {"cron": "@daily"}}])"),
              ElementsAre(HasSubstr("Expected `cron` once but found it again")));
  EXPECT_THAT(Faults(R"([{"type": "schedule", "interval": "10ms"}])"),
              ElementsAre(HasSubstr("/0/interval STL0109: Expected an `interval` of at least")));
  EXPECT_THAT(Faults(R"([{"type": "schedule", "interval": "abc"}])"),
              ElementsAre(HasSubstr("/0/interval STL0109: Expected `interval` to be a duration")));
  EXPECT_THAT(Faults(R"([{"type": "schedule", "cron": "@daily", "start": "2026-01-02",
                          "end": "2026-01-01"}])"),
              ElementsAre(HasSubstr("/0/end STL0102: Expected `end` to be after `start`")));
}

TEST(EventTrigger, TakesItsEventFromWhereItIsNamed) {
  const auto event = [](std::string_view trigger) {
    return std::get<EventTrigger>(One(trigger).detail).event;
  };
  EXPECT_EQ(event(R"({"type": "event", "config": {"name": "order.paid"}, "name": "Paid orders"})"),
            "order.paid");
  EXPECT_EQ(event(R"({"type": "message", "message": "order.paid"})"), "order.paid");
  EXPECT_EQ(event(R"({"type": "event", "name": "order.paid"})"), "order.paid");
  EXPECT_EQ(event(R"({"type": "custom:docker-image"})"), "docker-image");
  EXPECT_THAT(Faults(R"([{"type": "event"}])"),
              ElementsAre(HasSubstr("Expected `event`, the name of what fires the trigger")));
  const TriggerConfig trigger = One(
      R"({"type": "event", "event": "order.paid", "correlation": "payload.total > 100",
          "input": {"order": "{{ key }}"}})");
  EXPECT_EQ(trigger.conditions.size(), 1u);
  EXPECT_TRUE(trigger.input.has_value());
}

TEST(ConditionTrigger, WantsAnExpressionThatReadsSomething) {
  const TriggerConfig trigger = One(
      R"({"type": "condition", "config": {"condition": "instances.failed > 10", "for": "5m"}})");
  EXPECT_EQ(std::get<ConditionTrigger>(trigger.detail).hold_us, 300'000'000);
  EXPECT_EQ(trigger.conditions.at(0).text(), "instances.failed > 10");
  EXPECT_EQ(One(R"({"type": "condition", "conditions": [{"expression": "a.b"}, "c.d"]})")
                .conditions.size(),
            2u);
  for (const std::string_view bad :
       {R"([{"type": "condition"}])", R"([{"type": "condition", "condition": "1 < 2"}])"})
    EXPECT_THAT(Faults(bad), ElementsAre(HasSubstr("Expected a `condition` that reads something")));
  EXPECT_THAT(Faults(R"([{"type": "condition", "condition": "a >"}])"),
              ElementsAre(HasSubstr("STL0201")));
}

TEST(Triggers, RefuseSecretsInTheirInput) {
  for (const std::string_view type : {"webhook", "event", "condition", "manual", "schedule"}) {
    const std::string json = R"([{"type": ")" + std::string(type) +
                             R"(", "name": "n", "input": {"a": "{{ secrets.x }}"})" +
                             (type == "schedule" ? R"(, "cron": "@daily")" : "") +
                             (type == "condition" ? R"(, "condition": "a.b")" : "") + "}]";
    EXPECT_THAT(Faults(json), ElementsAre(HasSubstr("/0/input "))) << type;
  }
}

TEST(Triggers, RefuseSecretsInEverySpelling) {
  const auto faults = [](std::string_view text) {
    return Faults(R"([{"type": "manual", "name": "n", "input": {"a": ")" + std::string(text) +
                  R"("}}])");
  };
  for (const std::string_view text : {"{{secrets.x}}", "{{ (secrets.x) }}", R"({{\tsecrets.x }})",
                                      "${secrets.x}", "x {{ secrets.x }} y"})
    EXPECT_THAT(faults(text), ElementsAre(HasSubstr("/0/input "))) << text;
  for (const std::string_view text : {"$${ secrets.x }", R"(\\{{ secrets.x }})", "secrets.x"})
    EXPECT_THAT(faults(text), ElementsAre()) << text;
}

TEST(WebhookTrigger, NamesASecretThatCanBeStored) {
  const auto faults = [](const std::string& name) {
    return Faults(R"([{"type": "webhook", "path": "/in", "secret": "{{ secrets.)" + name +
                  R"( }}"}])");
  };
  EXPECT_THAT(faults("github_1"), ElementsAre());
  for (const std::string& name : {std::string("1abc"), std::string(200, 'x'), std::string()})
    EXPECT_THAT(faults(name), ElementsAre(HasSubstr("/0/secret STL0102"))) << name;
}

TEST(Moment, IsReadOnTheClockOfItsZone) {
  const TimeZone berlin = *TimeZone::Find("Europe/Berlin");
  EXPECT_EQ(ParseMoment("2026-01-01", berlin), 1767222000000000);
  EXPECT_EQ(ParseMoment("2026-07-01T00:00", berlin), 1782856800000000);
  EXPECT_EQ(ParseMoment("2026-07-01 00:00:00Z", berlin), 1782864000000000);
  EXPECT_EQ(ParseMoment("2026-07-01T00:00:00.25-05:00", berlin), 1782882000250000);
  EXPECT_EQ(ParseMoment("2026-03-29T02:30:00", berlin), 1774746000000000);  // in a gap: its end
  EXPECT_EQ(ParseMoment("2026-10-25T02:30:00", berlin), 1792888200000000);  // twice: the first
  for (const std::string_view bad : {"", "2026", "2026-13-01", "2026-02-29", "2026-01-01T",
                                     "2026-01-01T25:00", "2026-01-01T1:00", "2026-01-01T00:00:00.",
                                     "2026-01-01T00:00:00 Europe/Berlin", "2026-01-01x"})
    EXPECT_FALSE(ParseMoment(bad, berlin).has_value()) << bad;
}

}  // namespace
}  // namespace stele::triggers
