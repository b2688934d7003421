#include "replay/time_machine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "replay/past_state.h"
#include "replay/recorded.h"
#include "replay/state_json.h"
#include "replay/state_timers.h"
#include "tests/replay/random_history.h"

namespace stele::replay {
namespace {

using model::EncodeSnapshot;
using test::CoreDriver;
using test::DrivenSource;
using test::RandomHistory;

std::unique_ptr<TimeMachine> Opened(const Source& source, InstanceId instance,
                                    const model::Registry& registry,
                                    TimeMachine::Limits limits = {}) {
  auto machine = TimeMachine::Open(source, instance, registry, limits);
  EXPECT_TRUE(machine.has_value()) << machine.error().ToString();
  return *std::move(machine);
}

TEST(TimeMachine, HasEveryStateAsItWasAtThatMoment) {
  for (uint64_t seed = 1; seed <= 120; ++seed) {
    const RandomHistory history(seed);
    // Few keyframes, many, and a bound that drops some.
    const TimeMachine::Limits limits{
        .keyframe_bytes = seed % 3 == 0 ? size_t{6'000} : kKeyframeBytes, .interval = 1 + seed % 9};
    const auto machine =
        Opened(history.source, history.driver.instance().id, history.source.Registry(), limits);
    ASSERT_EQ(machine->last().value, history.size());
    std::mt19937_64 random(seed);
    for (int i = 0; i < 60; ++i) {
      const Seq seq(1 + random() % history.size());
      const auto moment = machine->At(seq);
      ASSERT_TRUE(moment.has_value()) << moment.error().ToString();
      ASSERT_EQ(EncodeSnapshot(moment->state), history.states[seq.value - 1])
          << "seed " << seed << " seq " << seq.value;
      ASSERT_EQ(moment->seq, seq);
    }
  }
}

TEST(TimeMachine, GoesForwardAndBackByOne) {
  const RandomHistory history(5, 80);
  const auto machine = Opened(history.source, history.driver.instance().id,
                              history.source.Registry(), {.interval = 7});
  for (uint64_t seq = 1; seq <= history.size(); ++seq)
    ASSERT_EQ(EncodeSnapshot(machine->At(Seq(seq))->state), history.states[seq - 1]);
  for (uint64_t seq = history.size(); seq >= 1; --seq)
    ASSERT_EQ(EncodeSnapshot(machine->At(Seq(seq))->state), history.states[seq - 1]);
}

TEST(TimeMachine, VisitsEveryEventWithTheStateBehindIt) {
  const RandomHistory history(9, 60);
  const auto machine = Opened(history.source, history.driver.instance().id,
                              history.source.Registry(), {.interval = 5});
  for (const uint64_t from : {uint64_t{1}, uint64_t{6}, history.size()}) {
    uint64_t next = from;
    const Status visited =
        machine->Visit(Seq(from), [&](const Moment& moment, const PastEvent& event) {
          EXPECT_EQ(moment.seq.value, next);
          EXPECT_EQ(event.seq.value, next);
          EXPECT_LE(event.record.first, event.seq);
          EXPECT_GE(event.record.last, event.seq);
          EXPECT_EQ(EncodeSnapshot(moment.state), history.states[next - 1]);
          ++next;
          return true;
        });
    ASSERT_TRUE(visited.has_value()) << visited.error().ToString();
    EXPECT_EQ(next, history.size() + 1);
  }
  int seen = 0;
  ASSERT_TRUE(machine->Visit(Seq(1), [&](const Moment&, const PastEvent&) { return ++seen < 3; })
                  .has_value());
  EXPECT_EQ(seen, 3);
  EXPECT_EQ(EncodeSnapshot(machine->At(Seq(2))->state), history.states[1]);
}

TEST(TimeMachine, ReadsWhatHasComeSince) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    RandomHistory history(seed, 3);
    const auto machine =
        Opened(history.source, history.driver.instance().id, history.source.Registry(),
               {.keyframe_bytes = 8'000, .interval = 4});
    for (int i = 0; i < 12; ++i) {
      const uint64_t before = history.size();
      (void)machine->At(Seq(1 + before / 2));
      history.Happen(2);
      const auto more = machine->Refresh(history.source.Registry());
      ASSERT_TRUE(more.has_value());
      EXPECT_EQ(*more, history.size() > before);
      ASSERT_EQ(machine->last().value, history.size());
      for (uint64_t seq = history.size(); seq >= 1; seq -= std::min<uint64_t>(seq, 3))
        ASSERT_EQ(EncodeSnapshot(machine->At(Seq(seq))->state), history.states[seq - 1])
            << "seed " << seed;
    }
  }
}

// A loop of a few thousand iterations.
CoreDriver Looping(int iterations) {
  CoreDriver driver(
      "name: looping\n"
      "steps:\n"
      "  - id: again\n"
      "    type: loop\n"
      "    times: " +
      std::to_string(iterations) +
      "\n"
      "    steps:\n"
      "      - {id: work, type: script, config: {script: x}}\n");
  driver.Start();
  for (int i = 0; i < iterations; ++i) driver.Complete("work", "{\"n\":1}");
  return driver;
}

TEST(TimeMachine, KeepsItsMemoryWithinBounds) {
  const CoreDriver driver = Looping(400);
  const DrivenSource source(driver);
  constexpr size_t kBytes = 20'000;
  const auto machine = Opened(source, driver.instance().id, source.Registry(),
                              {.keyframe_bytes = kBytes, .interval = 2});
  EXPECT_GT(machine->last().value, 2'000u);
  EXPECT_GT(machine->Keyframes().size(), 4u);
  EXPECT_EQ(machine->Keyframes().back(), machine->last());
  const std::vector<Seq> frames = machine->Keyframes();
  EXPECT_TRUE(std::ranges::is_sorted(frames));
  // Keyframes, and an interval of events.
  EXPECT_LT(machine->bytes(), 20 * kBytes);
  EXPECT_EQ(machine->At(machine->last())->state.status, model::Status::kCompleted);
}

TEST(TimeMachine, FindsTheEventOfATime) {
  CoreDriver driver(
      "name: two\nsteps:\n"
      "  - {id: a, type: script, config: {script: x}}\n"
      "  - {id: b, type: script, config: {script: x}, depends_on: [a]}\n");
  driver.Start();
  const TimeUs started = driver.now();
  const uint64_t first = driver.instance().seq.value;
  driver.Wait(1'000'000);
  driver.Complete("a");
  const uint64_t second = driver.instance().seq.value;
  const DrivenSource source(driver);
  for (const uint64_t interval : {1, 3, 100}) {
    const auto machine =
        Opened(source, driver.instance().id, source.Registry(), {.interval = interval});
    EXPECT_EQ(machine->SeqAt(started)->value, first);
    EXPECT_EQ(machine->SeqAt(started.Plus(999'999))->value, first);
    EXPECT_EQ(machine->SeqAt(started.Plus(1'000'000))->value, second);
    EXPECT_EQ(machine->SeqAt(started.Plus(9'000'000))->value, second);
    EXPECT_EQ(machine->SeqAt(started.Plus(-1)).error().code, ErrorCode::kNoSuchMoment);
    EXPECT_EQ(machine->Find({})->value, second);
    EXPECT_EQ(machine->Find({.seq = Seq(2), .time = {}})->value, 2u);
    EXPECT_EQ(machine->began(), started);
    EXPECT_EQ(machine->ended(), started.Plus(1'000'000));
    EXPECT_EQ(machine->RecordEnd(Seq(1))->value, first);
    EXPECT_EQ(machine->RecordBegin(Seq(first))->value, 1u);
    EXPECT_EQ(machine->RecordBegin(Seq(second))->value, first + 1);
  }
}

TEST(TimeMachine, RefusesWhatThereIsNot) {
  const RandomHistory history(3);
  const auto machine =
      Opened(history.source, history.driver.instance().id, history.source.Registry());
  for (const uint64_t seq : {uint64_t{0}, history.size() + 1}) {
    EXPECT_EQ(machine->At(Seq(seq)).error().code, ErrorCode::kNoSuchMoment);
    EXPECT_EQ(machine->EventAt(Seq(seq)).error().code, ErrorCode::kNoSuchMoment);
  }
  EXPECT_EQ(machine->At(Seq(history.size() + 1)).error().message,
            "Expected an event of instance 1 from 1 to " + std::to_string(history.size()) +
                " but found " + std::to_string(history.size() + 1));
  EXPECT_EQ(
      TimeMachine::Open(history.source, InstanceId(99), history.source.Registry()).error().code,
      ErrorCode::kUnknownInstance);
}

TEST(TimeMachine, RefusesARegistryThatIsOlderThanTheHistory) {
  const RandomHistory history(3);
  const InstanceId instance = history.driver.instance().id;
  const auto without = TimeMachine::Open(history.source, instance, model::Registry());
  ASSERT_FALSE(without.has_value());
  EXPECT_EQ(without.error().code, ErrorCode::kUnknownDefinition);
  EXPECT_EQ(ReadRecorded(history.source, instance, model::Registry()).error().code,
            ErrorCode::kUnknownDefinition);
}

TEST(TimeMachine, KnowsTheVersionThatRanThen) {
  CoreDriver driver("name: a\nsteps:\n  - {id: old, type: script, config: {script: x}}\n");
  driver.Start();
  const Seq before = driver.instance().seq;
  driver.Migrate(
      "name: a\nsteps:\n  - {id: first, type: script, config: {script: x}}\n"
      "  - {id: new, type: script, config: {script: x}, depends_on: [first]}\n",
      "{\"old\":\"new\"}");
  const DrivenSource source(driver);
  const auto machine = Opened(source, driver.instance().id, source.Registry());
  const auto text = [&](Seq seq) {
    const auto moment = machine->At(seq);
    return std::pair(moment->version,
                     StateToJson(moment->state, moment->definition).Find("steps")->as_object());
  };
  const auto [old_version, old_steps] = text(before);
  EXPECT_EQ(old_version, 1u);
  EXPECT_NE(old_steps.Find("old"), nullptr);
  const auto [new_version, new_steps] = text(machine->last());
  EXPECT_EQ(new_version, 2u);
  EXPECT_NE(new_steps.Find("new"), nullptr);
  EXPECT_EQ(new_steps.Find("old"), nullptr);
}

}  // namespace
}  // namespace stele::replay
