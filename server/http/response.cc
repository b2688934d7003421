#include "server/http/response.h"

#include <fmt/format.h>

#include <utility>

#include "base/json.h"
#include "server/http/status.h"

namespace stele::server::http {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kProblem = "application/problem+json";

}  // namespace

std::string CodeText(ErrorCode code) {
  return fmt::format("STL{:04}", std::to_underlying(code));
}

Response Json(int status, const Value& value) {
  return Text(status, std::string(kJson), ToJson(value));
}

Response Created(std::string location, const Value& value) {
  Response response = Json(201, value);
  response.headers.Add("Location", std::move(location));
  return response;
}

Response NoContent() {
  return {.status = 204, .headers = {}, .content_type = {}, .body = std::string()};
}

Response Text(int status, std::string content_type, std::string text) {
  return {.status = status,
          .headers = {},
          .content_type = std::move(content_type),
          .body = std::move(text)};
}

Response Stream(std::string content_type, Download download) {
  return {.status = 200,
          .headers = {},
          .content_type = std::move(content_type),
          .body = kj::mv(download)};
}

Response Events(EventFeed feed) {
  return {.status = 200, .headers = {}, .content_type = "text/event-stream", .body = kj::mv(feed)};
}

Response Talk(Conversation conversation) {
  return {.status = 101, .headers = {}, .content_type = {}, .body = kj::mv(conversation)};
}

Response Problem(const Error& error, Object extra) {
  return Problem(HttpStatus(error.code), error, std::move(extra));
}

Response Problem(int status, const Error& error, Object extra) {
  Object members = {{"type", "errors#" + CodeText(error.code)},
                    {"title", ErrorCodeName(error.code)},
                    {"status", status},
                    {"detail", error.message},
                    {"code", CodeText(error.code)}};
  for (Member& member : extra) members.Set(member.key, std::move(member.value));
  Response response{.status = status,
                    .headers = {},
                    .content_type = std::string(kProblem),
                    .body = ProblemDocument{std::move(members)}};
  if (error.code == ErrorCode::kBadToken)
    response.headers.Add("WWW-Authenticate", "Bearer error=\"invalid_token\"");
  else if (status == 401)
    response.headers.Add("WWW-Authenticate", "Bearer");
  if (status == 503) response.headers.Add("Retry-After", "1");
  return response;
}

Response BareProblem(int status, std::string_view detail) {
  return {.status = status,
          .headers = {},
          .content_type = std::string(kProblem),
          .body = ProblemDocument{
              {{"title", ReasonPhrase(status)}, {"status", status}, {"detail", detail}}}};
}

}  // namespace stele::server::http
