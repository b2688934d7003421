#include "engine/model/event_json.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "engine/definition/definition.h"
#include "engine/model/codec.h"
#include "tests/engine/model/random_values.h"

namespace stele::model {
namespace {

TEST(EventToJson, LeavesOutWhatIsAbsent) {
  EXPECT_EQ(ToJson(EventToJson(StepActivated{.run = RunId(3)})),
            R"({"event":"step_activated","run":3,"scope":0,"step":0})");
  EXPECT_EQ(ToJson(EventToJson(InstanceCancelled{})), R"({"event":"instance_cancelled"})");
}

TEST(EventToJson, GivesPayloadsAsJsonAndEnumeratorsByName) {
  EXPECT_EQ(
      ToJson(EventToJson(AttemptCompleted{
          .run = RunId(3), .attempt = 2, .output = Payload::FromText(R"({"a": [1, null]})")})),
      R"({"event":"attempt_completed","run":3,"attempt":2,"output":{"a":[1,null]}})");
  EXPECT_EQ(ToJson(EventToJson(ScopeClosed{.scope = ScopeId(1), .outcome = Outcome::kCompleted})),
            R"({"event":"scope_closed","scope":1,"outcome":"completed"})");
  EXPECT_EQ(ToJson(EventToJson(TimerElapsed{.kind = TimerKind::kAttemptDeadline})),
            R"({"event":"timer_elapsed","kind":"attempt_deadline"})");
  EXPECT_EQ(
      ToJson(EventToJson(StepCompleted{.run = RunId(1), .output = Payload::FromText("null")})),
      R"({"event":"step_completed","run":1,"output":null})");
}

TEST(EventToJson, GivesVariablesAsAnObjectAndTagsAsAList) {
  InstanceStarted started;
  started.definition = DefinitionId(7);
  started.variables = {{"b", Payload::FromText("1")}, {"a", Payload::FromText("\"x\"")}};
  started.tags = {"x", "y"};
  EXPECT_EQ(ToJson(EventToJson(started)),
            R"({"event":"instance_started","definition":7,"variables":{"b":1,"a":"x"},)"
            R"("tags":["x","y"]})");
}

TEST(EventToJson, GivesVariablesWhoseValueWasErasedAsNull) {
  InstanceStarted started;
  started.definition = DefinitionId(7);
  started.variables = {{"b", Payload()}, {"a", Payload::FromText("\"\"")}};
  EXPECT_EQ(ToJson(EventToJson(started)),
            R"({"event":"instance_started","definition":7,"variables":{"b":null,"a":""}})");
}

TEST(EventToJson, NamesSecretsByPlace) {
  StepActivated activated;
  activated.run = RunId(1);
  activated.purpose = Purpose::kCompensation;
  activated.secrets = {{.pointer = "/headers/token", .offset = 7, .name = "api_key"}};
  EXPECT_EQ(ToJson(EventToJson(activated)),
            R"({"event":"step_activated","run":1,"scope":0,"step":0,"purpose":"compensation",)"
            R"("secrets":[{"name":"api_key","pointer":"/headers/token","offset":7}]})");
}

TEST(EventToJson, GivesIdsWithADefinition) {
  definition::Definition definition;
  definition.steps.resize(2);
  definition.steps[0].id = "build";
  definition.steps[1].id = "test";
  definition.transitions.resize(1);
  definition.transitions[0].from = StepIndex(0);
  definition.transitions[0].to = StepIndex(1);
  EXPECT_EQ(
      ToJson(EventToJson(StepPassed{.step = StepIndex(1), .via = TransitionIndex(0)}, &definition)),
      R"({"event":"step_passed","scope":0,"step":"test","via":"build -> test"})");
  EXPECT_EQ(ToJson(EventToJson(StepPassed{.step = StepIndex(9)}, &definition)),
            R"({"event":"step_passed","scope":0,"step":9})");
}

TEST(EventToJson, ShowsAPayloadThatIsNoJsonAsText) {
  EXPECT_EQ(ToJson(EventToJson(InstanceCompleted{Payload::FromText("{oops")})),
            R"({"event":"instance_completed","output":"{oops"})");
}

TEST(EventToJson, IsReadableJsonForEveryEvent) {
  RandomValues values(10, 0);
  for (size_t index = 0; index < kEventKinds; ++index) {
    const Value json = EventToJson(values.MakeEvent(index));
    const Result<Value> parsed = ParseJson(ToJson(json));
    ASSERT_TRUE(parsed.has_value()) << EventNameAt(index);
    EXPECT_EQ(*parsed->Find("event"), Value(EventNameAt(index)));
    EXPECT_GT(parsed->as_object().size(), 1u) << EventNameAt(index);
  }
}

}  // namespace
}  // namespace stele::model
