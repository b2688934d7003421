// Views whose building is killed, many times, anywhere: the next process goes on, and what it comes
// to is what a building in one go comes to.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>

#include <cstdlib>
#include <random>

#include "projections/all_views.h"
#include "projections/projector.h"
#include "tests/projections/busy_log.h"

namespace stele::projections {
namespace {

using eventstore::TempDir;

constexpr int kTurns = 1'500;

std::string Command(const std::string& path, int64_t microseconds) {
  return fmt::format("exec '{}' '{}' {} {}", STELE_VIEWS_CHILD, path, kTurns, microseconds);
}

// How it ended, as waitpid tells it, and the number that it printed.
std::pair<int, int64_t> RunChild(const std::string& path, int64_t microseconds) {
  FILE* const child = popen(Command(path, microseconds).c_str(), "r");
  long long number = 0;
  if (fscanf(child, "%lld", &number) != 1) number = 0;
  return {pclose(child), number};
}

TEST(ViewsCrash, AtAnyMomentOfABuildingLosesNothing) {
  TempDir directory;
  BusyLog busy;
  busy.Run(kTurns);
  const auto [ended, whole_us] = RunChild(directory.path(), 0);
  ASSERT_EQ(ended, 0);
  ASSERT_GT(whole_us, 0);
  std::mt19937_64 random(7);
  for (int round = 0; round < 32; ++round) {
    const auto lifetime = static_cast<int64_t>(1 + random() % static_cast<uint64_t>(2 * whole_us));
    const int how = RunChild(directory.path(), lifetime).first;
    ASSERT_TRUE(WIFSIGNALED(how) && WTERMSIG(how) == SIGPROF) << how;
    // Now and then somebody looks; else the next one finds what this one has left.
    if (round % 8 != 7) continue;
    auto views = Projector::Open(busy.log.store, ViewLog::kShard, directory.path(), AllViews());
    ASSERT_OK(views);
    EXPECT_EQ((*views)->repaired(), "");
    ASSERT_OK((*views)->CatchUp());
    for (const ViewState& state : (*views)->States()) {
      EXPECT_FALSE(state.building) << state.name;
      EXPECT_EQ(state.lag, 0u) << state.name;
      const auto found = (*views)->Verify(state.name);
      ASSERT_OK(found);
      EXPECT_EQ(found->differing, 0u) << state.name << " after round " << round;
    }
  }
}

}  // namespace
}  // namespace stele::projections
