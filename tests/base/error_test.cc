#include "base/error.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace stele {
namespace {

TEST(Error, ShowsItsCodeWithFourDigits) {
  EXPECT_EQ((Error{ErrorCode::kIo, "Expected a file but found a folder"}).ToString(),
            "STL0003: Expected a file but found a folder");
  EXPECT_EQ((Error{ErrorCode::kUsage, ""}).ToString(), "STL0701: ");
}

TEST(ErrorCodes, HaveANameEach) {
  std::set<std::string_view> names;
  int count = 0;
#define STELE_COLLECT(name, number)                                    \
  EXPECT_EQ("k" + std::string(ErrorCodeName(ErrorCode::name)), #name); \
  names.insert(ErrorCodeName(ErrorCode::name));                        \
  ++count;
  STELE_ERROR_CODES(STELE_COLLECT)
#undef STELE_COLLECT
  EXPECT_EQ(static_cast<int>(names.size()), count);
}

TEST(ErrorCodes, KeepTheirNumbers) {
  EXPECT_EQ(static_cast<int>(ErrorCode::kInvalidJson), 1);
  EXPECT_EQ(static_cast<int>(ErrorCode::kUnknownStep), 104);
  EXPECT_EQ(static_cast<int>(ErrorCode::kExpressionSyntax), 201);
  EXPECT_EQ(static_cast<int>(ErrorCode::kStoreWrongPosition), 301);
  EXPECT_EQ(static_cast<int>(ErrorCode::kUnknownInstance), 401);
  EXPECT_EQ(static_cast<int>(ErrorCode::kTaskFailed), 501);
  EXPECT_EQ(static_cast<int>(ErrorCode::kShardStopped), 601);
  EXPECT_EQ(static_cast<int>(ErrorCode::kUsage), 701);
}

TEST(ErrorCodes, AnUnknownNumberIsCalledUnknown) {
  EXPECT_EQ(ErrorCodeName(static_cast<ErrorCode>(9999)), "unknown");
}

Status Fails(bool fail) {
  if (fail) return Fail(ErrorCode::kIo, "no");
  return {};
}

Result<int> CallsWhatFails(bool fail, int* reached) {
  STELE_RETURN_IF_ERROR(Fails(fail));
  ++*reached;
  return 5;
}

TEST(ReturnIfError, HandsTheErrorOnAndStopsThere) {
  int reached = 0;
  const Result<int> failed = CallsWhatFails(true, &reached);
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error(), (Error{ErrorCode::kIo, "no"}));
  EXPECT_EQ(reached, 0);
}

TEST(ReturnIfError, GoesOnAfterSuccess) {
  int reached = 0;
  EXPECT_EQ(CallsWhatFails(false, &reached), Result<int>(5));
  EXPECT_EQ(reached, 1);
}

}  // namespace
}  // namespace stele
