// What holds of every definition and every course of events: CoreDriver's invariants after each
// record, an end or a legal wait at any time, and the same bytes for the same seed.
#include <gtest/gtest.h>

#include <map>

#include "tests/engine/core/random_definition.h"
#include "tests/support/core_driver.h"

namespace stele::test {
namespace {

using model::RunState;

constexpr uint64_t kCases = 4'000;
constexpr int kMaxCommands = 60;

// Something that the instance's state allows, by chance.
model::Command Choose(const CoreDriver& driver, Random& random) {
  if (random.OneIn(60)) return model::CancelInstance{.compensate = random.OneIn(2)};
  if (random.OneIn(150)) return model::TerminateInstance{"by chance"};
  const auto& runs = driver.instance().runs;
  const model::StepRun& run = runs[random.Below(runs.size())];
  const model::Timer timer = model::NextTimer(driver.instance());
  if (timer.at && timer.at <= driver.now())
    return model::ElapseTimer{timer.kind, timer.run, timer.attempt};
  switch (run.state) {
    case RunState::kParked:
      return model::ResolveIncident{run.id, static_cast<model::Resolution>(random.Below(3))};
    case RunState::kHeld:
      return model::RestartAttempt{run.id};
    case RunState::kAttempt:
    case RunState::kBackoff:
    case RunState::kDelay:
    case RunState::kChildren:
    case RunState::kDone:
    case RunState::kFailed:
      break;
  }
  const uint64_t chance = random.Below(20);
  if (chance < 4) return model::FailAttempt{.run = run.id, .attempt = run.attempt, .kind = "boom"};
  if (chance == 4)
    return model::InterruptAttempt{run.id, run.attempt,
                                   static_cast<model::Interruption>(random.Below(2))};
  const auto n = static_cast<int64_t>(random.Below(10));
  return model::CompleteAttempt{
      .run = run.id,
      .attempt = run.attempt,
      .output = random.OneIn(20) ? Payload() : Payload::FromValue(Object{{"n", Value(n)}})};
}

// The driver's log after a course of events that the seed decides.
std::string Live(uint64_t seed, std::map<std::string, int>& ends) {
  CoreDriver driver(RandomDefinition(seed));
  Random random(~seed);
  driver.Start(R"({"v":1})");
  for (int i = 0; i < kMaxCommands && !model::HasEnded(driver.instance().status); ++i) {
    driver.Do(Choose(driver, random));
    if (testing::Test::HasFailure()) return driver.Log();
    // Now and then the time comes for the next timer.
    const int64_t due = driver.NextTimerInMs();
    if (due > 0 && random.OneIn(4)) driver.Wait((due + 1) * 1'000);
  }
  ++ends[driver.Status()];
  return driver.Log();
}

TEST(AnyDefinition, KeepsItsInvariantsWhateverHappens) {
  std::map<std::string, int> ends;
  for (uint64_t seed = 1; seed <= kCases; ++seed) {
    Live(seed, ends);
    ASSERT_FALSE(HasFailure()) << "seed " << seed << "\n" << RandomDefinition(seed);
  }
  for (const char* end : {"completed", "failed", "cancelled", "terminated"})
    EXPECT_GT(ends[end], 20) << end;
  RecordProperty("running", ends["running"]);
}

TEST(AnyDefinition, LivesTheSameLifeWithTheSameSeed) {
  std::map<std::string, int> ends;
  for (uint64_t seed = 1; seed <= 300; ++seed)
    ASSERT_TRUE(Live(seed, ends) == Live(seed, ends)) << "seed " << seed;
}

}  // namespace
}  // namespace stele::test
