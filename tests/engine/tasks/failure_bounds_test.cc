#include "engine/tasks/failure_bounds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "engine/tasks/limits.h"
#include "task_harness.h"

namespace stele::tasks {
namespace {

using testing::EndsWith;
using testing::SizeIs;
using testing::StartsWith;

TEST(BoundFailure, LeavesAnOrdinaryOne) {
  TaskFailure failure{"exit", "Expected exit code 0 but found 3", true,
                      Payload::FromValue(Json(R"({"exit_code":3})"))};
  BoundFailure(failure, 100);
  EXPECT_EQ(failure.kind, "exit");
  EXPECT_EQ(failure.message, "Expected exit code 0 but found 3");
  EXPECT_EQ(failure.details.value(), Json(R"({"exit_code":3})"));
}

TEST(BoundFailure, CutsALongMessageBetweenCharacters) {
  std::string message;
  while (message.size() < (8u << 20)) message += "ü";
  TaskFailure failure{std::string(1000, 'k'), "a" + message, true, {}};
  BoundFailure(failure, 100);
  EXPECT_THAT(failure.kind, SizeIs(kMaxFailureKindBytes + 3));
  EXPECT_THAT(failure.message, StartsWith("aüü"));
  EXPECT_THAT(failure.message, EndsWith("üü…"));
  EXPECT_THAT(failure.message, SizeIs(kMaxFailureMessageBytes - 1 + 3));
}

TEST(BoundFailure, SaysThatItsDetailsAreLeftOut) {
  TaskFailure failure{"model", "Expected more", true,
                      Payload::FromValue(Object{{"a", std::string(100, 'x')}})};
  BoundFailure(failure, 100);
  EXPECT_FALSE(failure.details.has_value());
  EXPECT_EQ(failure.message,
            "Expected more (its details, 108 bytes, are more than the 100 that are kept)");
}

}  // namespace
}  // namespace stele::tasks
