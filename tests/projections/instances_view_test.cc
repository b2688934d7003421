// The view of instances over real logs: what a row says at each moment, and how it is found.
#include <gmock/gmock.h>

#include "base/json.h"
#include "projections/search.h"
#include "projections/views/instances.h"
#include "replay/history.h"
#include "tests/projections/busy_log.h"
#include "tests/projections/search_rows.h"

namespace stele::projections {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view kTwo =
    "id: two\n"
    "steps:\n"
    "  - {id: a, type: script, retry: {max_attempts: 2}}\n"
    "  - {id: b, type: script, depends_on: [a]}\n";

InstanceRow RowOf(const ViewLog& log, InstanceId id) {
  const auto view = BuiltView::Of<InstancesView>(log);
  const ViewReader reader = view->Read();
  const auto row = FindOne<InstanceRow>(reader, InstanceKey(id));
  EXPECT_TRUE(row.has_value() && row->has_value()) << "instance " << id.value;
  return row.has_value() && row->has_value() ? **row : InstanceRow();
}

std::vector<uint64_t> Found(const ViewLog& log, std::string_view query) {
  const auto view = BuiltView::Of<InstancesView>(log);
  const ViewReader reader = view->Read();
  const auto page = Find<InstanceRow>(reader, {.query = *ParseQuery(query), .now = log.now()});
  EXPECT_TRUE(page.has_value()) << page.error().message;
  std::vector<uint64_t> ids;
  if (page.has_value())
    for (const InstanceRow& row : page->rows) ids.push_back(row.id.value);
  return ids;
}

model::NamedPayload Variable(std::string name, std::string_view json) {
  return {std::move(name), Payload::FromText(json)};
}

TEST(InstancesView, TellsOfARunningInstanceWhatItDoes) {
  ViewLog log;
  const DefinitionId two = log.Define(kTwo);
  const TimeUs started = log.now();
  const InstanceId id = log.Start(two, {.business_key = "A-17", .tags = {"eu"}, .priority = 5});
  log.Wait(1'000'000);
  log.Complete(id, "a");
  const InstanceRow row = RowOf(log, id);
  EXPECT_EQ(row.definition, "two");
  EXPECT_EQ(row.version, 1u);
  EXPECT_EQ(row.status, "running");
  EXPECT_EQ(row.business_key, "A-17");
  EXPECT_THAT(row.tags, ElementsAre("eu"));
  EXPECT_EQ(row.priority, 5);
  EXPECT_EQ(row.started, started);
  EXPECT_EQ(row.ended, TimeUs());
  EXPECT_EQ(row.updated, started.Plus(1'000'000));
  EXPECT_EQ(row.actor, "test");
  EXPECT_EQ(row.steps_completed, 1u);
  EXPECT_EQ(row.steps_total, 2u);
  EXPECT_EQ(row.ProgressPercent(), 50u);
  ASSERT_THAT(row.steps, SizeIs(1));
  EXPECT_EQ(row.steps[0].label, "b");
  EXPECT_EQ(row.steps[0].state, "attempt");
  EXPECT_EQ(row.steps[0].since, started.Plus(1'000'000));
  EXPECT_THAT(row.waits, IsEmpty());
}

TEST(InstancesView, TellsOfOneThatEndedHow) {
  ViewLog log;
  const DefinitionId two = log.Define(kTwo);
  const InstanceId done = log.Start(two), failed = log.Start(two), gone = log.Start(two);
  log.Complete(done, "a");
  log.Wait(5);
  log.Complete(done, "b");
  log.Fail(failed, "a", "boom", false);
  log.Do(gone, model::TerminateInstance{"enough"});
  const InstanceRow row = RowOf(log, done);
  EXPECT_EQ(row.status, "completed");
  EXPECT_EQ(row.ended, log.now());
  EXPECT_EQ(row.steps_completed, 2u);
  EXPECT_EQ(row.ProgressPercent(), 100u);
  EXPECT_THAT(row.steps, IsEmpty());
  const InstanceRow other = RowOf(log, failed);
  EXPECT_EQ(other.status, "failed");
  EXPECT_EQ(other.error_kind, "boom");
  EXPECT_THAT(other.error_message, HasSubstr("boom happened"));
  EXPECT_EQ(RowOf(log, gone).status, "terminated");
  EXPECT_THAT(Found(log, "status:completed"), ElementsAre(1));
  EXPECT_THAT(Found(log, "status:running"), IsEmpty()) << "none is any more";
  EXPECT_THAT(Found(log, "error:boom happened"), ElementsAre(2));
}

TEST(InstancesView, SaysWhatAnInstanceWaitsFor) {
  ViewLog log;
  const DefinitionId approval =
      log.Define("id: ask\nsteps: [{id: review, type: approval, config: {assignees: anna}}]\n");
  const DefinitionId parks =
      log.Define("id: parks\nerror_handling: {strategy: park}\nsteps: [{id: a, type: script}]\n");
  const InstanceId asks = log.Start(approval), parked = log.Start(parks), paused = log.Start(parks);
  log.Fail(parked, "a", "http", false);
  log.Do(paused, model::PauseInstance{"lunch"});
  const InstanceRow row = RowOf(log, asks);
  EXPECT_EQ(row.status, "waiting");
  ASSERT_THAT(row.waits, SizeIs(1));
  EXPECT_EQ(row.waits[0].what, "people");
  EXPECT_EQ(row.waits[0].step, "review");
  EXPECT_EQ(row.waits[0].subject, "anna");
  const InstanceRow stuck = RowOf(log, parked);
  EXPECT_EQ(stuck.status, "parked");
  EXPECT_EQ(stuck.error_kind, "http");
  EXPECT_THAT(stuck.waits[0].subject, HasSubstr("http: http happened"));
  EXPECT_EQ(RowOf(log, paused).status, "paused");
  EXPECT_THAT(Found(log, "waiting:people"), ElementsAre(asks.value));
  EXPECT_THAT(Found(log, "waiting:operator error:http"), ElementsAre(parked.value));
  EXPECT_THAT(Found(log, "status:paused,parked"), testing::UnorderedElementsAre(2, 3));
  EXPECT_THAT(Found(log, "step:review"), ElementsAre(asks.value));
  log.Do(parked, model::ResolveIncident{log.RunOf(parked, "a").id, model::Resolution::kRetry});
  EXPECT_EQ(RowOf(log, parked).status, "running");
  EXPECT_EQ(RowOf(log, parked).error_kind, "") << "it goes on";
  EXPECT_THAT(Found(log, "has:error"), IsEmpty());
}

TEST(InstancesView, SaysUntilWhenADelayIs) {
  ViewLog log;
  const DefinitionId rests =
      log.Define("id: rests\nsteps: [{id: rest, type: delay, duration: 3h}]\n");
  const InstanceId id = log.Start(rests);
  const InstanceRow row = RowOf(log, id);
  EXPECT_EQ(row.status, "waiting");
  ASSERT_THAT(row.waits, SizeIs(1));
  EXPECT_EQ(row.waits[0].what, "delay");
  EXPECT_EQ(row.waits[0].step, "rest");
  EXPECT_EQ(row.waits[0].due, log.now().Plus(3 * 3'600'000'000));
  EXPECT_THAT(Found(log, "waiting:delay status:waiting"), ElementsAre(id.value));
  log.Elapse(id);
  EXPECT_THAT(Found(log, "waiting:delay"), IsEmpty());
}

constexpr std::string_view kUndoes = R"(
id: undoes
timeout: 1h
error_handling: compensate
steps:
  - {id: a, type: script, compensation: undo}
  - {id: b, type: script, depends_on: [a]}
  - {id: undo, type: script}
)";

TEST(InstancesView, SaysWhyAnInstanceIsBeingUndoneAndNotThatItIsDone) {
  ViewLog log;
  const InstanceId id = log.Start(log.Define(kUndoes));
  log.Complete(id, "a");
  EXPECT_EQ(RowOf(log, id).ProgressPercent(), 50u);
  log.Elapse(id);
  const InstanceRow undone = RowOf(log, id);
  EXPECT_EQ(undone.status, "compensating");
  EXPECT_EQ(undone.error_kind, "deadline");
  EXPECT_EQ(undone.ProgressPercent(), 50u) << "what was cut off is not done";
  EXPECT_THAT(Found(log, "error:deadline"), ElementsAre(id.value));
  log.Fail(id, "undo", "exit", false);
  const InstanceRow stuck = RowOf(log, id);
  EXPECT_EQ(stuck.status, "parked");
  EXPECT_EQ(stuck.error_kind, "deadline");
  EXPECT_THAT(Found(log, "error:deadline"), ElementsAre(id.value));
  EXPECT_THAT(Found(log, "error:exit waiting:operator"), ElementsAre(id.value));
  log.Do(id, model::ResolveIncident{log.RunOf(id, "undo").id, model::Resolution::kSkip});
  const InstanceRow failed = RowOf(log, id);
  EXPECT_EQ(failed.status, "failed");
  EXPECT_EQ(failed.error_kind, "deadline");
  EXPECT_EQ(failed.ProgressPercent(), 50u);
  EXPECT_THAT(Found(log, "error:exit"), IsEmpty());
}

TEST(InstancesView, CountsAStepThatHasCompletedOnceAndNotWhatUndoesIt) {
  ViewLog log;
  const DefinitionId definition = log.Define(R"(
id: undoes
error_handling: compensate
steps:
  - {id: a, type: script, compensation: undo}
  - {id: b, type: script, depends_on: [a], compensation: undo}
  - {id: c, type: script, depends_on: [b]}
  - {id: undo, type: script}
)");
  const InstanceId id = log.Start(definition);
  log.Complete(id, "a");
  log.Complete(id, "b");
  log.Do(id, model::RollBack{log.RunOf(id, "c").id, StepIndex(0), "again"});
  EXPECT_EQ(RowOf(log, id).steps_completed, 0u) << "they run once more";
  log.Complete(id, "a");
  log.Complete(id, "b");
  EXPECT_EQ(RowOf(log, id).steps_completed, 2u);
  log.Fail(id, "c", "exit", false);
  while (RowOf(log, id).status == "compensating") log.Complete(id, "undo");
  const InstanceRow undone = RowOf(log, id);
  EXPECT_EQ(undone.status, "failed");
  EXPECT_EQ(undone.steps_completed, 2u);
  EXPECT_EQ(undone.steps_total, 3u);
}

TEST(InstancesView, CountsALoopAsOneStep) {
  ViewLog log;
  const InstanceId id = log.Start(log.Define(R"(
id: rounds
steps:
  - id: round
    type: for_each
    config: {items: [1, 2, 3]}
    steps:
      - {id: turn, type: script}
)"));
  while (RowOf(log, id).status == "running") {
    EXPECT_EQ(RowOf(log, id).steps_completed, 0u);
    log.Complete(id, "turn");
  }
  EXPECT_EQ(RowOf(log, id).steps_completed, 1u);
  EXPECT_EQ(RowOf(log, id).steps_total, 1u);
}

TEST(InstancesView, OfOneWhoseStepsHadAllCompletedIsNotDoneWhileItIsUndone) {
  InstanceRow row;
  row.steps_total = row.steps_decided = 2;
  row.status = "compensating";
  EXPECT_EQ(row.ProgressPercent(), 100u);
  row.undone = true;
  EXPECT_EQ(row.ProgressPercent(), 99u);
}

TEST(InstancesView, IsFoundByVariablesAndInput) {
  ViewLog log;
  const DefinitionId two = log.Define(kTwo);
  model::StartInstance start;
  start.variables = {Variable("customer", R"({"id": 42, "name": "anna", "address": {"x": 1}})"),
                     Variable("total", "9.5"),
                     Variable("paid", "true"),
                     Variable("none", "null"),
                     Variable("list", "[1]"),
                     Variable("long", "\"" + std::string(101, 'x') + "\"")};
  start.input = Payload::FromText(R"({"order": "A 1", "at": {"shop": "b"}})");
  const InstanceId id = log.Start(two, start);
  std::vector<std::string> shown;
  for (const RowVariable& variable : RowOf(log, id).variables)
    shown.push_back((variable.is_input ? "input." : "var.") + variable.name + "=" + variable.value);
  EXPECT_THAT(shown, ElementsAre("var.customer.id=42", "var.customer.name=anna", "var.total=9.5",
                                 "var.paid=true", "input.order=A 1", "input.at.shop=b"));
  EXPECT_THAT(Found(log, "var.customer.id=42 var.paid:true"), ElementsAre(1));
  EXPECT_THAT(Found(log, "input.order:\"A 1\""), ElementsAre(1));
  const std::string json = ToJson(ToJson(RowOf(log, id), log.now()));
  EXPECT_THAT(json, HasSubstr(R"("variables":{"customer.id":42,"customer.name":"anna",)"
                              R"("total":9.5,"paid":true})"));
  log.Do(id, model::AssignVariables{ScopeId(), {Variable("total", "10")}});
  EXPECT_THAT(Found(log, "var.total=9.5"), IsEmpty());
  EXPECT_THAT(Found(log, "var.total>=10"), ElementsAre(1));
}

TEST(InstancesView, ShowsABoundedNumberOfVariables) {
  ViewLog log;
  const DefinitionId two = log.Define(kTwo);
  model::StartInstance start;
  for (int i = 0; i < 40; ++i)
    start.variables.push_back(Variable(fmt::format("v{}", i), std::to_string(i)));
  const InstanceId id = log.Start(two, start);
  EXPECT_THAT(RowOf(log, id).variables, SizeIs(kMaxRowVariables));
  EXPECT_THAT(Found(log, "var.v31=31"), ElementsAre(1));
  EXPECT_THAT(Found(log, "var.v32=32"), IsEmpty());
}

TEST(InstancesView, NamesWhatStartedAnInstance) {
  ViewLog log;
  const DefinitionId two = log.Define(kTwo);
  log.Start(two, {.idempotency_key = "trigger:7:2026-01-01"});
  log.Start(two, {.idempotency_key = "trigger:7"});
  log.Start(two, {.parent_instance = InstanceId(1), .parent_run = RunId(2)});
  EXPECT_EQ(RowOf(log, InstanceId(1)).trigger, TriggerId(7));
  EXPECT_EQ(RowOf(log, InstanceId(2)).trigger, TriggerId());
  EXPECT_THAT(Found(log, "trigger:7"), ElementsAre(1));
  EXPECT_THAT(Found(log, "parent:1"), ElementsAre(3));
  EXPECT_THAT(Found(log, "-has:parent actor:test"), ElementsAre(2, 1));
}

TEST(InstancesView, FollowsAnInstanceToAnotherVersion) {
  ViewLog log;
  const DefinitionId first = log.Define(kTwo);
  const DefinitionId second = log.Define(
      "id: two\nsteps:\n"
      "  - {id: a, type: script}\n  - {id: b, type: script, depends_on: [a]}\n"
      "  - {id: c, type: script, depends_on: [b]}\n");
  const InstanceId id = log.Start(first);
  log.Do(id, model::MigrateInstance{second, ""});
  EXPECT_EQ(RowOf(log, id).version, 2u);
  EXPECT_EQ(RowOf(log, id).steps_total, 3u);
  EXPECT_THAT(Found(log, "version:1"), IsEmpty());
  EXPECT_THAT(Found(log, "definition:two version:2"), ElementsAre(1));
}

TEST(InstancesView, LabelsTheStepsOfLoopsAndBoundsThem) {
  ViewLog log;
  const DefinitionId loop = log.Define(
      "id: loop\nsteps:\n"
      "  - id: each\n    type: loop\n    items: \"{{ input.list }}\"\n    max_concurrent: 50\n"
      "    steps: [{id: work, type: script}]\n");
  const InstanceId id = log.Start(
      loop, {.input = Payload::FromText("{\"list\": [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,"
                                        "19,20]}")});
  const InstanceRow row = RowOf(log, id);
  EXPECT_EQ(row.steps_open, 21u);
  ASSERT_THAT(row.steps, SizeIs(kMaxRowSteps));
  EXPECT_EQ(row.steps[0].label, "each");
  EXPECT_EQ(row.steps[3].label, "work[2]");
  EXPECT_EQ(row.steps[3].id, "work");
}

TEST(InstancesView, IsTheSameHoweverTheLogIsCutIntoBatches) {
  ViewLog log;
  const DefinitionId two = log.Define(kTwo);
  const DefinitionId asks =
      log.Define("id: ask\nsteps: [{id: review, type: approval, config: {assignees: anna}}]\n");
  for (int round = 0; round < 12; ++round) {
    const InstanceId one = log.Start(two, {.tags = {"x"}, .priority = round});
    const InstanceId person = log.Start(asks);
    log.Wait(1'000);
    log.Do(person, model::PauseInstance{"x"});
    log.Fail(one, "a");
    log.Elapse(one);
    log.Complete(one, "a");
    log.Do(person, model::DecideTask{.run = RunId(1), .person = "anna", .approved = round > 1});
    if (round % 2 == 0) log.Complete(one, "b");
  }
  ExpectTheSameInAllBatches<InstancesView>(log, 50);
}

TEST(InstancesView, OfABusyLogIsTheSameInAllBatches) {
  BusyLog busy(3);
  busy.Run(1'600);
  ExpectTheSameInAllBatches<InstancesView>(busy.log, 300);
}

TEST(InstancesView, SaysOfEachInstanceWhatItsHistorySays) {
  BusyLog busy(4);
  busy.Run(600);
  const auto view = BuiltView::Of<InstancesView>(busy.log, 50);
  const ViewReader reader = view->Read();
  uint64_t number = 0;
  for (;; ++number) {
    model::Instance instance;
    instance.id = InstanceId(number + 1);
    const Status read = replay::ReadHistory(busy.log.store, ViewLog::kShard, instance.id,
                                            [&](const replay::HistoryEntry& entry) {
                                              apply::Apply(instance, entry.event, entry.record);
                                            });
    if (!read.has_value()) break;
    const auto found = FindOne<InstanceRow>(reader, InstanceKey(instance.id));
    ASSERT_TRUE(found.has_value() && found->has_value()) << instance.id.value;
    const InstanceRow& row = **found;
    EXPECT_LE(row.steps_completed, row.steps_decided) << instance.id.value;
    EXPECT_LE(row.steps_decided, row.steps_total) << instance.id.value;
    EXPECT_EQ(row.started, instance.started);
    EXPECT_EQ(row.ended, instance.ended);
    if (model::HasEnded(instance.status)) {
      EXPECT_EQ(row.status, model::StatusName(instance.status));
    } else {
      EXPECT_EQ(row.status == "paused", instance.paused) << row.status;
    }
    EXPECT_LE(row.ProgressPercent(), 100u);
  }
  EXPECT_GE(number, 50u);
}

// Whatever rows went through, the index is that of the rows as they are.
TEST(InstancesView, OfABusyLogHasTheIndexOfItsRows) {
  BusyLog busy(5);
  busy.Run(400);
  const auto rows = BuiltView::Of<InstancesView>(busy.log, 3)->Rows();
  TestTable<InstanceRow> table;
  for (const auto& [key, value] : rows) {
    if (!key.starts_with('r')) continue;
    InstanceRow row;
    ASSERT_TRUE(DecodeRow(value, &row));
    table.Put(row);
  }
  table.Write();
  const ViewReader reader = table.Read();
  std::map<std::string, std::string> fresh;
  for (KeyCursor keys = reader.Keys(""); keys.valid(); keys.Next())
    fresh.emplace(keys.key(), keys.value());
  EXPECT_EQ(fresh, rows);
}

TEST(InstancesView, IsWrittenAsJson) {
  ViewLog log;
  const DefinitionId two = log.Define(kTwo);
  const InstanceId id = log.Start(two, {.business_key = "A-17", .tags = {"eu"}});
  log.Wait(7);
  const std::string json = ToJson(ToJson(RowOf(log, id), log.now()));
  for (const std::string_view part :
       {R"("instance":1)", R"("definition":"two")", R"("business_key":"A-17")", R"("tags":["eu"])",
        R"("ended":null)", R"("duration":7)", R"("progress":0)", R"("label":"a")",
        R"("error":null)"})
    EXPECT_THAT(json, HasSubstr(part));
}

}  // namespace
}  // namespace stele::projections
