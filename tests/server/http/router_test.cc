#include "server/http/router.h"

#include <gtest/gtest.h>

namespace stele::server::http {
namespace {

kj::Promise<Response> Nothing(Request&) {
  return NoContent();
}

class RouterTest : public testing::Test {
 protected:
  RouterTest() {
    for (const char* pattern :
         {"/", "/api/v1/instances", "/api/v1/instances/{id}", "/api/v1/instances/search",
          "/api/v1/instances/{id}/steps/{step}", "/console/{path*}", "/a/{x}/c", "/a/b/{y}/d"})
      router_.Add(Method::kGet, pattern, Nothing);
    router_.Add(Method::kPost, "/api/v1/instances", Nothing);
    router_.Add(Method::kDelete, "/api/v1/instances/{number}", Nothing);
  }

  // The pattern, and the parameters as "name=value" behind it.
  std::string At(std::string_view target, Method method = Method::kGet) {
    const auto matched = router_.Match(method, ParseTarget(target).value());
    if (!matched.has_value()) return matched.error().error.message;
    std::string text = matched->route->pattern;
    for (const auto& [name, value] : matched->params) text += " " + name + "=" + value;
    return text;
  }

  Router router_;
};

TEST_F(RouterTest, MatchesLiteralsAndParameters) {
  EXPECT_EQ(At("/"), "/");
  EXPECT_EQ(At("/api/v1/instances?limit=1"), "/api/v1/instances");
  EXPECT_EQ(At("/api/v1/instances/42"), "/api/v1/instances/{id} id=42");
  EXPECT_EQ(At("/api/v1/instances/4/steps/pay%20out"),
            "/api/v1/instances/{id}/steps/{step} id=4 step=pay out");
}

TEST_F(RouterTest, NamesParametersAsTheMethodsRouteDoes) {
  EXPECT_EQ(At("/api/v1/instances/4", Method::kDelete), "/api/v1/instances/{number} number=4");
}

TEST_F(RouterTest, PrefersALiteral) {
  EXPECT_EQ(At("/api/v1/instances/search"), "/api/v1/instances/search");
}

TEST_F(RouterTest, GoesBackWhereALiteralLeadsNowhere) {
  EXPECT_EQ(At("/a/b/c"), "/a/{x}/c x=b");
  EXPECT_EQ(At("/a/b/c/d"), "/a/b/{y}/d y=c");
}

TEST_F(RouterTest, GivesTheRestToAParameterThatAsksForIt) {
  EXPECT_EQ(At("/console"), "/console/{path*} path=");
  EXPECT_EQ(At("/console/"), "/console/{path*} path=");
  EXPECT_EQ(At("/console/a/b.js"), "/console/{path*} path=a/b.js");
  EXPECT_EQ(At("/console/a/"), "/console/{path*} path=a/");
}

TEST_F(RouterTest, AnswersHeadFromGet) {
  EXPECT_EQ(At("/api/v1/instances/1", Method::kHead), "/api/v1/instances/{id} id=1");
}

TEST_F(RouterTest, SaysWhatPathWasProbablyMeant) {
  EXPECT_EQ(At("/api/v1/instnaces"),
            "Expected the path of a resource but found \"/api/v1/instnaces\"; did you mean "
            "/api/v1/instances?");
  EXPECT_EQ(At("/api/v1/instances/7/step/x"),
            "Expected the path of a resource but found \"/api/v1/instances/7/step/x\"; did you "
            "mean /api/v1/instances/7/steps/x?");
  EXPECT_EQ(At("/api/v1/instances/"),
            "Expected the path of a resource but found \"/api/v1/instances/\"; did you mean "
            "/api/v1/instances?");
  EXPECT_EQ(At("/nothing/like/it"),
            "Expected the path of a resource but found \"/nothing/like/it\"");
}

TEST_F(RouterTest, NamesTheMethodsOfThePath) {
  const auto matched = router_.Match(Method::kPut, ParseTarget("/api/v1/instances").value());
  ASSERT_FALSE(matched.has_value());
  EXPECT_EQ(matched.error().error.code, ErrorCode::kWrongMethod);
  EXPECT_EQ(matched.error().error.message,
            "Expected GET, HEAD, POST, OPTIONS for \"/api/v1/instances\" but found PUT");
  EXPECT_EQ(matched.error().allowed,
            (std::vector<Method>{Method::kGet, Method::kHead, Method::kPost, Method::kOptions}));
}

TEST_F(RouterTest, FindsNoMethodsWhereNothingIs) {
  const auto matched = router_.Match(Method::kPut, ParseTarget("/x").value());
  ASSERT_FALSE(matched.has_value());
  EXPECT_EQ(matched.error().error.code, ErrorCode::kUnknownRoute);
  EXPECT_TRUE(matched.error().allowed.empty());
}

TEST_F(RouterTest, ListsEveryRouteAsItWasAdded) {
  ASSERT_EQ(router_.routes().size(), 10u);
  EXPECT_EQ(router_.routes()[2].pattern, "/api/v1/instances/{id}");
  EXPECT_EQ(router_.routes()[2].parameters, std::vector<std::string>{"id"});
  // Each is found at the path that its pattern is with its names as values.
  for (const Route& route : router_.routes()) {
    std::string path = route.pattern;
    std::erase_if(path, [](char c) { return std::string_view("{}*").contains(c); });
    const auto matched = router_.Match(route.method, ParseTarget(path).value());
    ASSERT_TRUE(matched.has_value()) << route.pattern;
    EXPECT_EQ(matched->route, &route);
  }
}

using RouterDeathTest = RouterTest;

TEST_F(RouterDeathTest, HoldsOneRouteOfAMethodAndShape) {
  EXPECT_DEATH(router_.Add(Method::kGet, "/api/v1/instances/{other}", Nothing), "there twice");
  EXPECT_DEATH(router_.Add(Method::kGet, "/x/", Nothing), "slash at the end");
  EXPECT_DEATH(router_.Add(Method::kGet, "/{rest*}/x", Nothing), "behind the rest");
}

}  // namespace
}  // namespace stele::server::http
