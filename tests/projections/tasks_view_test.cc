// The view of tasks for people over real logs.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/json.h"
#include "projections/search.h"
#include "projections/views/tasks.h"
#include "tests/projections/busy_log.h"

namespace stele::projections {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

constexpr std::string_view kApproval =
    "id: ask\n"
    "steps:\n"
    "  - {id: review, type: approval, config: {title: Look at it, assignees: [anna, bo],\n"
    "     groups: [ops], min_approvers: 2, on_reject: fail}}\n";
constexpr std::string_view kManual =
    "id: by-hand\nsteps: [{id: pack, type: manual, optional: true}]\n";

TaskRow RowOf(const ViewLog& log, uint64_t instance, uint32_t run = 1) {
  const auto view = BuiltView::Of<TasksView>(log);
  const ViewReader reader = view->Read();
  const auto row = FindOne<TaskRow>(reader, TaskKey(InstanceId(instance), RunId(run)));
  EXPECT_TRUE(row.has_value() && row->has_value()) << instance << "/" << run;
  return row.has_value() && row->has_value() ? **row : TaskRow();
}

std::vector<uint64_t> Found(const ViewLog& log, std::string_view query) {
  const auto view = BuiltView::Of<TasksView>(log);
  const ViewReader reader = view->Read();
  const auto page = Find<TaskRow>(reader, {.query = *ParseQuery(query), .now = log.now()});
  EXPECT_TRUE(page.has_value()) << page.error().message;
  std::vector<uint64_t> ids;
  if (page.has_value())
    for (const TaskRow& row : page->rows) ids.push_back(row.instance.value);
  return ids;
}

model::DecideTask Decision(std::string person, bool approved, std::string comment = "") {
  return {.run = RunId(1),
          .person = std::move(person),
          .approved = approved,
          .comment = std::move(comment)};
}

TEST(TasksView, TellsWhoMayActAndWhoHas) {
  ViewLog log;
  const DefinitionId approval = log.Define(kApproval);
  const TimeUs created = log.now();
  const InstanceId id = log.Start(approval, {.business_key = "A-17"});
  log.Wait(10);
  log.Do(id, Decision("anna", true, "fine"));
  const TaskRow row = RowOf(log, 1);
  EXPECT_EQ(row.definition, "ask");
  EXPECT_EQ(row.step, "review");
  EXPECT_EQ(row.type, "approval");
  EXPECT_EQ(row.title, "Look at it");
  EXPECT_EQ(row.state, "open");
  EXPECT_THAT(row.assignees, ElementsAre("anna", "bo"));
  EXPECT_THAT(row.groups, ElementsAre("ops"));
  EXPECT_EQ(row.min_approvers, 2u);
  EXPECT_EQ(row.created, created);
  EXPECT_EQ(row.completed, TimeUs());
  EXPECT_EQ(row.business_key, "A-17");
  ASSERT_THAT(row.votes, SizeIs(1));
  EXPECT_EQ(row.votes[0].person, "anna");
  EXPECT_EQ(row.votes[0].comment, "fine");
  EXPECT_EQ(row.votes[0].time, created.Plus(10));
}

TEST(TasksView, KeepsTasksThatAreOver) {
  ViewLog log;
  const DefinitionId approval = log.Define(kApproval), manual = log.Define(kManual);
  const InstanceId approved = log.Start(approval), rejected = log.Start(approval);
  const InstanceId done = log.Start(manual), skipped = log.Start(manual);
  const InstanceId cancelled = log.Start(manual), terminated = log.Start(manual);
  const InstanceId failed = log.Start(manual), open = log.Start(manual);
  log.Wait(60);
  log.Do(approved, Decision("anna", true));
  log.Do(approved, Decision("bo", true));
  log.Do(rejected, Decision("bo", false, "no"));
  log.Do(done, Decision("carl", true));
  log.Do(skipped, model::SkipStep{RunId(1), "not today"});
  log.Do(cancelled, model::CancelInstance{});
  log.Do(terminated, model::TerminateInstance{});
  log.Fail(failed, "pack", "broken", false);
  log.Do(open, model::ClaimTask{.run = RunId(1), .person = "carl"});
  std::vector<std::string> states;
  for (uint64_t id = 1; id <= 8; ++id) {
    states.push_back(RowOf(log, id).state);
    EXPECT_EQ(RowOf(log, id).completed, id == 8 ? TimeUs() : log.now()) << id;
  }
  EXPECT_THAT(states, ElementsAre("approved", "rejected", "done", "skipped", "cancelled",
                                  "cancelled", "failed", "claimed"));
  EXPECT_THAT(RowOf(log, 1).votes, SizeIs(2)) << "the deciding one too";
  EXPECT_THAT(Found(log, "state:open"), IsEmpty());
  EXPECT_THAT(Found(log, "state:claimed claimed:carl"), ElementsAre(8));
  EXPECT_THAT(Found(log, "type:approval state:approved,rejected"), UnorderedElementsAre(1, 2));
  EXPECT_THAT(Found(log, "completed>1h"), UnorderedElementsAre(1, 2, 3, 4, 5, 6, 7));
}

TEST(TasksView, FindsWhatAPersonMayDo) {
  ViewLog log;
  const DefinitionId approval = log.Define(kApproval), manual = log.Define(kManual);
  const InstanceId named = log.Start(approval), free = log.Start(manual);
  log.Do(free, model::ClaimTask{.run = RunId(1), .person = "carl"});
  log.Do(free, model::ReleaseTask{.run = RunId(1), .person = "carl"});
  EXPECT_THAT(Found(log, "state:open for:anna"), ElementsAre(named.value));
  EXPECT_THAT(Found(log, "state:open for:@ops"), ElementsAre(named.value));
  EXPECT_THAT(Found(log, "state:open,claimed for:carl,@ops,anybody"), UnorderedElementsAre(1, 2));
  EXPECT_THAT(Found(log, "assignee:bo group:ops definition:ask step:review"),
              ElementsAre(named.value));
  EXPECT_THAT(Found(log, "look"), ElementsAre(named.value)) << "by its title";
  EXPECT_THAT(Found(log, "instance:2"), ElementsAre(2));
  for (const char* id : {"2-1", "2/1"}) {
    EXPECT_THAT(Found(log, fmt::format("id:{}", id)), ElementsAre(2));
    EXPECT_THAT(Found(log, fmt::format("-id:{}", id)), ElementsAre(1));
  }
}

TEST(TasksView, OpensATaskAgainThatIsTriedAgain) {
  ViewLog log;
  const DefinitionId retried = log.Define(
      "id: again\nsteps: [{id: pack, type: manual, config: {deadline: 1h}, "
      "retry: {max_attempts: 2, initial_delay: 10s}}]\n");
  const InstanceId id = log.Start(retried);
  EXPECT_EQ(RowOf(log, 1).due, log.now().Plus(3'600'000'000));
  log.Elapse(id);
  EXPECT_EQ(RowOf(log, 1).state, "failed");
  EXPECT_EQ(RowOf(log, 1).completed, log.now());
  log.Elapse(id);
  EXPECT_EQ(RowOf(log, 1).state, "open");
  EXPECT_EQ(RowOf(log, 1).completed, TimeUs());
  log.Wait(5);
  log.Do(id, Decision("anna", true));
  EXPECT_EQ(RowOf(log, 1).state, "done");
  EXPECT_EQ(RowOf(log, 1).completed, log.now());
  ExpectTheSameInAllBatches<TasksView>(log, 5);
}

TEST(TasksView, OfAFailureThatAnotherStepStandsInForSaysWhenItFailed) {
  ViewLog log;
  const DefinitionId fallback = log.Define(
      "id: fall\nsteps:\n"
      "  - {id: review, type: approval, config: {assignees: anna}, fallback: mend}\n"
      "  - {id: mend, type: script}\n");
  const InstanceId id = log.Start(fallback);
  log.Do(id, Decision("anna", false));
  const TimeUs rejected = log.now();
  log.Wait(100);
  log.Complete(id, "mend");
  EXPECT_EQ(RowOf(log, 1).state, "rejected");
  EXPECT_EQ(RowOf(log, 1).completed, rejected);
  ExpectTheSameInAllBatches<TasksView>(log, 5);
}

TEST(TasksView, IsTheSameHoweverTheLogIsCutIntoBatches) {
  ViewLog log;
  const DefinitionId approval = log.Define(kApproval), manual = log.Define(kManual);
  for (int round = 0; round < 8; ++round) {
    const InstanceId one = log.Start(approval), two = log.Start(manual);
    log.Wait(10);
    log.Do(one, model::ClaimTask{.run = RunId(1), .person = "anna"});
    log.Do(one, Decision("anna", round % 2 == 0));
    log.Do(two, model::PauseInstance{});
    if (round == 1) log.Do(two, model::TerminateInstance{});
    if (round == 2) log.Do(two, Decision("carl", true));
  }
  ExpectTheSameInAllBatches<TasksView>(log, 50);
}

TEST(TasksView, OfABusyLogIsTheSameInAllBatches) {
  BusyLog busy(3);
  busy.Run(5'000);
  ExpectTheSameInAllBatches<TasksView>(busy.log, 300);
}

// "instance/run" of those in the state of the instances, and of those in the view.
std::vector<std::string> WaitingIn(BusyLog& busy) {
  std::vector<std::string> waiting;
  for (uint64_t id = 1; busy.log.instance(InstanceId(id)).seq; ++id)
    for (const model::StepRun& run : busy.log.instance(InstanceId(id)).runs)
      if (run.human != nullptr && run.state == model::RunState::kWaiting)
        waiting.push_back(fmt::format("{}/{}", id, run.id.value));
  return waiting;
}
std::vector<std::string> OpenIn(const BusyLog& busy) {
  const auto view = BuiltView::Of<TasksView>(busy.log, 50);
  const ViewReader reader = view->Read();
  const auto page = Find<TaskRow>(
      reader, {.query = *ParseQuery("state:open,claimed"), .limit = 1'000, .now = busy.log.now()});
  EXPECT_TRUE(page.has_value());
  std::vector<std::string> open;
  for (const TaskRow& row : page->rows) {
    open.push_back(fmt::format("{}/{}", row.instance.value, row.run.value));
    EXPECT_EQ(row.completed, TimeUs());
  }
  return open;
}

TEST(TasksView, HasAnOpenRowForEachTaskThatWaits) {
  size_t waiting = 0;
  for (const uint32_t seed : {1, 2, 3, 4, 5, 6}) {
    BusyLog busy(seed);
    busy.Run(150);
    const std::vector<std::string> tasks = WaitingIn(busy);
    waiting += tasks.size();
    EXPECT_THAT(OpenIn(busy), testing::UnorderedElementsAreArray(tasks)) << "seed " << seed;
  }
  EXPECT_GE(waiting, 5u);
}

TEST(TasksView, IsWrittenAsJson) {
  ViewLog log;
  log.Start(log.Define(kApproval));
  const std::string json = ToJson(ToJson(RowOf(log, 1)));
  for (const std::string_view part :
       {R"("id":"1-1")", R"("title":"Look at it")", R"("assignees":["anna","bo"])",
        R"("claimed_by":null)", R"("min_approvers":2)", R"("due":null)"})
    EXPECT_THAT(json, HasSubstr(part));
}

}  // namespace
}  // namespace stele::projections
