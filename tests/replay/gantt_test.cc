#include "replay/gantt.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "engine/model/snapshot.h"
#include "replay/gantt_scale.h"
#include "replay/gantt_svg.h"
#include "tests/replay/random_history.h"
#include "tests/support/definitions.h"

namespace stele::replay {
namespace {

using test::CoreDriver;
using test::DrivenSource;
using test::RandomHistory;

Gantt Drawn(const CoreDriver& driver, TimeUs now = TimeUs(), size_t limit = kGanttLines) {
  const DrivenSource source(driver);
  const auto machine = *TimeMachine::Open(source, driver.instance().id, source.Registry());
  const auto gantt = GanttOf(*machine, now, limit);
  EXPECT_TRUE(gantt.has_value()) << gantt.error().ToString();
  return *gantt;
}

std::string Told(const GanttLine& line) {
  std::string told = line.label + " " + line.state + ":";
  for (const GanttPart& part : line.parts) {
    told += " " + std::string(DoingName(part.doing));
    if (part.doing == Doing::kRunning) told += std::to_string(part.attempt);
    if (!part.ended_as.empty()) told += "/" + part.ended_as;
  }
  return told;
}

constexpr const char* kOrder =
    "name: order\n"
    "steps:\n"
    "  - {id: charge, type: script, config: {script: x}, retry_policy: {max_attempts: 3,"
    " initial_delay: 2s}}\n"
    "  - {id: check, type: approval, config: {assignees: [ann]}, depends_on: [charge]}\n"
    "  - {id: rest, type: delay, config: {duration: 5s}, depends_on: [check]}\n";

TEST(Gantt, ShowsAttemptsWaitsAndRetries) {
  CoreDriver driver(kOrder);
  driver.Start();
  driver.Wait(1'000'000);
  driver.Fail("charge", "timeout");
  driver.Elapse();
  driver.Wait(500'000);
  driver.Complete("charge");
  driver.Wait(60'000'000);
  driver.Approve("check", "ann");
  const TimeUs now = driver.now().Plus(1'000'000);
  const Gantt gantt = Drawn(driver, now);
  ASSERT_EQ(gantt.lines.size(), 3u);
  EXPECT_EQ(Told(gantt.lines[0]), "charge completed: running1/failed backoff running2/completed");
  EXPECT_EQ(Told(gantt.lines[1]), "check completed: people");
  EXPECT_EQ(Told(gantt.lines[2]), "rest delay: delay");
  EXPECT_EQ(gantt.lines[0].attempts, 2u);
  EXPECT_EQ(gantt.lines[0].error_kind, "timeout");
  EXPECT_EQ(gantt.lines[0].parts[1].to.value - gantt.lines[0].parts[1].from.value, 2'000'000);
  EXPECT_EQ(gantt.lines[1].to.value - gantt.lines[1].from.value, 60'000'000);
  EXPECT_FALSE(gantt.lines[2].to);
  EXPECT_FALSE(gantt.ended);
  EXPECT_EQ(gantt.to, now);
  driver.Elapse();
  const Gantt ended = Drawn(driver, now.Plus(1'000'000'000));
  EXPECT_TRUE(ended.ended);
  EXPECT_EQ(ended.to, driver.now());
  EXPECT_EQ(ended.status, "completed");
}

TEST(Gantt, ShowsThatItWasPausedAndTerminated) {
  CoreDriver driver(kOrder);
  driver.Start();
  driver.Wait(1'000);
  driver.Pause();
  driver.Wait(5'000);
  driver.Resume();
  driver.Terminate();
  const Gantt gantt = Drawn(driver);
  ASSERT_EQ(gantt.paused.size(), 1u);
  EXPECT_EQ(gantt.paused[0].to.value - gantt.paused[0].from.value, 5'000);
  ASSERT_EQ(gantt.lines.size(), 1u);
  EXPECT_EQ(gantt.lines[0].state, "cancelled");
  EXPECT_EQ(gantt.lines[0].to, driver.now());
}

TEST(Gantt, HasALineForEachRunUpToALimit) {
  CoreDriver driver(
      "name: looping\nsteps:\n  - id: again\n    type: loop\n    times: 9\n"
      "    steps:\n      - {id: work, type: script, config: {script: x}}\n");
  driver.Start();
  for (int i = 0; i < 9; ++i) driver.Complete("work");
  const Gantt gantt = Drawn(driver);
  EXPECT_EQ(gantt.runs, 10u);
  ASSERT_EQ(gantt.lines.size(), 10u);
  EXPECT_EQ(gantt.lines[3].label, "work[2]");
  EXPECT_EQ(gantt.lines[3].depth, 1u);
  EXPECT_EQ(Told(gantt.lines[0]).substr(0, 15), "again completed");
  const Gantt some = Drawn(driver, TimeUs(), 4);
  EXPECT_EQ(some.runs, 10u);
  EXPECT_EQ(some.lines.size(), 4u);
}

TEST(Gantt, PutsWhatIsInsideBehindItsOwner) {
  CoreDriver driver(
      "name: beside\nsteps:\n"
      "  - {id: one, type: loop, times: 2, steps: [{id: work, type: script, config: {script: "
      "x}}]}\n"
      "  - {id: two, type: loop, times: 2, steps: [{id: play, type: script, config: {script: "
      "x}}]}\n"
      "  - {id: three, type: script, config: {script: x}}\n");
  driver.Start();
  driver.Complete("work").Complete("play").Complete("work").Complete("play").Complete("three");
  const Gantt gantt = Drawn(driver, driver.now());
  std::vector<std::string> labels;
  for (const GanttLine& line : gantt.lines) labels.push_back(line.label);
  EXPECT_EQ(labels, (std::vector<std::string>{"one", "work[0]", "work[1]", "two", "play[0]",
                                              "play[1]", "three"}));
  EXPECT_EQ(gantt.lines[2].owner, gantt.lines[0].run);
  EXPECT_EQ(gantt.lines[4].owner, gantt.lines[3].run);
  EXPECT_EQ(gantt.lines[6].owner, RunId());
}

TEST(Gantt, OfAForkBeginsWithIt) {
  CoreDriver origin(kOrder);
  origin.Start();
  origin.Wait(900'000'000);
  origin.Fail("charge", "timeout");
  origin.Elapse();
  CoreDriver fork(test::Load(kOrder), InstanceId(2));
  fork.Wait(3'600'000'000);
  ASSERT_EQ(
      fork.Do(model::ForkInstance{.origin = origin.instance().id,
                                  .origin_seq = origin.instance().seq,
                                  .origin_position = origin.instance().position,
                                  .state = model::ForkedState(std::make_shared<model::Instance>(
                                      model::CopyOf(origin.instance())))}),
      std::nullopt);
  const TimeUs begin = fork.now();
  fork.Wait(8'000);
  fork.Complete("charge");
  const Gantt gantt = Drawn(fork, fork.now());
  ASSERT_EQ(gantt.lines.size(), 2u);
  const GanttLine& charge = gantt.lines[0];
  EXPECT_EQ(gantt.from, begin);
  EXPECT_EQ(charge.from, begin);
  EXPECT_EQ(charge.to.value - charge.from.value, 8'000);
  EXPECT_EQ(Told(charge), "charge completed: running3/completed");
  EXPECT_EQ(charge.attempts, 3u);
  EXPECT_EQ(charge.before, 2u);
  EXPECT_NE(GanttToSvg(gantt).find("2 attempts before the fork"), std::string::npos);
  EXPECT_EQ(gantt.lines[1].before, 0u);
}

// Of any history: every run has a line, parts follow one another without gaps, and what has ended
// has an end.
TEST(Gantt, FitsAnyHistory) {
  for (uint64_t seed = 1; seed <= 80; ++seed) {
    const RandomHistory history(seed);
    const Gantt gantt = Drawn(history.driver, history.driver.now());
    ASSERT_EQ(gantt.runs, history.driver.instance().last_run.value) << seed;
    size_t open = 0;
    for (const GanttLine& line : gantt.lines) {
      open += line.to ? 0 : 1;
      ASSERT_FALSE(line.parts.empty());
      EXPECT_EQ(line.parts.front().from, line.from);
      EXPECT_EQ(line.parts.back().to, line.to) << seed << " " << Told(line);
      for (size_t i = 1; i < line.parts.size(); ++i)
        EXPECT_EQ(line.parts[i - 1].to, line.parts[i].from) << seed << " " << Told(line);
    }
    EXPECT_EQ(open, history.driver.instance().runs.size()) << seed;
    // Whatever is inside of a run stands behind it, before what is less deep.
    for (size_t i = 0; i < gantt.lines.size(); ++i) {
      const GanttLine& line = gantt.lines[i];
      EXPECT_EQ(line.before, 0u) << seed;
      if (!line.owner) continue;
      size_t above = i;
      while (above > 0 && gantt.lines[above - 1].depth >= line.depth) --above;
      ASSERT_GT(above, 0u) << seed;
      EXPECT_EQ(gantt.lines[above - 1].run, line.owner) << seed;
    }
    const Value document = GanttToJson(gantt);
    EXPECT_EQ(Value(GanttToJson(GanttFromJson(document))), document);
  }
}

TEST(GanttSvg, HasATitleForEachBarAndNoTextThatIsMarkup) {
  CoreDriver driver(kOrder);
  driver.Start();
  driver.Wait(1'000'000);
  driver.Fail("charge", "<script>&\"");
  Gantt gantt = Drawn(driver, driver.now().Plus(1'000'000));
  gantt.definition = "a<b";
  const std::string svg = GanttToSvg(gantt);
  EXPECT_TRUE(svg.starts_with("<svg ")) << svg.substr(0, 20);
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
  EXPECT_EQ(svg.find("<script"), std::string::npos);
  EXPECT_NE(svg.find("a&lt;b"), std::string::npos);
  EXPECT_NE(svg.find("&lt;script&gt;&amp;&quot;"), std::string::npos);
  EXPECT_NE(svg.find("charge: running, attempt 1, failed"), std::string::npos);
  EXPECT_NE(svg.find("prefers-color-scheme:dark"), std::string::npos);
}

TEST(GanttSvg, IsMadeOfAnybodysDocument) {
  CoreDriver driver(kOrder);
  driver.Start();
  driver.Wait(1'000'000);
  driver.Fail("charge", "n");
  Object document = GanttToJson(Drawn(driver, driver.now()));
  Value* const lines = document.Find("lines");
  ASSERT_NE(lines, nullptr);
  for (Value& line : lines->as_array()) {
    Value part = Object{
        {"doing", "running"}, {"from", INT64_MIN}, {"to", INT64_MAX}, {"ended_as", "\"/><script>"}};
    line.as_object().Set("parts", Array{std::move(part)});
  }
  document.Set("from", INT64_MIN);
  document.Set("to", INT64_MAX);
  const std::string svg = GanttToSvg(GanttFromJson(Value(std::move(document))));
  EXPECT_NE(svg.find("class=\"&quot;/&gt;&lt;script&gt;\""), std::string::npos);
  EXPECT_EQ(svg.find("<script"), std::string::npos);
  EXPECT_LT(svg.size(), 100'000u);
}

TEST(GanttScale, HasRoundMomentsAndWordsForThem) {
  EXPECT_EQ(TicksOf(1'000, 6), (std::vector<int64_t>{0, 200, 400, 600, 800, 1'000}));
  EXPECT_EQ(TicksOf(61'000'000, 6).size(), 5u);
  for (const int64_t span : {int64_t{1}, int64_t{7}, int64_t{999'999}, int64_t{86'400'000'000},
                             int64_t{400} * 86'400'000'000}) {
    EXPECT_LE(TicksOf(span, 8).size(), 8u) << span;
    EXPECT_GE(TicksOf(span, 8).size(), 1u) << span;
  }
  EXPECT_EQ(SpanText(0), "0");
  EXPECT_EQ(SpanText(250), "250 µs");
  EXPECT_EQ(SpanText(-1'500), "-1.5 ms");
  EXPECT_EQ(SpanText(1'500), "1.5 ms");
  EXPECT_EQ(SpanText(12'000'000), "12 s");
  EXPECT_EQ(SpanText(200'000'000), "3 min 20 s");
  EXPECT_EQ(SpanText(7'200'000'000), "2 h");
  EXPECT_EQ(SpanText(453'600'000'000), "5 d 6 h");
}

}  // namespace
}  // namespace stele::replay
