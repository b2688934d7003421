#include "replay/debugger/graph.h"

#include <gmock/gmock.h>

#include "tests/replay/debugger/debugged.h"
#include "tests/support/definitions.h"

namespace stele::replay {
namespace {

using testing::HasSubstr;

// As it would stand in a terminal: columns, a sign of the state, the id, and the note.
std::string Drawn(const std::vector<GraphRow>& rows) {
  static constexpr std::string_view kSigns[] = {"", ".", "o", ">", "w", "!", "v", "x", "-"};
  std::string text = "\n";
  for (const GraphRow& row : rows) {
    text += row.before;
    text += kSigns[static_cast<size_t>(row.mark)];
    text += row.after + row.step;
    if (!row.note.empty()) text += "  " + row.note;
    if (row.is_current) text += "  <";
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  return text;
}

std::string DrawnHere(Debugged& debugged) {
  const ScopeId scope = *debugged->Scope();
  const EventIndex& index = debugged->index();
  return Drawn(DrawGraph(*debugged->Now(), scope, index.StepId(index[debugged->at()].step)));
}

std::string DrawnAtTheEnd(const test::CoreDriver& driver) {
  Debugged debugged(driver);
  debugged->JumpTo(debugged->last()).value();
  return DrawnHere(debugged);
}

TEST(Graph, ShowsBranchesThatPartAndMeet) {
  test::CoreDriver flow(R"(
id: flow
steps:
  - {id: order, type: script}
  - {id: charge, type: script, depends_on: [order]}
  - {id: reserve, type: script, depends_on: [order]}
  - {id: notify, type: script, depends_on: [order]}
  - {id: ship, type: script, depends_on: [charge, reserve, notify]}
)");
  flow.Start().Complete("order").Complete("reserve");
  EXPECT_EQ(DrawnAtTheEnd(flow), R"(
v order  completed
├─┬─╮
> │ │ charge  running
│ v │ reserve  completed
├─╯ │
│   > notify  running
├───╯
w ship  1 of 3 tokens  <
)");
}

TEST(Graph, ShowsTheInsideOfALoopBelowIt) {
  test::CoreDriver flow(R"(
id: flow
steps:
  - {id: before, type: script}
  - id: each
    type: loop
    depends_on: [before]
    items: "{{[1, 2, 3]}}"
    max_concurrent: 2
    steps: [{id: a, type: script}, {id: b, type: script, depends_on: [a]}]
  - {id: beside, type: script, depends_on: [before]}
  - {id: after, type: script, depends_on: [each, beside]}
)");
  flow.Start().Complete("before").Complete("a");
  EXPECT_EQ(DrawnAtTheEnd(flow), R"(
v before  completed
├─╮
> │ each  2 of its iterations open, the last [1]
│ │ ╎ v a  completed, 1 more in other scopes
│ │ ╎ > b  running  <
│ > beside  running
├─╯
o after
)");
}

TEST(Graph, SaysNothingOfTheInsideOfWhatIsNotOpen) {
  constexpr std::string_view kLoop = R"(
id: flow
steps:
  - {id: before, type: script}
  - {id: each, type: loop, depends_on: [before], times: 1, steps: [{id: a, type: script}]}
)";
  test::CoreDriver flow(kLoop);
  flow.Start();
  constexpr std::string_view kInside = "\n  ╎ . a\n";
  EXPECT_THAT(DrawnAtTheEnd(flow), HasSubstr(kInside));
  flow.Complete("before");
  EXPECT_THAT(DrawnAtTheEnd(flow), HasSubstr("\n  ╎ > a  running"));
  flow.Complete("a");
  EXPECT_THAT(DrawnAtTheEnd(flow), HasSubstr(kInside));
}

TEST(Graph, SaysWhatUndoesWhat) {
  test::CoreDriver flow(R"(
id: flow
error_handling: {strategy: compensate}
steps:
  - {id: pay, type: script, compensation: refund}
  - {id: ship, type: script, depends_on: [pay]}
  - {id: refund, type: script}
)");
  flow.Start().Complete("pay");
  EXPECT_EQ(DrawnAtTheEnd(flow), R"(
v pay  completed
> ship  running  <
o refund  undoes pay
)");
  flow.Fail("ship");
  EXPECT_EQ(DrawnAtTheEnd(flow), R"(
v pay  completed
x ship  failed
> refund  running, undoes pay  <
)");
}

TEST(Graph, NamesWhereAWayBackLeads) {
  const auto definition = test::Load(R"(
workflow:
  id: flow
  processes:
    - id: main
      tasks: [{id: try, type: script}, {id: check, type: exclusive}, {id: done, type: script}]
      transitions:
        - {from: try, to: check}
        - {from: check, to: try, condition: "outputs.again"}
        - {from: check, to: done}
)");
  test::CoreDriver flow(definition);
  flow.Start();
  EXPECT_EQ(DrawnAtTheEnd(flow), R"(
> try  running  <
o check  ↺ try
o done
)");
}

TEST(Graph, SaysWhatStepsWaitFor) {
  test::CoreDriver flow(R"(
id: flow
steps:
  - {id: agree, type: approval, config: {assignees: [ann, bob]}}
  - {id: pay, type: script, retry_policy: {max_attempts: 3, initial_delay: 1s}}
  - {id: pause, type: delay, duration: 1h}
)");
  flow.Start().Fail("pay");
  EXPECT_EQ(DrawnAtTheEnd(flow), R"(
w agree  waits for ann, bob
w pay  attempt 2 of 3 is to come  <
w pause  delay
)");
}

}  // namespace
}  // namespace stele::replay
