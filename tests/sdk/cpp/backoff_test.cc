#include "sdk/cpp/backoff.h"

#include <gtest/gtest.h>

#include <set>

namespace stele::sdk {
namespace {

using std::chrono::milliseconds;

TEST(Backoff, DoublesUpToItsBound) {
  Backoff backoff(milliseconds(100), milliseconds(1'000), 1);
  for (const int64_t whole : {100, 200, 400, 800, 1'000, 1'000}) {
    const int64_t waited = backoff.Next().count();
    EXPECT_GE(waited, whole / 2);
    EXPECT_LE(waited, whole);
  }
  backoff.Reset();
  EXPECT_LE(backoff.Next().count(), 100);
}

TEST(Backoff, DiffersFromOneToTheNext) {
  std::set<int64_t> waits;
  for (uint32_t seed = 0; seed < 50; ++seed)
    waits.insert(Backoff(milliseconds(10'000), milliseconds(10'000), seed).Next().count());
  EXPECT_GT(waits.size(), 25U);
}

TEST(Backoff, NeverIsNothing) {
  Backoff backoff(milliseconds(0), milliseconds(0), 1);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(backoff.Next().count(), 1);
}

}  // namespace
}  // namespace stele::sdk
