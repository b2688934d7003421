// Which errors there are, how often, and what counts as once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "projections/views/errors.h"
#include "tests/projections/busy_log.h"

namespace stele::projections {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr std::string_view kTwo = R"(
id: two
steps:
  - {id: a, type: script, retry: {max_attempts: 3, initial_delay: 1s}}
  - {id: b, type: script, depends_on: [a]}
)";

std::vector<ErrorRow> All(const ViewLog& log, const ErrorFilter& filter = {}) {
  const auto view = BuiltView::Of<ErrorsView>(log);
  auto page = ListErrors(view->Read(), filter, 1'000, "");
  EXPECT_TRUE(page.has_value()) << page.error().message;
  EXPECT_EQ(page->next, "");
  EXPECT_TRUE(ReadMessages(log.store, ViewLog::kShard, *page).has_value());
  return page->errors;
}

// "a boom: 3 occurred, 3 attempts, 1 steps, 0 incidents, 0 instances"
std::vector<std::string> Told(const std::vector<ErrorRow>& errors) {
  std::vector<std::string> told;
  for (const ErrorRow& row : errors)
    told.push_back(
        fmt::format("{} {}: {} occurred, {} attempts, {} steps, {} incidents, {} instances",
                    row.step.empty() ? "-" : row.step, row.kind, row.count, row.attempts, row.steps,
                    row.incidents, row.instances));
  return told;
}

TEST(ErrorsView, CountsEachFailedAttemptAndWhatCameOfThem) {
  ViewLog log;
  const InstanceId id = log.Start(log.Define(kTwo));
  for (int i = 0; i < 3; ++i) {
    log.Fail(id, "a");
    if (i < 2) log.Elapse(id);
  }
  const std::vector<ErrorRow> errors = All(log);
  EXPECT_THAT(
      Told(errors),
      UnorderedElementsAre("a boom: 3 occurred, 3 attempts, 1 steps, 0 incidents, 0 instances",
                           "- boom: 0 occurred, 0 attempts, 0 steps, 0 incidents, 1 instances"));
}

TEST(ErrorsView, KnowsTheFirstAndTheLastOne) {
  ViewLog log;
  const DefinitionId two = log.Define(kTwo);
  const TimeUs first = log.now();
  log.Fail(log.Start(two), "a");
  log.Wait(60'000'000);
  const InstanceId last = log.Start(two);
  log.Complete(last, "a");
  log.Fail(log.Start(two), "a");
  log.Wait(-30'000'000);
  log.Fail(log.Start(two), "a");
  const std::vector<ErrorRow> errors = All(log);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].count, 3u);
  EXPECT_EQ(errors[0].first, first);
  EXPECT_EQ(errors[0].last, first.Plus(60'000'000)) << "by time, though the clock was put back";
  EXPECT_EQ(errors[0].instance, InstanceId(3));
  EXPECT_EQ(errors[0].run, RunId(1));
  EXPECT_EQ(errors[0].message, "boom happened");
  EXPECT_EQ(ToJson(errors[0]).Find("error_type")->as_string(), "boom");
  EXPECT_EQ(ToJson(errors[0]).Find("last_occurrence")->as_int(), errors[0].last.value);
}

TEST(ErrorsView, CountsADeadlineOnceWhetherItIsRetriedOrNot) {
  ViewLog log;
  const InstanceId id = log.Start(log.Define(R"(
id: flow
steps: [{id: paid, type: message, config: {name: paid}, timeout: 5s, retry: {max_attempts: 2}}]
)"));
  log.Elapse(id);
  EXPECT_THAT(
      Told(All(log)),
      ElementsAre("paid timeout: 1 occurred, 1 attempts, 0 steps, 0 incidents, 0 instances"));
  log.Elapse(id);
  log.Elapse(id);
  EXPECT_THAT(Told(All(log)),
              UnorderedElementsAre(
                  "paid timeout: 2 occurred, 2 attempts, 1 steps, 0 incidents, 0 instances",
                  "- timeout: 0 occurred, 0 attempts, 0 steps, 0 incidents, 1 instances"));
}

TEST(ErrorsView, CountsWhatDiesWithTheEngineAndNotWhatItStops) {
  ViewLog log;
  const DefinitionId two = log.Define(kTwo);
  log.Do(log.Start(two), model::InterruptAttempt{RunId(1), 1, model::Interruption::kCrash});
  log.Do(log.Start(two), model::InterruptAttempt{RunId(1), 1, model::Interruption::kShutdown});
  EXPECT_THAT(
      Told(All(log)),
      ElementsAre("a interrupted: 1 occurred, 1 attempts, 0 steps, 0 incidents, 0 instances"));
}

TEST(ErrorsView, CountsWhatHappensInALoopThere) {
  ViewLog log;
  const InstanceId id = log.Start(log.Define(R"(
id: flow
steps: [{id: each, type: loop, times: 2, steps: [{id: item, type: script}]}]
)"));
  log.Fail(id, "item");
  EXPECT_THAT(
      Told(All(log)),
      UnorderedElementsAre("item boom: 1 occurred, 1 attempts, 1 steps, 0 incidents, 0 instances",
                           "each boom: 0 occurred, 0 attempts, 1 steps, 0 incidents, 0 instances",
                           "- boom: 0 occurred, 0 attempts, 0 steps, 0 incidents, 1 instances"));
}

TEST(ErrorsView, CountsTheFaultOfAStepThatCouldNotBeginOnce) {
  ViewLog log;
  log.Start(log.Define(R"(
id: flow
variables: {n: 1}
steps: [{id: each, type: loop, items: "{{variables.n}}", steps: [{id: item, type: script}]}]
)"));
  const std::vector<ErrorRow> errors = All(log);
  ASSERT_EQ(errors.size(), 2u);
  for (const ErrorRow& row : errors) {
    EXPECT_EQ(row.count, row.step == "each" ? 1u : 0u);
    EXPECT_EQ(ToJson(row).Find("own")->as_int(), row.step == "each" ? 1 : 0);
    EXPECT_EQ(ToJson(row).Find("count")->as_int(), 1) << row.step << ": it was met";
    EXPECT_EQ(row.attempts, 0u);
    EXPECT_EQ(row.steps, row.step == "each" ? 1u : 0u);
  }
}

TEST(ErrorsView, CountsARefusedApproval) {
  ViewLog log;
  const InstanceId id = log.Start(
      log.Define("id: flow\nsteps: [{id: ask, type: approval, config: {assignees: [ann]}}]\n"));
  log.Do(id, model::DecideTask{.run = RunId(1), .person = "ann", .approved = false});
  EXPECT_THAT(
      Told(All(log, {.step = "ask"})),
      ElementsAre("ask rejected: 1 occurred, 0 attempts, 1 steps, 0 incidents, 0 instances"));
}

TEST(ErrorsView, CountsAnIncidentWithTheErrorThatRaisedIt) {
  ViewLog log;
  const InstanceId id =
      log.Start(log.Define("id: flow\nerror_handling: park\nsteps: [{id: a, type: script}]\n"));
  log.Fail(id, "a");
  EXPECT_THAT(Told(All(log)),
              ElementsAre("a boom: 1 occurred, 1 attempts, 0 steps, 1 incidents, 0 instances"));
  log.Do(id, model::ResolveIncident{RunId(1), model::Resolution::kFail});
  const std::vector<ErrorRow> errors = All(log);
  uint64_t count = 0;
  for (const ErrorRow& row : errors) count += row.count;
  EXPECT_EQ(count, 1u) << "the operator's decision is no error of its own";
}

TEST(ErrorsView, CountsAFailureOfAPausedInstanceOnce) {
  ViewLog log;
  const InstanceId id = log.Start(log.Define("id: flow\nsteps: [{id: a, type: script}]\n"));
  log.Do(id, model::PauseInstance{});
  log.Fail(id, "a");
  log.Do(id, model::ResumeInstance{});
  ASSERT_EQ(log.instance(id).status, model::Status::kFailed);
  EXPECT_THAT(
      Told(All(log)),
      UnorderedElementsAre("a boom: 1 occurred, 1 attempts, 1 steps, 0 incidents, 0 instances",
                           "- boom: 0 occurred, 0 attempts, 0 steps, 0 incidents, 1 instances"));
}

TEST(ErrorsView, CountsTheDeadlineOfAnInstance) {
  ViewLog log;
  const InstanceId id =
      log.Start(log.Define("id: flow\ntimeout: 60s\nsteps: [{id: a, type: script}]\n"));
  log.Elapse(id);
  EXPECT_THAT(Told(All(log)),
              ElementsAre("- deadline: 1 occurred, 0 attempts, 0 steps, 0 incidents, 1 instances"));
}

TEST(ErrorsView, CountsADeadlineWhenItComesAndNotWhenAllIsUndone) {
  ViewLog log;
  const InstanceId id = log.Start(log.Define(R"(
id: flow
timeout: 60s
error_handling: compensate
steps:
  - {id: a, type: script, compensation: undo}
  - {id: undo, type: script}
  - {id: b, type: script, depends_on: [a]}
)"));
  log.Complete(id, "a");
  log.Elapse(id);
  ASSERT_EQ(log.instance(id).status, model::Status::kCompensating);
  std::vector<ErrorRow> errors = All(log);
  ASSERT_THAT(Told(errors),
              ElementsAre("- deadline: 1 occurred, 0 attempts, 0 steps, 0 incidents, 0 instances"));
  EXPECT_FALSE(errors[0].message.empty());
  const TimeUs came = log.now();
  EXPECT_EQ(errors[0].last, came);
  log.Wait(1'000'000);
  log.Complete(id, "undo");
  ASSERT_EQ(log.instance(id).status, model::Status::kFailed);
  errors = All(log);
  ASSERT_THAT(Told(errors),
              ElementsAre("- deadline: 1 occurred, 0 attempts, 0 steps, 0 incidents, 1 instances"));
  EXPECT_EQ(errors[0].first, came);
}

TEST(ErrorsView, DoesNotTakeACancellationThatUndoesForAnError) {
  ViewLog log;
  const InstanceId id = log.Start(log.Define(R"(
id: flow
steps:
  - {id: a, type: script, compensation: undo}
  - {id: undo, type: script}
  - {id: b, type: script, depends_on: [a]}
)"));
  log.Complete(id, "a");
  log.Do(id, model::CancelInstance{.compensate = true});
  ASSERT_EQ(log.instance(id).status, model::Status::kCompensating);
  EXPECT_THAT(All(log), IsEmpty());
}

TEST(ErrorsList, HasTheLatestFirstAndPages) {
  ViewLog log;
  const DefinitionId two = log.Define(kTwo);
  for (int i = 0; i < 25; ++i) {
    log.Wait(1'000'000);
    log.Fail(log.Start(two), "a", fmt::format("kind{}", i));
  }
  log.Wait(1'000'000);
  log.Fail(log.Start(two), "a", "kind3");
  const auto view = BuiltView::Of<ErrorsView>(log, 3);
  const ViewReader reader = view->Read();
  std::vector<std::string> kinds;
  std::string cursor;
  do {
    const auto page = ListErrors(reader, {}, 10, cursor);
    ASSERT_TRUE(page.has_value()) << page.error().message;
    EXPECT_LE(page->errors.size(), 10u);
    for (const ErrorRow& row : page->errors) kinds.push_back(row.kind);
    cursor = page->next;
  } while (!cursor.empty());
  ASSERT_EQ(kinds.size(), 25u);
  EXPECT_EQ(kinds[0], "kind3");
  EXPECT_EQ(kinds[1], "kind24");
  EXPECT_EQ(kinds[24], "kind0");
}

TEST(ErrorsList, FiltersByDefinitionStepKindAndTime) {
  ViewLog log;
  const DefinitionId two = log.Define(kTwo);
  const DefinitionId other = log.Define("id: other\nsteps: [{id: x, type: script}]\n");
  log.Fail(log.Start(two), "a", "boom");
  log.Wait(1'000'000);
  const TimeUs later = log.now();
  log.Fail(log.Start(two), "a", "bang");
  log.Fail(log.Start(other), "x", "boom");
  const auto kinds = [&](const ErrorFilter& filter) {
    std::vector<std::string> found;
    for (const ErrorRow& row : All(log, filter))
      if (row.count > 0) found.push_back(row.definition + "." + row.step + "." + row.kind);
    return found;
  };
  EXPECT_THAT(kinds({.definition = "two"}), UnorderedElementsAre("two.a.boom", "two.a.bang"));
  EXPECT_THAT(kinds({.step = "x"}), ElementsAre("other.x.boom"));
  EXPECT_THAT(kinds({.kind = "boom"}), UnorderedElementsAre("two.a.boom", "other.x.boom"));
  EXPECT_THAT(kinds({.since = later}), UnorderedElementsAre("two.a.bang", "other.x.boom"));
  EXPECT_THAT(kinds({.since = later.Plus(1)}), IsEmpty());
}

TEST(ErrorsList, RefusesACursorOfAnotherListOrNone) {
  ViewLog log;
  const DefinitionId two = log.Define(kTwo);
  log.Fail(log.Start(two), "a", "boom");
  log.Fail(log.Start(two), "a", "bang");
  const auto view = BuiltView::Of<ErrorsView>(log);
  const ViewReader reader = view->Read();
  const std::string cursor = ListErrors(reader, {}, 1, "")->next;
  ASSERT_NE(cursor, "");
  EXPECT_EQ(ListErrors(reader, {.kind = "boom"}, 1, cursor).error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(ListErrors(reader, {}, 1, "nonsense").error().code, ErrorCode::kInvalidInput);
}

TEST(ErrorsList, PagesWhatIsAskedForFromNow) {
  ViewLog log;
  const DefinitionId two = log.Define(kTwo);
  for (int i = 0; i < 4; ++i) {
    log.Wait(1'000'000);
    log.Fail(log.Start(two), "a", fmt::format("kind{}", i));
  }
  const auto view = BuiltView::Of<ErrorsView>(log);
  const ViewReader reader = view->Read();
  // Each page is asked for later, and the first one's moment counts.
  ErrorFilter filter{.kind = "", .since = log.now().Plus(-2'000'000), .since_text = "2s"};
  const auto first = ListErrors(reader, filter, 1, "");
  filter.since = log.now();
  const auto second = ListErrors(reader, filter, 1, first->next);
  ASSERT_TRUE(second.has_value()) << second.error().message;
  const auto third = ListErrors(reader, filter, 5, second->next);
  ASSERT_EQ(third->errors.size(), 1u);
  EXPECT_EQ(third->errors[0].kind, "kind1");
  filter.since_text = "3s";
  EXPECT_THAT(ListErrors(reader, filter, 1, first->next).error().message,
              testing::HasSubstr("the search of errors, since \"3s\" but found one of"));
  filter.since_text = "2s";
  EXPECT_EQ(ListErrors(reader, filter, 1, first->next, "as of 3").error().code,
            ErrorCode::kInvalidInput);
}

TEST(ErrorsView, BoundsTheKindsOfADefinition) {
  ViewLog log;
  const DefinitionId two = log.Define(kTwo);
  const size_t kinds = kMaxErrorsOfADefinition + 20;
  for (size_t i = 0; i < kinds; ++i) log.Fail(log.Start(two), "a", fmt::format("kind {}", i));
  log.Fail(log.Start(two), "a", "kind 1");
  const auto view = BuiltView::Of<ErrorsView>(log, 1'000);
  std::vector<ErrorRow> errors = ListErrors(view->Read(), {}, 2'000, "")->errors;
  EXPECT_EQ(errors.size(), kMaxErrorsOfADefinition + 1);
  errors = ListErrors(view->Read(), {.kind = std::string(kOtherErrors)}, 10, "")->errors;
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].count, 20u);
  EXPECT_EQ(ListErrors(view->Read(), {.kind = "kind 1"}, 10, "")->errors[0].count, 2u);
  ExpectTheSameInAllBatches<ErrorsView>(log, kMaxErrorsOfADefinition);
}

TEST(ErrorsView, TellsAKindThatIsCalledLikeTheOthersFromThem) {
  ViewLog log;
  const InstanceId id = log.Start(log.Define(kTwo));
  log.Fail(id, "a", std::string(kOtherErrors), false);
  const std::vector<ErrorRow> rows = All(log, {});
  ASSERT_EQ(rows.size(), 2u);
  for (const ErrorRow& row : rows) {
    EXPECT_EQ(row.kind, "\"(other kinds)\"");
    EXPECT_EQ(row.message, "(other kinds) happened");
  }
}

TEST(ErrorsView, CutsWhatIsTooLong) {
  ViewLog log;
  const std::string kind(10'000, 'k');
  log.Fail(log.Start(log.Define(kTwo)), "a", kind);
  const std::vector<ErrorRow> errors = All(log);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].kind.size(), kMaxErrorKindBytes);
  EXPECT_EQ(errors[0].message.size(), kMaxErrorMessageBytes);
}

TEST(ErrorsView, IsTheSameHoweverTheLogIsCutIntoBatches) {
  BusyLog busy;
  busy.Run(4'000);
  ExpectTheSameInAllBatches<ErrorsView>(busy.log, 20);
}

TEST(ErrorsView, CountsEachFailedAttemptOfABusyLogOnce) {
  BusyLog busy(5);
  busy.Run(4'000);
  uint64_t failed = 0;
  auto cursor = busy.log.store.Read(ViewLog::kShard, Position(1));
  while (const auto record = *(*cursor)->Next()) {
    const Status decoded = model::DecodeEach(record->body, [&](const model::Event& event) {
      const auto* interrupted = std::get_if<model::AttemptInterrupted>(&event);
      if (std::holds_alternative<model::AttemptFailed>(event) ||
          (interrupted != nullptr && interrupted->by == model::Interruption::kCrash))
        ++failed;
    });
    ASSERT_TRUE(decoded.has_value());
  }
  uint64_t attempts = 0;
  for (const ErrorRow& row : All(busy.log))
    if (row.kind != "timeout") attempts += row.attempts;
  EXPECT_GT(failed, 100u);
  EXPECT_EQ(attempts, failed);
}

}  // namespace
}  // namespace stele::projections
