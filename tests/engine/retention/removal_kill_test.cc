// An engine that is killed at random moments while it purges, archives and runs instances: nothing
// is lost, nothing is there twice, and what was begun is finished. STELE_REMOVAL_KILLS sets how
// often it is killed (4), STELE_SEED the random numbers.
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdio>
#include <map>
#include <random>
#include <set>

#include "projections/views/closed.h"
#include "projections/views/statistics_rows.h"
#include "tests/engine/retention/steady_engine.h"
#include "tests/eventstore/records.h"

namespace stele::retention {
namespace {

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

// What the children told, all of them together.
struct Told {
  std::set<uint64_t> ended;
  uint64_t days = 0;
  uint64_t steps = 0;
};

// Kills the child when it has told so many lines.
void RunAndKill(const std::string& path, uint64_t lines, Told* told) {
  FILE* output =
      popen(fmt::format("exec '{}' '{}' {}", STELE_REMOVAL_CHILD, path, told->days).c_str(), "r");
  char word[16];
  unsigned long number = 0;
  pid_t child = 0;
  while (fscanf(output, "%15s %lu", word, &number) == 2) {
    const std::string_view what(word);
    if (what == "pid") child = static_cast<pid_t>(number);
    if (what == "ended") {
      EXPECT_TRUE(told->ended.insert(number).second) << number << " ended twice";
    }
    if (what == "day") told->days = number;
    if (what == "step") ++told->steps;
    if (lines > 0 && --lines == 0) kill(child, SIGKILL);
  }
  EXPECT_TRUE(WIFSIGNALED(pclose(output)));
}

projections::InstanceCounts CountsOf(SteadyEngine& engine) {
  const auto reader = engine.views().Read(projections::kStatisticsView);
  const auto bytes = reader->Get(projections::VersionKey("flow", 1));
  projections::DefinitionRow row;
  EXPECT_TRUE(bytes.has_value() && bytes->has_value() && DecodeRow(**bytes, &row));
  return row.counts;
}

class KilledRemoval : public testing::Test {
 protected:
  // Everything that is there, against what was told.
  void Check(SteadyEngine& engine) {
    engine.AwaitFinished();
    const auto chain = engine.store().InspectChain(kSteadyShard);
    ASSERT_TRUE(chain.has_value()) << chain.error().message;
    cut_ = chain->cut;
    const Position end(engine.store().NextPosition(kSteadyShard).value - 1);
    ASSERT_TRUE(engine.views().WaitFor(end, 60'000'000).has_value());
    for (const projections::ViewState& state : engine.views().States()) {
      const auto compared = engine.views().Verify(state.name);
      ASSERT_TRUE(compared.has_value()) << state.name << compared.error().message;
      EXPECT_EQ(compared->differing, 0u)
          << state.name << testing::PrintToString(compared->examples);
    }
    CheckHistories(engine);
    CheckEnded(engine);
  }
  // Each instance is there from its first event on, without a gap and nothing twice, or not at all.
  void CheckHistories(SteadyEngine& engine) {
    std::map<uint64_t, uint64_t> next;
    const auto cursor = engine.store().Read(kSteadyShard, Position(1));
    ASSERT_TRUE(cursor.has_value());
    for (;;) {
      const auto record = (*cursor)->Next();
      ASSERT_TRUE(record.has_value()) << record.error().message;
      if (!record->has_value()) break;
      const eventstore::RecordHeader& header = (*record)->header;
      if (header.instance == InstanceId()) continue;
      uint64_t& seq = next.try_emplace(header.instance.value, 1).first->second;
      ASSERT_EQ(header.first_seq.value, seq) << "of instance " << header.instance.value;
      seq += header.event_count;
    }
    const auto last_cut = engine.store().LastCutInstance(kSteadyShard);
    ASSERT_TRUE(last_cut.has_value());
    highest_ = std::max(next.empty() ? 0 : next.rbegin()->first, last_cut->value);
    EXPECT_EQ(CountsOf(engine).started, highest_) << "figures count what was purged, once";
  }
  // Those that were told to have ended have, or have been purged since.
  void CheckEnded(SteadyEngine& engine) {
    const auto closed = engine.views().Read(projections::kClosedView);
    ASSERT_TRUE(closed.has_value());
    uint64_t purged = 0;
    for (const uint64_t number : told_.ended) {
      const InstanceId id(number);
      const auto read = engine.store().ReadInstance(kSteadyShard, id, Seq(1));
      const bool is_cut = !read.has_value() && read.error().code == ErrorCode::kInstanceErased;
      ASSERT_TRUE(is_cut || read.has_value()) << read.error().message;
      const auto row = projections::FindClosed(*closed, id);
      ASSERT_TRUE(row.has_value());
      EXPECT_EQ(row->has_value(), !is_cut) << "instance " << number;
      purged += is_cut ? 1 : 0;
    }
    purged_ = purged;
  }

  eventstore::TempDir directory_;
  Told told_;
  uint64_t highest_ = 0, cut_ = 0, purged_ = 0;
};

TEST_F(KilledRemoval, LosesNothingAndLeavesNothingTwice) {
  const uint64_t kills = FromEnvironment("STELE_REMOVAL_KILLS", 4);
  std::mt19937_64 random(FromEnvironment("STELE_SEED", 1));
  for (uint64_t round = 1; round <= kills; ++round) {
    SCOPED_TRACE(fmt::format("kill {}", round));
    RunAndKill(directory_.path(), 150 + random() % 400, &told_);
    SteadyEngine engine({.directory = directory_.path(),
                         .days = static_cast<int64_t>(++told_.days),
                         .ended = [this](InstanceId id) { told_.ended.insert(id.value); },
                         .step = nullptr});
    Check(engine);
    if (HasFatalFailure()) return;
  }
  // At last all that is left ends, and most of it goes.
  SteadyEngine engine({.directory = directory_.path(),
                       .days = static_cast<int64_t>(told_.days + 10),
                       .ended = [this](InstanceId id) { told_.ended.insert(id.value); },
                       .step = nullptr});
  engine.AwaitFinished();
  engine.GoOn();
  // Some had ended when nobody could tell it any more.
  while (CountsOf(engine).completed < highest_) {
    engine.RunReady();
    const Position end(engine.store().NextPosition(kSteadyShard).value - 1);
    ASSERT_TRUE(engine.views().WaitFor(end, 60'000'000).has_value());
  }
  engine.Retain();
  Check(engine);
  EXPECT_EQ(CountsOf(engine).completed, highest_);
  EXPECT_GT(purged_, 0u);
  EXPECT_GT(told_.steps, 0u);
  fmt::print("{} instances, {} of them purged, {} records cut out; {} steps of removals\n",
             highest_, purged_, cut_, told_.steps);
}

}  // namespace
}  // namespace stele::retention
