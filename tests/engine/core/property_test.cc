// What holds of every definition and every course of events: CoreDriver's invariants after each
// record, an end that everything comes to when it is let, nothing left over at it, and the same
// bytes for the same seed.
//
// STELE_PROPERTY_CASES sets how many definitions live (2,000 by default), STELE_PROPERTY_SEED the
// first seed.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "tests/engine/core/random_course.h"

namespace stele::test {
namespace {

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// The driver's log after a course of events that the seed decides.
std::string Live(uint64_t seed, std::map<std::string, int>& ends) {
  CoreDriver driver(RandomDefinition(seed));
  RandomCourse course(driver, ~seed);
  course.Start();
  for (int i = 0; i < 60 && !testing::Test::HasFailure(); ++i) course.Happen();
  if (testing::Test::HasFailure()) return driver.Log();
  ++ends[driver.Status()];
  EXPECT_TRUE(course.Finish()) << "it does not end";
  ++ends["at last " + driver.Status()];
  return driver.Log();
}

TEST(AnyDefinition, KeepsItsInvariantsAndEndsWhateverHappens) {
  const uint64_t cases = FromEnvironment("STELE_PROPERTY_CASES", 2'000);
  const uint64_t first = FromEnvironment("STELE_PROPERTY_SEED", 1);
  std::map<std::string, int> ends;
  for (uint64_t seed = first; seed < first + cases; ++seed) {
    Live(seed, ends);
    ASSERT_FALSE(HasFailure()) << "seed " << seed << "\n" << RandomDefinition(seed);
  }
  if (cases < 2'000) return;
  for (const char* end : {"completed", "failed", "cancelled", "terminated", "paused", "running",
                          "at last completed", "at last failed", "at last cancelled"})
    EXPECT_GT(ends[end], 20) << end;
}

TEST(AnyDefinition, LivesTheSameLifeWithTheSameSeed) {
  std::map<std::string, int> ends;
  for (uint64_t seed = 1; seed <= 200; ++seed)
    ASSERT_TRUE(Live(seed, ends) == Live(seed, ends)) << "seed " << seed;
}

}  // namespace
}  // namespace stele::test
