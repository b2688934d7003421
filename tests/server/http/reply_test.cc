#include "server/http/reply.h"

#include <gtest/gtest.h>

#include "server/http/entity_tag.h"
#include "server/http/gzip.h"
#include "server/http/limits.h"
#include "server/http/media_type.h"

namespace stele::server::http {
namespace {

const Value kLarge(Array(200, Value("0123456789")));

Request Get(Headers headers = {}) {
  Request request;
  request.id = "r-1";
  request.headers = std::move(headers);
  return request;
}

struct Sent {
  Response response;
  std::string body;
};

Sent Send(const Request& request, Response response, const CorsSettings& cors = {}) {
  Complete(request, cors, response);
  std::string body = TakeWholeBody(request, response);
  return {kj::mv(response), std::move(body)};
}

TEST(AcceptsGzip, ReadsWeightsAndStars) {
  for (const char* yes : {"gzip", "GZIP", "x-gzip", "deflate, gzip;q=0.5", "*", "br;q=0, *;q=0.1",
                          "gzip ; q=1.000", "gzip;q=0.001"})
    EXPECT_TRUE(AcceptsGzip(yes)) << yes;
  for (const char* no : {"", "identity", "br", "gzip;q=0", "gzip; Q=0.000", "*;q=0", "gzip;q=0, *"})
    EXPECT_FALSE(AcceptsGzip(no)) << no;
}

TEST(Gzip, IsUndoneByGunzipWithinABound) {
  const std::string plain(100000, 'x');
  const std::string packed = Gzip(plain, kGzipLevel);
  EXPECT_LT(packed.size(), 1000u);
  EXPECT_EQ(Gunzip(packed, plain.size()), plain);
  EXPECT_EQ(Gunzip(packed, plain.size() - 1).error().code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(Gunzip(Gzip("", 1), 0), "");
}

TEST(Gzip, TellsWhatIsNoneOrWasCut) {
  const std::string packed = Gzip("0123456789", kGzipLevel);
  for (size_t size = 0; size < packed.size(); ++size)
    EXPECT_FALSE(Gunzip(packed.substr(0, size), 100).has_value()) << size;
  EXPECT_FALSE(Gunzip("plain text", 100).has_value());
  EXPECT_FALSE(Gunzip(packed + "and more", 100).has_value());
}

TEST(EntityTag, DiffersWhereBodiesDo) {
  EXPECT_EQ(EntityTag(""), "\"cbf29ce4842223250\"");
  EXPECT_EQ(EntityTag("a"), "\"af63dc4c8601ec8c1\"");  // FNV-1a's published value
  EXPECT_NE(EntityTag("a"), EntityTag("b"));
  EXPECT_EQ(GzipTag("\"ab\""), "\"ab-gz\"");
}

TEST(EntityTag, IsMatchedInAnyCodingAndWeaklyOnlyWhereThatIsEnough) {
  EXPECT_TRUE(MatchesWeakly("\"x\", W/\"a\"", "\"a\""));
  EXPECT_TRUE(MatchesWeakly("\"a-gz\"", "\"a\""));
  EXPECT_TRUE(MatchesWeakly("\"a\"", "\"a-gz\""));
  EXPECT_TRUE(MatchesWeakly(" * ", "\"a\""));
  EXPECT_FALSE(MatchesWeakly("\"ab\"", "\"a\""));
  EXPECT_FALSE(MatchesWeakly("a", "\"a\""));
  EXPECT_FALSE(MatchesStrongly("W/\"a\"", "\"a\""));
}

TEST(Reply, HasTheFieldsOfEveryResponse) {
  const Sent sent = Send(Get(), Json(201, Object{{"a", 1}}));
  EXPECT_EQ(sent.body, R"({"a":1})");
  EXPECT_EQ(sent.response.headers.Get("Content-Type"), "application/json");
  EXPECT_EQ(sent.response.headers.Get("X-Request-Id"), "r-1");
  EXPECT_EQ(sent.response.headers.Get("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(sent.response.headers.Get("Cache-Control"), "no-store");
  EXPECT_EQ(sent.response.headers.Get("Vary"), "Accept-Encoding");
  EXPECT_FALSE(sent.response.headers.Has("ETag"));
  EXPECT_FALSE(sent.response.headers.Has("Server"));
}

TEST(Reply, KeepsWhatAHandlerHasSet) {
  Response response = Json(200, Object{});
  response.headers.Add("Cache-Control", "public, max-age=60");
  response.headers.Add("Vary", "Cookie");
  const Sent sent = Send(Get(), kj::mv(response));
  EXPECT_EQ(sent.response.headers.Get("Cache-Control"), "public, max-age=60");
  EXPECT_EQ(sent.response.headers.Get("Vary"), "Cookie, Accept-Encoding");
  EXPECT_FALSE(sent.response.headers.Has("ETag"));
}

TEST(Reply, HasATagWhereAClientMayKeepIt) {
  const Sent first = Send(Get(), Json(200, Object{{"a", 1}}));
  const std::string etag(first.response.headers.Get("ETag"));
  EXPECT_EQ(etag, EntityTag(R"({"a":1})"));
  EXPECT_EQ(first.response.headers.Get("Cache-Control"), "private, no-cache");
  const Sent again = Send(Get({{"If-None-Match", etag}}), Json(200, Object{{"a", 1}}));
  EXPECT_EQ(again.response.status, 304);
  EXPECT_EQ(again.body, "");
  EXPECT_EQ(again.response.headers.Get("ETag"), etag);
  EXPECT_FALSE(again.response.headers.Has("Content-Type"));
  EXPECT_EQ(Send(Get({{"If-None-Match", etag}}), Json(200, Object{{"a", 2}})).response.status, 200);
}

TEST(Reply, IsNotModifiedOnlyForReads) {
  Request post = Get({{"If-None-Match", "*"}});
  post.method = Method::kPost;
  const Sent sent = Send(post, Json(200, Object{}));
  EXPECT_EQ(sent.response.status, 200);
  EXPECT_FALSE(sent.response.headers.Has("ETag"));
  EXPECT_EQ(Send(Get({{"If-None-Match", "*"}}), Problem({ErrorCode::kUnknownInstance, ""}))
                .response.status,
            404);
}

TEST(Reply, IsPackedWhenItIsLargeAndAskedFor) {
  const Sent plain = Send(Get(), Json(200, kLarge));
  const Sent packed = Send(Get({{"Accept-Encoding", "gzip"}}), Json(200, kLarge));
  EXPECT_FALSE(plain.response.headers.Has("Content-Encoding"));
  EXPECT_EQ(packed.response.headers.Get("Content-Encoding"), "gzip");
  EXPECT_EQ(Gunzip(packed.body, 1 << 20), plain.body);
  EXPECT_EQ(packed.response.headers.Get("ETag"), GzipTag(plain.response.headers.Get("ETag")));
  const Sent again =
      Send(Get({{"Accept-Encoding", "gzip"},
                {"If-None-Match", std::string(packed.response.headers.Get("ETag"))}}),
           Json(200, kLarge));
  EXPECT_EQ(again.response.status, 304);
  EXPECT_FALSE(again.response.headers.Has("Content-Encoding"));
}

TEST(Reply, IsNotPackedWhenItIsSmallOrNoText) {
  const Request request = Get({{"Accept-Encoding", "gzip"}});
  EXPECT_FALSE(Send(request, Text(200, "text/plain", std::string(kMinGzipBytes - 1, 'x')))
                   .response.headers.Has("Content-Encoding"));
  EXPECT_TRUE(Send(request, Text(200, "text/plain", std::string(kMinGzipBytes, 'x')))
                  .response.headers.Has("Content-Encoding"));
  const Sent picture = Send(request, Text(200, "image/png", std::string(kMinGzipBytes, 'x')));
  EXPECT_FALSE(picture.response.headers.Has("Content-Encoding"));
  EXPECT_FALSE(picture.response.headers.Has("Vary"));
}

TEST(Reply, NamesTheRequestInAProblem) {
  const Sent sent = Send(Get(), Problem({ErrorCode::kUnknownInstance, "Expected"}));
  EXPECT_TRUE(sent.body.ends_with(R"("instance":"requests/r-1"})")) << sent.body;
}

TEST(Cors, AllowsNobodyByDefault) {
  const Sent sent = Send(Get({{"Origin", "https://a.example"}}), NoContent());
  EXPECT_FALSE(sent.response.headers.Has("Access-Control-Allow-Origin"));
  EXPECT_FALSE(sent.response.headers.Has("Vary"));
}

TEST(Cors, LetsAllowedOriginsRead) {
  const CorsSettings cors{.origins = {"https://a.example"}, .credentials = true};
  const Sent sent = Send(Get({{"Origin", "https://a.example"}}), NoContent(), cors);
  EXPECT_EQ(sent.response.headers.Get("Access-Control-Allow-Origin"), "https://a.example");
  EXPECT_EQ(sent.response.headers.Get("Access-Control-Allow-Credentials"), "true");
  EXPECT_EQ(sent.response.headers.Get("Vary"), "Origin");
  for (const char* other : {"https://b.example", "https://a.example.evil", "null"}) {
    const Sent none = Send(Get({{"Origin", other}}), NoContent(), cors);
    EXPECT_FALSE(none.response.headers.Has("Access-Control-Allow-Origin")) << other;
    EXPECT_EQ(none.response.headers.Get("Vary"), "Origin");
  }
}

TEST(Cors, AllowsEveryOriginByAStar) {
  const Sent sent = Send(Get({{"Origin", "https://x"}}), NoContent(), {.origins = {"*"}});
  EXPECT_EQ(sent.response.headers.Get("Access-Control-Allow-Origin"), "*");
}

TEST(Cors, IsCheckedBeforeItIsUsed) {
  EXPECT_TRUE(CheckCors({}).has_value());
  EXPECT_TRUE(CheckCors({.origins = {"*"}}).has_value());
  EXPECT_TRUE(CheckCors({.origins = {"https://a:1", "http://b"}, .credentials = true}).has_value());
  EXPECT_FALSE(CheckCors({.origins = {"*"}, .credentials = true}).has_value());
  EXPECT_FALSE(CheckCors({.origins = {"*", "https://a"}}).has_value());
  for (const char* bad : {"a.example", "https://", "https://a/", "https://a/b"})
    EXPECT_FALSE(CheckCors({.origins = {bad}}).has_value()) << bad;
}

TEST(Cors, KeepsPagesOfOtherOriginsFromChangingAnything) {
  Request request = Get({{"Origin", "https://evil.example"}, {"Host", "here.example:8080"}});
  EXPECT_TRUE(CheckOrigin({}, request, false).has_value());
  EXPECT_EQ(CheckOrigin({}, request, true).error().code, ErrorCode::kForbidden);
  request.method = Method::kPost;
  EXPECT_EQ(CheckOrigin({}, request, false).error().code, ErrorCode::kForbidden);
  EXPECT_TRUE(CheckOrigin({.origins = {"https://evil.example"}}, request, false).has_value());
  request.headers.Set("Origin", "http://here.example:8080");
  EXPECT_TRUE(CheckOrigin({}, request, true).has_value());
  request.headers.Set("Origin", "null");
  EXPECT_FALSE(CheckOrigin({}, request, false).has_value());
  request.headers.Erase("Origin");
  EXPECT_TRUE(CheckOrigin({}, request, false).has_value());
}

}  // namespace
}  // namespace stele::server::http
