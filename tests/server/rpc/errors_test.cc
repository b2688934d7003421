// How refusals travel.
#include "server/rpc/errors.h"

#include <gtest/gtest.h>
#include <kj/string.h>

namespace stele::server::rpc {
namespace {

using Type = kj::Exception::Type;

kj::Exception Said(Type type, kj::StringPtr text) {
  return {type, "", 0, kj::heapString(text)};
}

TEST(Errors, ComeBackAsTheyWere) {
  for (const uint32_t number : {1u, 4u, 405u, 603u, 1012u}) {
    const Error error{FindErrorCode(number).value(), "Expected this: but found that"};
    EXPECT_EQ(ErrorOf(ToException(error)), error);
  }
}

TEST(Errors, ComeBackOverConnections) {
  EXPECT_EQ(ErrorOf(Said(Type::FAILED,
                         "remote exception: remote exception: STL0405: Expected a but found b")),
            (Error{ErrorCode::kWrongState, "Expected a but found b"}));
}

TEST(Errors, AreReadFromTheirText) {
  const Error error{ErrorCode::kLimitExceeded, "Expected at most 3 but found 4: so it is"};
  EXPECT_EQ(ParseError(error.ToString()), error);
  for (const char* text :
       {"", "Expected a", "STL9999: Expected a", "STL0405 no colon", "xSTL0405: b"})
    EXPECT_EQ(ParseError(text), std::nullopt) << text;
}

TEST(Errors, SayByTheirTypeWhatAClientCanDo) {
  const auto type = [](ErrorCode code) { return ToException({code, ""}).getType(); };
  EXPECT_EQ(type(ErrorCode::kBackPressure), Type::OVERLOADED);
  EXPECT_EQ(type(ErrorCode::kTooManyLogins), Type::OVERLOADED);
  EXPECT_EQ(type(ErrorCode::kClosed), Type::DISCONNECTED);
  EXPECT_EQ(type(ErrorCode::kShardStopped), Type::DISCONNECTED);
  EXPECT_EQ(type(ErrorCode::kUnsupported), Type::UNIMPLEMENTED);
  EXPECT_EQ(type(ErrorCode::kWrongState), Type::FAILED);
}

TEST(Errors, OfNobodyHaveTheCodeOfTheirType) {
  EXPECT_EQ(ErrorOf(Said(Type::DISCONNECTED, "Peer disconnected.")).code, ErrorCode::kClosed);
  EXPECT_EQ(ErrorOf(Said(Type::OVERLOADED, "")).code, ErrorCode::kBackPressure);
  EXPECT_EQ(ErrorOf(Said(Type::UNIMPLEMENTED, "no method")).code, ErrorCode::kUnsupported);
  EXPECT_EQ(ErrorOf(Said(Type::FAILED, "bug")).code, ErrorCode::kIo);
}

TEST(Errors, OfAnUnknownNumberKeepTheirText) {
  for (const char* text :
       {"STL9999: Expected a", "STL40: short", "STL0405 no colon", "STL", "STLx"}) {
    const Error error = ErrorOf(Said(Type::FAILED, text));
    EXPECT_EQ(error.code, ErrorCode::kIo) << text;
    EXPECT_TRUE(error.message.ends_with(text)) << error.message;
  }
  EXPECT_FALSE(FindErrorCode(0).has_value());
  EXPECT_FALSE(FindErrorCode(65'536 + 405).has_value());
}

}  // namespace
}  // namespace stele::server::rpc
