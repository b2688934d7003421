// Random histories: each is the same when it is decided again, also with its own definition in the
// place of a changed one.
#include <gtest/gtest.h>

#include "tests/engine/core/random_course.h"
#include "tests/replay/regression/driven_log.h"

namespace stele::replay {
namespace {

using test::CoreDriver;

constexpr uint64_t kDefinitions = 150;
constexpr uint64_t kInstances = 3;
constexpr int kHappenings = 60;

std::unique_ptr<CoreDriver> Live(const std::string& yaml, uint64_t id, uint64_t seed) {
  auto driver = std::make_unique<CoreDriver>(test::Load(yaml), InstanceId(id));
  test::RandomCourse course(*driver, seed);
  course.Start();
  for (int i = 0; i < kHappenings; ++i) course.Happen();
  return driver;
}

TEST(AnyHistory, IsTheSameDecidedAgain) {
  uint64_t records = 0;
  for (uint64_t seed = 1; seed <= kDefinitions; ++seed) {
    const std::string yaml = test::RandomDefinition(seed);
    const auto one = Live(yaml, 1, seed * kInstances), two = Live(yaml, 2, seed * kInstances + 1),
               three = Live(yaml, 3, seed * kInstances + 2);
    DrivenLog log;
    log.Append({one.get(), two.get(), three.get()});
    const RegressionReport with_itself = log.Replay({.changed = test::Load(yaml), .jobs = 2});
    for (const RegressionReport& report : {log.Replay({.jobs = 2}), with_itself}) {
      for (const auto& [key, group] : report.groups)
        ADD_FAILURE() << "seed " << seed << ": " << key.step << " " << key.recorded << " -> "
                      << key.now << " " << key.member << "\n"
                      << group.first[0].recorded << "\n"
                      << group.first[0].now;
      ASSERT_EQ(report.same, kInstances) << "seed " << seed << "\n" << yaml;
    }
    records += with_itself.records;
  }
  EXPECT_GT(records, kDefinitions * kInstances * 5);
}

}  // namespace
}  // namespace stele::replay
