// Attempts with their states, times and what they printed: as the history tells them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "projections/views/step_logs.h"
#include "tests/projections/busy_log.h"

namespace stele::projections {
namespace {

using replay::AttemptState;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kOne =
    "id: one\nsteps: [{id: a, type: script, retry: {max_attempts: 2, initial_delay: 1s}}]\n";

std::vector<AttemptEntry> Attempts(const ViewLog& log, InstanceId id, std::string_view step = "") {
  const auto view = BuiltView::Of<StepLogsView>(log);
  const auto page = ReadStepLogs(view->Read(), id, step, 1'000);
  EXPECT_TRUE(page.has_value()) << page.error().message;
  EXPECT_EQ(page->next, AttemptPlace());
  return page->attempts;
}

TEST(StepLogs, HaveEachAttemptWithWhatItPrinted) {
  ViewLog log;
  const InstanceId id = log.Start(log.Define(kOne));
  const TimeUs start = log.now();
  log.Wait(5);
  log.Fail(id, "a", "boom", true, "first\n");
  log.Elapse(id);
  const TimeUs again = log.now();
  log.Wait(7);
  log.Complete(id, "a", "second\n");
  const auto attempts = Attempts(log, id);
  ASSERT_EQ(attempts.size(), 2u);
  const AttemptRow& first = attempts[0].row;
  EXPECT_EQ(attempts[0].place, (AttemptPlace{RunId(1), 1}));
  EXPECT_EQ(first.step, "a");
  EXPECT_EQ(first.type, "script");
  EXPECT_EQ(first.state, AttemptState::kFailed);
  EXPECT_EQ(first.started, start);
  EXPECT_EQ(first.ended, start.Plus(5));
  EXPECT_EQ(first.kind, "boom");
  EXPECT_EQ(first.message, "boom happened");
  EXPECT_EQ(first.log, "first\n");
  const AttemptRow& second = attempts[1].row;
  EXPECT_EQ(attempts[1].place, (AttemptPlace{RunId(1), 2}));
  EXPECT_EQ(second.state, AttemptState::kCompleted);
  EXPECT_EQ(second.started, again);
  EXPECT_EQ(second.ended, again.Plus(7));
  EXPECT_EQ(second.log, "second\n");
  EXPECT_EQ(second.kind, "");
}

TEST(StepLogs, HaveAnAttemptThatIsUnderWay) {
  ViewLog log;
  const InstanceId id = log.Start(log.Define(kOne));
  const auto attempts = Attempts(log, id);
  ASSERT_EQ(attempts.size(), 1u);
  EXPECT_EQ(attempts[0].row.state, AttemptState::kRunning);
  EXPECT_EQ(attempts[0].row.ended, TimeUs());
  EXPECT_TRUE(ToJson(attempts[0]).Find("ended")->is_null());
}

TEST(StepLogs, TellWhatEndedWithoutAnAnswer) {
  ViewLog log;
  const DefinitionId one = log.Define(kOne);
  const auto state = [&](const model::Command& command) {
    const InstanceId id = log.Start(one);
    log.Do(id, command);
    return Attempts(log, id)[0].row.state;
  };
  EXPECT_EQ(state(model::CancelInstance{}), AttemptState::kCancelled);
  EXPECT_EQ(state(model::TerminateInstance{}), AttemptState::kCancelled);
  EXPECT_EQ(state(model::InterruptAttempt{RunId(1), 1, model::Interruption::kCrash}),
            AttemptState::kInterrupted);
  EXPECT_EQ(state(model::InterruptAttempt{RunId(1), 1, model::Interruption::kShutdown}),
            AttemptState::kInterrupted);
}

TEST(StepLogs, NameTheIterationsOfALoop) {
  ViewLog log;
  const InstanceId id = log.Start(log.Define(R"(
id: flow
steps:
  - {id: each, type: loop, times: 3, steps: [{id: item, type: script}]}
  - {id: last, type: script, depends_on: [each]}
)"));
  for (int i = 0; i < 3; ++i) log.Complete(id, "item", fmt::format("{}", i));
  std::vector<std::string> labels;
  for (const AttemptEntry& entry : Attempts(log, id)) labels.push_back(entry.row.label);
  EXPECT_THAT(labels, ElementsAre("item[0]", "item[1]", "item[2]", "last"));
  EXPECT_EQ(Attempts(log, id, "item").size(), 3u);
  ASSERT_EQ(Attempts(log, id, "item[1]").size(), 1u);
  EXPECT_EQ(Attempts(log, id, "item[1]")[0].row.log, "1");
  EXPECT_THAT(Attempts(log, id, "nothing"), IsEmpty());
  EXPECT_THAT(Attempts(log, InstanceId(99)), IsEmpty());
}

TEST(StepLogs, CutALogAndSaySo) {
  ViewLog log;
  const InstanceId id = log.Start(log.Define(kOne));
  log.Complete(id, "a", std::string(kMaxStepLogBytes + 100, 'x'));
  const auto attempts = Attempts(log, id);
  ASSERT_EQ(attempts.size(), 1u);
  EXPECT_EQ(attempts[0].row.log.size(), kMaxStepLogBytes);
  EXPECT_EQ(attempts[0].row.log_bytes, kMaxStepLogBytes + 100);
  EXPECT_FALSE(attempts[0].row.log_truncated) << "all of it is recorded";
}

TEST(StepLogs, ArePagedByNumberAndBySize) {
  ViewLog log;
  const InstanceId id = log.Start(log.Define(R"(
id: flow
steps: [{id: each, type: loop, times: 100, steps: [{id: item, type: script}]}]
)"));
  for (int i = 0; i < 100; ++i)
    log.Complete(id, "item", std::string(kMaxStepLogBytes, static_cast<char>('a' + i % 26)));
  const auto view = BuiltView::Of<StepLogsView>(log);
  const ViewReader reader = view->Read();
  const auto few = ReadStepLogs(reader, id, "", 3);
  ASSERT_EQ(few->attempts.size(), 3u);
  size_t seen = 0;
  size_t pages = 0;
  AttemptPlace after;
  do {
    const auto page = ReadStepLogs(reader, id, "", 1'000, after);
    ASSERT_TRUE(page.has_value());
    for (const AttemptEntry& entry : page->attempts)
      EXPECT_EQ(entry.row.label, fmt::format("item[{}]", seen++));
    after = page->next;
    ++pages;
  } while (after.run);
  EXPECT_EQ(seen, 100u);
  EXPECT_EQ(pages, 2u);
}

TEST(StepLogsView, IsTheSameHoweverTheLogIsCutIntoBatches) {
  BusyLog busy;
  busy.Run(8'000);
  ExpectTheSameInAllBatches<StepLogsView>(busy.log, 1'000);
}

// What the history makes of an instance.
std::unique_ptr<replay::Timeline> HistoryOf(const ViewLog& log, InstanceId id) {
  std::unique_ptr<replay::Timeline> timeline;
  auto cursor = log.store.ReadInstance(ViewLog::kShard, id, Seq(1));
  while (const auto record = *(*cursor)->Next()) {
    const Status decoded = model::DecodeEach(record->body, [&](const model::Event& event) {
      if (const auto* started = std::get_if<model::InstanceStarted>(&event))
        timeline = std::make_unique<replay::Timeline>(
            *log.registry().Find(started->definition)->definition, &log.registry());
      timeline->Apply(event, {record->position, record->header.time});
    });
    EXPECT_TRUE(decoded.has_value());
  }
  return timeline;
}

TEST(StepLogsView, TellsWhatTheHistoryTells) {
  BusyLog busy(7);
  busy.Run(3'000);
  const auto view = BuiltView::Of<StepLogsView>(busy.log);
  const ViewReader reader = view->Read();
  size_t compared = 0;
  for (uint64_t number = 1; busy.log.instance(InstanceId(number)).seq; ++number) {
    const InstanceId id(number);
    const auto page = ReadStepLogs(reader, id, "", 10'000);
    ASSERT_TRUE(page.has_value());
    auto seen = page->attempts.begin();
    const auto history = HistoryOf(busy.log, id);
    for (const replay::StepLine& line : history->lines()) {
      for (const replay::AttemptLine& attempt : line.attempts) {
        ASSERT_NE(seen, page->attempts.end()) << "instance " << number << " " << line.label;
        EXPECT_EQ(seen->place, (AttemptPlace{line.run, attempt.number}));
        EXPECT_EQ(seen->row.label, line.label);
        EXPECT_EQ(seen->row.state, attempt.state) << number << " " << line.label;
        EXPECT_EQ(seen->row.started, attempt.started);
        EXPECT_EQ(seen->row.ended, attempt.ended);
        EXPECT_EQ(seen->row.log, attempt.log);
        // Of what went wrong inside a loop, or with the engine, the history tells elsewhere.
        if (!attempt.kind.empty()) {
          EXPECT_EQ(seen->row.kind, attempt.kind);
          EXPECT_EQ(seen->row.message, attempt.message);
        }
        ++seen;
        ++compared;
      }
    }
    EXPECT_EQ(seen, page->attempts.end()) << "instance " << number;
  }
  EXPECT_GT(compared, 1'000u);
}

}  // namespace
}  // namespace stele::projections
