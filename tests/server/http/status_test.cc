#include "server/http/status.h"

#include <gtest/gtest.h>

#include "server/http/response.h"

namespace stele::server::http {
namespace {

TEST(HttpStatus, IsOneOfAnErrorForEveryCodeAndHasAPhrase){
#define STELE_ERROR_TRY(name, number)                   \
  EXPECT_GE(HttpStatus(ErrorCode::name), 400) << #name; \
  EXPECT_LT(HttpStatus(ErrorCode::name), 600) << #name; \
  EXPECT_NE(ReasonPhrase(HttpStatus(ErrorCode::name)), "Unknown") << #name;
    STELE_ERROR_CODES(STELE_ERROR_TRY)
#undef STELE_ERROR_TRY
}

TEST(HttpStatus, TellsWhoseFaultItIs) {
  EXPECT_EQ(HttpStatus(ErrorCode::kInvalidJson), 400);
  EXPECT_EQ(HttpStatus(ErrorCode::kUnauthenticated), 401);
  EXPECT_EQ(HttpStatus(ErrorCode::kForbidden), 403);
  EXPECT_EQ(HttpStatus(ErrorCode::kUnknownInstance), 404);
  EXPECT_EQ(HttpStatus(ErrorCode::kWrongState), 409);
  EXPECT_EQ(HttpStatus(ErrorCode::kPreconditionFailed), 412);
  EXPECT_EQ(HttpStatus(ErrorCode::kLimitExceeded), 413);
  EXPECT_EQ(HttpStatus(ErrorCode::kUnsupportedMedia), 415);
  EXPECT_EQ(HttpStatus(ErrorCode::kInvalidDefinition), 422);
  EXPECT_EQ(HttpStatus(ErrorCode::kTooManyLogins), 429);
  EXPECT_EQ(HttpStatus(ErrorCode::kIo), 500);
  EXPECT_EQ(HttpStatus(ErrorCode::kBackPressure), 503);
  EXPECT_EQ(HttpStatus(ErrorCode::kTimeout), 504);
}

TEST(ReasonPhrase, IsUnknownForWhatHttpHasNoNameFor) {
  EXPECT_EQ(ReasonPhrase(200), "OK");
  EXPECT_EQ(ReasonPhrase(504), "Gateway Timeout");
  EXPECT_EQ(ReasonPhrase(299), "Unknown");
  EXPECT_EQ(ReasonPhrase(999), "Unknown");
}

TEST(Problem, SaysTheCodeTheStatusAndTheSentence) {
  const Response response =
      Problem({ErrorCode::kWrongState, "Expected a but found b"}, {{"step", "pay"}});
  EXPECT_EQ(response.status, 409);
  EXPECT_EQ(response.content_type, "application/problem+json");
  const Object expected = {
      {"type", "errors#STL0405"},           {"title", "WrongState"}, {"status", 409},
      {"detail", "Expected a but found b"}, {"code", "STL0405"},     {"step", "pay"}};
  EXPECT_EQ(std::get<ProblemDocument>(response.body).members, expected);
}

TEST(Problem, SaysHowToAuthenticateAndWhenToComeAgain) {
  EXPECT_EQ(Problem({ErrorCode::kUnauthenticated, ""}).headers.Get("WWW-Authenticate"), "Bearer");
  EXPECT_EQ(Problem({ErrorCode::kBadToken, ""}).headers.Get("WWW-Authenticate"),
            "Bearer error=\"invalid_token\"");
  EXPECT_EQ(Problem({ErrorCode::kBackPressure, ""}).headers.Get("Retry-After"), "1");
  EXPECT_FALSE(Problem({ErrorCode::kForbidden, ""}).headers.Has("WWW-Authenticate"));
}

}  // namespace
}  // namespace stele::server::http
