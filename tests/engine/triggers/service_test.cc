// Events, conditions, webhooks, firings by hand, and what definitions declare, through the service.
#include "engine/triggers/service.h"

#include "base/json.h"
#include "engine/triggers/moment.h"
#include "tests/engine/triggers/trigger_world.h"

namespace stele::triggers {
namespace {

using eventstore::MemoryStore;
using model::TriggerState;

constexpr int64_t kMinute = 60'000'000;
constexpr TimeUs kStart(1'777'626'030'000'000);
constexpr TriggerId kFirst(1);
constexpr TriggerId kSecond(2);

WebhookRequest Request(std::string_view body, const std::string& delivery = "") {
  WebhookRequest request{
      .method = "POST", .path = "/hooks/in", .query = {}, .headers = {}, .body = body};
  if (!delivery.empty()) request.headers.emplace_back("Idempotency-Key", delivery);
  return request;
}

const std::string kWebhook = "[{type: webhook, name: in, path: /hooks/in}]";
const std::string kEvent =
    "[{type: event, name: paid, event: order.paid, filter: payload.total > 10, "
    "input: {order: '{{key}}'}}]";

TEST(EventService, StartsAnInstanceForEachEventThatPasses) {
  TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
  world.Register("w", kEvent);
  world.Publish("order.paid", "A", R"({"total": 11})");
  world.Publish("order.paid", "B", R"({"total": 10})");
  world.Publish("order.sent", "C", R"({"total": 11})");
  ASSERT_EQ(world.Starts().size(), 1u);
  EXPECT_EQ(world.Starts()[0].input, R"({"order":"A"})");
}

TEST(EventService, TakesAMessageThatIsPublishedTwiceUnderOneIdOnce) {
  TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
  world.Register("w", kEvent);
  for (int i = 0; i < 2; ++i) world.Publish("order.paid", "A", R"({"total": 11})", "one");
  world.Publish("order.paid", "A", R"({"total": 11})", "two");
  EXPECT_EQ(world.Starts().size(), 2u);
}

TEST(EventService, MakesUpForEventsThatNobodyLookedAt) {
  std::unique_ptr<MemoryStore> left;
  {
    TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
    world.Register("w", kEvent);
    world.Publish("order.paid", "A", R"({"total": 11})");
    world.service().End();
    world.Publish("order.paid", "B", R"({"total": 11})");
    EXPECT_EQ(world.Starts().size(), 1u);
    left = world.Crash();
  }
  TriggerWorld world(std::move(left), kStart);
  world.RunUntilQuiet();
  ASSERT_EQ(world.Starts().size(), 2u);
  EXPECT_EQ(world.Starts()[1].input, R"({"order":"B"})");
}

TEST(EventService, LooksAtNothingFromBeforeItsRegistrationOrDuringAPause) {
  TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
  world.Register("w", "");
  world.Publish("order.paid", "A", R"({"total": 11})");
  const TriggerId id = world.Add("w", R"({"type": "event", "event": "order.paid"})");
  ASSERT_TRUE(world.Change(id, TriggerState::kPaused).has_value());
  world.Publish("order.paid", "B", R"({"total": 11})");
  ASSERT_TRUE(world.Change(id, TriggerState::kActive).has_value());
  world.Publish("order.paid", "C", R"({"total": 12})");
  const auto left = world.Crash();
  TriggerWorld again(left->Crash(), kStart);
  again.RunUntilQuiet();
  ASSERT_EQ(again.Starts().size(), 1u);
  EXPECT_EQ(again.Starts()[0].input, R"({"total":12})");
}

TEST(EventService, NotesAnEventThatNoInputCanBeMadeFrom) {
  TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
  world.Register("w", "[{type: event, name: e, input: {x: '{{payload.missing}}'}}]");
  world.Publish("e", "", "{}");
  ASSERT_EQ(world.Outcomes(kFirst).size(), 1u);
  EXPECT_TRUE(world.Outcomes(kFirst)[0].starts_with("refused: Expected"))
      << world.Outcomes(kFirst)[0];
  EXPECT_TRUE(world.Starts().empty());
}

TEST(ConditionService, FiresAtTheRisingEdgeOnly) {
  TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
  world.Register("alarm", "[{type: condition, name: c, condition: 'definitions.w.running > 1'}]");
  const DefinitionId w = world.Register("w", "", "hang");
  std::vector<InstanceId> ids;
  const auto start = [&] {
    ids.push_back(world.shard().Start({.definition = w}, "tester", nullptr));
    world.RunUntilQuiet();
  };
  const auto alarms = [&] { return world.Outcomes(kFirst).size(); };
  start();
  EXPECT_EQ(alarms(), 0u);
  start();
  EXPECT_EQ(alarms(), 1u);
  start();
  EXPECT_EQ(alarms(), 1u) << "it held all the time";
  world.End(ids[0]);
  world.End(ids[1]);
  start();
  EXPECT_EQ(alarms(), 2u);
  EXPECT_EQ(
      world.service().views().roots().Find("definitions")->Find("w")->Find("terminated")->as_int(),
      2);
}

TEST(ConditionService, FiresOnceItHasHeldLongEnoughAlsoOverARestart) {
  std::unique_ptr<MemoryStore> left;
  {
    TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
    world.Register("alarm",
                   "[{type: condition, name: c, condition: instances.failed > 0, for: 5m}]");
    const DefinitionId w = world.Register("w", "", "fail");
    world.shard().Start({.definition = w}, "tester", nullptr);
    world.RunUntilQuiet();
    world.Advance(4 * kMinute);
    EXPECT_TRUE(world.Outcomes(kFirst).empty());
    left = world.Crash();
  }
  {
    TriggerWorld world(std::move(left), kStart.Plus(4 * kMinute));
    world.RunUntilQuiet();
    EXPECT_TRUE(world.Outcomes(kFirst).empty());
    world.Advance(kMinute);
    EXPECT_EQ(world.Outcomes(kFirst).size(), 1u);
    left = world.Crash();
  }
  TriggerWorld world(std::move(left), kStart.Plus(9 * kMinute));
  world.RunUntilQuiet();
  EXPECT_EQ(world.Outcomes(kFirst).size(), 1u);
}

TEST(ConditionService, DoesNotFireWhenItStopsToHoldBefore) {
  TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
  world.Register("alarm",
                 "[{type: condition, name: c, condition: instances.running > 0, for: 5m}]");
  const DefinitionId w = world.Register("w", "", "hang");
  const InstanceId id = world.shard().Start({.definition = w}, "tester", nullptr);
  world.RunUntilQuiet();
  world.Advance(4 * kMinute);
  world.End(id);
  world.Advance(4 * kMinute);
  EXPECT_TRUE(world.Outcomes(kFirst).empty());
}

TEST(WebhookService, StartsAnInstanceAndAnswersWithIt) {
  TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
  world.Register("w", kWebhook);
  const Delivery first = world.Deliver(Request(R"({"a": 1})", "one"));
  ASSERT_FALSE(first.refusal.has_value());
  ASSERT_EQ(first.triggers.size(), 1u);
  const auto& fired = std::get<Delivered::Fired>(first.triggers[0].verdict);
  ASSERT_TRUE(fired.instance.has_value());
  EXPECT_EQ(world.Starts()[0].instance, *fired.instance);
  EXPECT_EQ(world.Starts()[0].input, R"({"a":1})");
  const Delivery again = world.Deliver(Request(R"({"a": 1})", "one"));
  EXPECT_EQ(std::get<Delivered::Fired>(again.triggers[0].verdict).instance, fired.instance);
  EXPECT_EQ(world.Starts().size(), 1u);
  for (int i = 0; i < 2; ++i) world.Deliver(Request("{}"));
  EXPECT_EQ(world.Starts().size(), 3u) << "requests without a name are all new";
}

TEST(WebhookService, RecordsFromWhereTheRequestCame) {
  TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
  world.Register("w", kWebhook);
  bool answered = false;
  world.service().Deliver(Request("{}"), {"webhook", "rest 10.0.0.7"},
                          [&](const Delivery&) { answered = true; });
  world.RunUntil([&] { return answered; });
  const auto cursor =
      world.store().ReadInstance(ShardId(), world.Starts()[0].instance, Seq(1)).value();
  const auto start = cursor->Next().value();
  EXPECT_EQ(start->header.actor, model::TriggerActor(kFirst));
  EXPECT_EQ(start->header.source, "rest 10.0.0.7");
}

// A payload that is no object is put into one, which is one deeper.
TEST(WebhookService, RefusesAPayloadThatBecomesTooDeep) {
  TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
  world.Register("w", kWebhook);
  const auto deliver = [&](size_t depth) {
    return world.Deliver(Request(std::string(depth, '[') + std::string(depth, ']')));
  };
  const Delivery refused = deliver(kMaxJsonDepth);
  ASSERT_EQ(refused.triggers.size(), 1u);
  const auto* verdict = std::get_if<WebhookRefused>(&refused.triggers[0].verdict);
  ASSERT_NE(verdict, nullptr);
  EXPECT_EQ(verdict->status, 413);
  EXPECT_TRUE(world.Starts().empty());
  deliver(kMaxJsonDepth - 1);
  EXPECT_EQ(world.Starts().size(), 1u);
}

TEST(WebhookService, AnswersTwoDeliveriesOfOneNameThatComeAtOnceAlike) {
  TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
  world.Register("w", kWebhook);
  std::vector<InstanceId> instances;
  const WebhookRequest request = Request("{}", "one");
  for (int i = 0; i < 2; ++i)
    world.service().Deliver(request, "tester", [&](const Delivery& delivery) {
      instances.push_back(*std::get<Delivered::Fired>(delivery.triggers[0].verdict).instance);
    });
  world.RunUntil([&] { return instances.size() == 2; });
  EXPECT_EQ(instances[0], instances[1]);
  EXPECT_EQ(world.Starts().size(), 1u);
}

TEST(WebhookService, RefusesUnknownPathsPausedTriggersAndPausedDefinitions) {
  TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
  const DefinitionId id = world.Register("w", kWebhook);
  WebhookRequest elsewhere = Request("{}");
  elsewhere.path = "/other";
  EXPECT_EQ(world.Deliver(elsewhere).refusal->status, 404);
  ASSERT_TRUE(world.Change(kFirst, TriggerState::kPaused).has_value());
  EXPECT_EQ(std::get<WebhookIgnored>(world.Deliver(Request("{}")).triggers[0].verdict).reason,
            "the trigger is paused");
  ASSERT_TRUE(world.Change(kFirst, TriggerState::kActive).has_value());
  world.shard().ChangeDefinition(id, model::DefinitionState::kPaused, "", "tester",
                                 [](const auto&) {});
  EXPECT_EQ(std::get<WebhookRefused>(world.Deliver(Request("{}")).triggers[0].verdict).status, 503);
  EXPECT_TRUE(world.Starts().empty());
}

TEST(ManualService, FiresOnceForAKey) {
  TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
  world.Register("w",
                 "[{type: manual, name: m, conditions: ['input.n > 1'], "
                 "input: {double: '{{input.n * 2}}'}}]");
  const auto first = world.Fire(kFirst, "k", Object{{"n", 2}});
  ASSERT_TRUE(first.has_value() && first->has_value());
  EXPECT_EQ(world.Starts()[0].input, R"({"double":4})");
  EXPECT_EQ(*world.Fire(kFirst, "k", Object{{"n", 2}}), *first);
  EXPECT_EQ(world.Fire(kFirst, "", Object{{"n", 1}}).error().code, ErrorCode::kWrongState);
  EXPECT_NE(*world.Fire(kFirst, "", Object{{"n", 2}}), *first);
  EXPECT_EQ(world.Starts().size(), 2u);
}

TEST(ManualService, RefusesUnknownAndPausedTriggers) {
  TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
  world.Register("w", "[{type: manual, name: m, paused: true}]");
  EXPECT_EQ(world.Fire(kFirst, "", Value()).error().code, ErrorCode::kWrongState);
  EXPECT_EQ(world.Fire(kSecond, "", Value()).error().code, ErrorCode::kUnknownTrigger);
}

TEST(ManualService, FiresAScheduleWithoutMovingIt) {
  TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
  world.Register("w",
                 "[{type: schedule, name: s, cron: '* * * * *', jitter: 30s, overlap: allow}]");
  world.clock().Advance(31'000'000);
  ASSERT_TRUE(world.Fire(kFirst, "", Value()).has_value());
  world.Advance(2 * kMinute);
  EXPECT_GE(world.Starts().size(), 3u) << "the moments before it fire, too";
}

TEST(StartOfAFiring, WaitsForAPausedDefinitionAndIsRefusedByARetiredOne) {
  TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
  const DefinitionId id = world.Register("w", "[{type: event, name: e}]");
  const auto change = [&](model::DefinitionState state) {
    world.shard().ChangeDefinition(id, state, "", "tester", [](const auto&) {});
    world.RunUntilQuiet();
  };
  change(model::DefinitionState::kPaused);
  world.Publish("e", "", "{}");
  EXPECT_TRUE(world.Starts().empty());
  change(model::DefinitionState::kActive);
  EXPECT_EQ(world.Starts().size(), 1u);
  change(model::DefinitionState::kPaused);
  world.Publish("e", "", "{}");
  change(model::DefinitionState::kRetired);
  EXPECT_EQ(world.Starts().size(), 1u);
  EXPECT_TRUE(world.Outcomes(kFirst).back().starts_with("refused: "))
      << world.Outcomes(kFirst).back();
  const auto left = world.Crash();
  TriggerWorld again(left->Crash(), kStart);
  again.RunUntilQuiet();
  EXPECT_EQ(again.Outcomes(kFirst).size(), 3u) << "what is refused for good is over";
}

TEST(DeclaredTriggers, AreReplacedByThoseOfANewVersion) {
  TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
  const auto state = [&](uint32_t id) {
    return model::TriggerStateName(world.service().table().Find(TriggerId(id))->state);
  };
  world.Register("w",
                 "[{type: manual, name: same}, {type: event, name: changed, event: a}, "
                 "{type: manual, name: gone}, {type: manual, name: off, enabled: false}]");
  ASSERT_EQ(world.service().table().all().size(), 3u);
  const TriggerId by_hand = world.Add("w", R"({"type": "manual", "name": "mine"})");
  EXPECT_EQ(by_hand, TriggerId(4));
  world.Register("w", "[{type: manual, name: same}, {type: event, name: changed, event: b}]");
  EXPECT_EQ(state(1), "active");
  EXPECT_EQ(state(2), "removed");
  EXPECT_EQ(state(3), "removed");
  EXPECT_EQ(state(4), "active");
  ASSERT_EQ(world.service().table().all().size(), 5u);
  EXPECT_EQ(world.service().table().Find(TriggerId(5))->As<EventTrigger>()->event, "b");
}

TEST(DeclaredTriggers, StayRemovedWhenSomebodyRemovedThem) {
  TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
  const DefinitionId id = world.Register("w", "[{type: manual, name: m}]");
  ASSERT_TRUE(world.Change(kFirst, TriggerState::kRemoved).has_value());
  const auto left = world.Crash();
  TriggerWorld again(left->Crash(), kStart);
  again.RunUntilQuiet();
  EXPECT_EQ(again.service().table().all().size(), 1u);
  again.Register("w", "[{type: manual, name: m, conditions: ['input.x']}]");
  EXPECT_EQ(again.service().table().all().size(), 2u);
  EXPECT_EQ(id, DefinitionId(1));
}

TEST(DeclaredTriggers, ThatFindTheirNameTakenAreToldOf) {
  TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
  world.Register("w", "");
  const TriggerId by_hand = world.Add("w", R"({"type": "manual"})");
  EXPECT_EQ(world.service().table().Find(by_hand)->stored.name, "manual-1");
  world.Register("w", "[{type: manual}]");
  EXPECT_EQ(world.service().table().all().size(), 1u);
  ASSERT_EQ(world.Outcomes(by_hand).size(), 1u);
  EXPECT_TRUE(world.Outcomes(by_hand)[0].contains("declares a trigger of this name, too"))
      << world.Outcomes(by_hand)[0];
  const TriggerId named = world.Add("w", R"({"type": "manual", "name": "mine"})");
  EXPECT_TRUE(world.Outcomes(named).empty());
}

TEST(DeclaredTriggers, GoWithARetiredDefinitionAndComeBackWithIt) {
  TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
  const DefinitionId id = world.Register("w", "[{type: manual, name: m}]");
  const auto change = [&](model::DefinitionState state) {
    world.shard().ChangeDefinition(id, state, "", "tester", [](const auto&) {});
    world.RunUntilQuiet();
  };
  change(model::DefinitionState::kPaused);
  EXPECT_EQ(world.service().table().Find(kFirst)->state, TriggerState::kActive);
  change(model::DefinitionState::kRetired);
  EXPECT_EQ(world.service().table().Find(kFirst)->state, TriggerState::kRemoved);
  change(model::DefinitionState::kActive);
  ASSERT_NE(world.service().table().Find(kSecond), nullptr);
  EXPECT_EQ(world.service().table().Find(kSecond)->state, TriggerState::kActive);
}

TEST(AddedTriggers, AreCheckedAndNamed) {
  TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
  world.Register("w", "");
  const TriggerId id = world.Add("w", R"({"type": "schedule", "cron": "@daily", "paused": true})");
  EXPECT_EQ(world.service().table().Find(id)->stored.name, "schedule-1");
  EXPECT_EQ(world.service().table().Find(id)->state, TriggerState::kPaused);
  std::optional<Error> error;
  const auto refuse = [&](const std::string& definition, const std::string& trigger) {
    error.reset();
    world.service().Add(definition, *ParseJson(trigger), "tester",
                        [&](const Result<Position>& answer) { error = answer.error(); });
    return error->code;
  };
  EXPECT_EQ(refuse("w", R"({"type": "schedule", "cron": "61 * * * *"})"), ErrorCode::kBadCron);
  EXPECT_EQ(refuse("nobody", R"({"type": "manual"})"), ErrorCode::kUnknownDefinition);
  EXPECT_EQ(refuse("w", R"({"type": "manual", "name": "schedule-1"})"), ErrorCode::kDuplicateId);
}

TEST(AddedTriggers, AreReplacedWhileRequestsCome) {
  TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
  world.Register("w", "");
  const char* webhook = R"({"type": "webhook", "name": "in", "path": "/hooks/in"})";
  TriggerId id = world.Add("w", webhook);
  std::optional<bool> durable;
  const auto replace = [&](const std::string& trigger) {
    durable.reset();
    return world.service().Replace(id, *ParseJson(trigger), "tester",
                                   [&](const auto& answer) { durable = answer.has_value(); });
  };
  for (int i = 0; i < 3; ++i) {
    const TriggerId next = replace(webhook);
    ASSERT_NE(next, id);
    // From before it is durable until it is.
    for (int turn = 0; turn < 5; ++turn) {
      const Delivery delivery = world.Deliver(Request("{}"));
      ASSERT_FALSE(delivery.refusal.has_value()) << delivery.refusal->status;
      ASSERT_EQ(delivery.triggers.size(), 1u);
      EXPECT_TRUE(std::holds_alternative<Delivered::Fired>(delivery.triggers[0].verdict));
    }
    world.RunUntilQuiet();
    EXPECT_EQ(durable, true);
    EXPECT_EQ(world.service().table().Find(id)->state, TriggerState::kRemoved);
    EXPECT_EQ(world.service().table().Find(next)->stored.name, "in");
    id = next;
  }
  EXPECT_EQ(world.Starts().size(), 15u);
}

TEST(AddedTriggers, StayWhenNothingCanStandInTheirPlace) {
  TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
  world.Register("w", "");
  const TriggerId id = world.Add("w", R"({"type": "manual", "name": "one"})");
  world.Add("w", R"({"type": "manual", "name": "two"})");
  const auto refuse = [&](TriggerId old, const std::string& trigger) {
    std::optional<Error> error;
    world.service().Replace(old, *ParseJson(trigger), "tester",
                            [&](const Result<Position>& answer) { error = answer.error(); });
    return error->code;
  };
  EXPECT_EQ(refuse(id, R"({"type": "manual", "name": "two"})"), ErrorCode::kDuplicateId);
  EXPECT_EQ(refuse(id, R"({"type": "schedule", "cron": "61 * * * *"})"), ErrorCode::kBadCron);
  EXPECT_EQ(refuse(TriggerId(9), R"({"type": "manual"})"), ErrorCode::kUnknownTrigger);
  world.RunUntilQuiet();
  EXPECT_EQ(world.service().table().Find(id)->state, TriggerState::kActive);
  EXPECT_EQ(world.service().table().all().size(), 2u);
}

}  // namespace
}  // namespace stele::triggers
