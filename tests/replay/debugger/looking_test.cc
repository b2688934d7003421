#include <gmock/gmock.h>

#include <algorithm>

#include "base/json.h"
#include "replay/json_patch.h"
#include "replay/state_json.h"
#include "tests/replay/debugger/debugged.h"

namespace stele::replay {
namespace {

using testing::HasSubstr;

constexpr std::string_view kFlow = R"(
id: flow
steps:
  - {id: pay, type: script, output_mapping: {total: "{{response.n}}"}}
  - id: each
    type: loop
    depends_on: [pay]
    items: "{{['x', 'y']}}"
    steps: [{id: work, type: script, output_mapping: {note: "{{loop.item}}"}}]
)";

test::CoreDriver Flow() {
  test::CoreDriver flow(kFlow);
  flow.Start(R"({"total":0})").Complete("pay", R"({"n":7})").Complete("work").Complete("work");
  EXPECT_EQ(flow.Status(), "completed");
  return flow;
}

const ShownValue* Find(const std::vector<ShownValue>& values, std::string_view group,
                       std::string_view name) {
  const auto found = std::ranges::find_if(
      values, [&](const ShownValue& value) { return value.group == group && value.name == name; });
  return found == values.end() ? nullptr : &*found;
}

TEST(Debugger, MarksTheValuesThatTheLastMoveHasChanged) {
  const test::CoreDriver flow = Flow();
  Debugged debugged(flow);
  const Seq set = debugged.Find("variables_set");
  debugged->JumpTo(Seq(set.value - 1)).value();
  debugged->Move(Unit::kEvent, Direction::kForward).value();
  auto values = debugged->Values();
  const ShownValue* total = Find(*values, "variables", "total");
  ASSERT_NE(total, nullptr);
  EXPECT_EQ(total->change, Change::kChanged);
  EXPECT_EQ(total->value, Value(7));
  EXPECT_EQ(total->before, Value(0));
  // And back: what was changed is changed back.
  debugged->Move(Unit::kEvent, Direction::kBack).value();
  values = debugged->Values();
  total = Find(*values, "variables", "total");
  EXPECT_EQ(total->value, Value(0));
  EXPECT_EQ(total->before, Value(7));
}

TEST(Debugger, ShowsWhatIsInsideALoopUntilItsScopeIsClosed) {
  const test::CoreDriver flow = Flow();
  Debugged debugged(flow);
  const Seq opened = debugged.Find("scope_opened");
  debugged->JumpTo(Seq(opened.value - 1)).value();
  debugged->JumpTo(opened).value();
  auto values = debugged->Values();
  const ShownValue* item = Find(*values, "each[0]", "item");
  ASSERT_NE(item, nullptr);
  EXPECT_EQ(item->change, Change::kAdded);
  EXPECT_EQ(item->value, Value("x"));
  debugged->JumpTo(debugged.Find("scope_closed")).value();
  values = debugged->Values();
  EXPECT_EQ(Find(*values, "each[0]", "item"), nullptr);
}

TEST(Debugger, SaysWhatAMoveHasChangedAsAPatch) {
  const test::CoreDriver flow = Flow();
  Debugged debugged(flow);
  for (const uint64_t to : {5, 9, 2, 12}) {
    const Object before = *debugged->State();
    debugged->JumpTo(Seq(to)).value();
    const Result<Array> changes = debugged->Changes();
    ASSERT_TRUE(changes.has_value());
    const Result<Value> made = ApplyPatch(Value(before), *changes);
    ASSERT_TRUE(made.has_value());
    EXPECT_EQ(*made, Value(*debugged->State()));
  }
}

TEST(Debugger, WatchesExpressionsBeforeAndBehindAMove) {
  const test::CoreDriver flow = Flow();
  Debugged debugged(flow);
  EXPECT_EQ(*debugged->AddWatch("total * 2"), 1u);
  EXPECT_EQ(*debugged->AddWatch("loop.item"), 2u);
  std::vector<WatchValue> watches = debugged->Watches();
  EXPECT_EQ(*watches[0].now, Value(0));
  EXPECT_FALSE(watches[0].has_changed());
  EXPECT_FALSE(watches[1].now.has_value());
  debugged->JumpTo(debugged.Find("step_activated", "work[0]")).value();
  watches = debugged->Watches();
  EXPECT_EQ(*watches[0].now, Value(14));
  EXPECT_EQ(*watches[0].before, Value(0));
  EXPECT_TRUE(watches[0].has_changed());
  EXPECT_EQ(*watches[1].now, Value("x"));
  EXPECT_TRUE(watches[1].has_changed());
  EXPECT_TRUE(debugged->RemoveWatch(1));
  EXPECT_FALSE(debugged->RemoveWatch(1));
  EXPECT_EQ(debugged->Watches().size(), 1u);
  EXPECT_FALSE(debugged->AddWatch("(").has_value());
}

TEST(Debugger, EvaluatesInTheScopeThatIsAskedFor) {
  const test::CoreDriver flow = Flow();
  Debugged debugged(flow);
  debugged->JumpTo(debugged.Find("step_activated", "work[1]")).value();
  EXPECT_EQ(*debugged->Evaluate("loop.index"), Value(1));
  EXPECT_EQ(*debugged->Evaluate("total", ScopeId(0)), Value(7));
  EXPECT_FALSE(debugged->Evaluate("loop.index", ScopeId(0)).has_value());
  const Result<Value> closed = debugged->Evaluate("total", ScopeId(1));
  ASSERT_FALSE(closed.has_value());
  EXPECT_EQ(closed.error().code, ErrorCode::kInvalidInput);
  EXPECT_TRUE(*debugged->Holds("event.step == 'work'"));
  EXPECT_EQ(debugged->Holds("no_such_name").error().code, ErrorCode::kExpressionUndefined);
}

TEST(Debugger, StaysInTheScopeOfAStepWhoseOutputsBecomeVariables) {
  const test::CoreDriver flow = Flow();
  Debugged debugged(flow);
  debugged->JumpTo(debugged.Find("variables_set", "", 2)).value();
  EXPECT_EQ(*debugged->Evaluate("loop.item"), Value("x"));
  EXPECT_THAT(debugged.Move(Unit::kOut), HasSubstr("scope_closed each[0]"));
}

TEST(Debugger, ListsEventsWithBreakpointsAndThePosition) {
  const test::CoreDriver flow = Flow();
  Debugged debugged(flow);
  debugged->Break({.step = "each"}).value();
  debugged->JumpTo(Seq(3)).value();
  const auto lines = debugged->Events(Seq(1), 1'000);
  ASSERT_EQ(lines->size(), debugged->last().value);
  for (const EventLine& line : *lines) {
    EXPECT_EQ(line.is_current, line.seq == Seq(3));
    EXPECT_EQ(line.is_broken, line.name == "step_activated" && line.step == "each");
  }
  EXPECT_TRUE(lines->front().is_first);
  EXPECT_EQ(lines->front().actor, "test");
  EXPECT_EQ(debugged->Events(debugged->last(), 5)->size(), 1u);
}

TEST(Debugger, TellsAnEventAsHistoriesDo) {
  const test::CoreDriver flow = Flow();
  Debugged debugged(flow);
  const Result<Value> event = debugged->EventDocument(debugged.Find("step_completed", "pay"));
  EXPECT_EQ(*event->Find("event"), Value("step_completed"));
  EXPECT_NE(event->Find("position"), nullptr);
  EXPECT_FALSE(debugged->EventDocument(debugged->last().Next()).has_value());
}

}  // namespace
}  // namespace stele::replay
