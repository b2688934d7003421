#include "tests/server/rest/rest_world.h"

#include <charconv>

#include "server/http/target.h"
#include "tests/server/http/ask_route.h"

namespace stele::server::rest {

namespace {

const Value kNothing;

}  // namespace

const Value& Answered::at(std::string_view path) const {
  const Value* value = &json;
  while (!path.empty() && value != nullptr) {
    const size_t slash = std::min(path.find('/'), path.size());
    const std::string_view name = path.substr(0, slash);
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (value->is_array()) {
      size_t index = 0;
      std::from_chars(name.data(), name.data() + name.size(), index);
      value = index < value->as_array().size() ? &value->as_array()[index] : nullptr;
    } else {
      value = value->Find(name);
    }
  }
  return value == nullptr ? kNothing : *value;
}

int64_t Answered::number(std::string_view path) const {
  const Value& value = at(path);
  EXPECT_TRUE(value.is_int()) << path << " of " << body;
  return value.is_int() ? value.as_int() : 0;
}

std::string Answered::text(std::string_view path) const {
  const Value& value = at(path);
  EXPECT_TRUE(value.is_string()) << path << " of " << body;
  return value.is_string() ? value.as_string() : std::string();
}

kj::Promise<void> TextStream::write(const void* buffer, size_t size) {
  text.append(static_cast<const char*>(buffer), size);
  return kj::READY_NOW;
}

kj::Promise<void> TextStream::write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) {
  for (const auto& piece : pieces)
    text.append(reinterpret_cast<const char*>(piece.begin()), piece.size());
  return kj::READY_NOW;
}

RestWorld::RestWorld(const More& more, ServedData place)
    : served({}, std::move(place)),
      operations_{served.desk(),        served.instances(),         served.definitions(),
                  served.triggers(),    served.questions(),         served.histories(),
                  served.events(),      served.worker_operations(), served.forks(),
                  &served.maintenance()},
      api_(operations_, {.authorize = [this](const http::Request&) -> Result<Caller> {
                           if (who.has_value()) return *who;
                           return Fail(ErrorCode::kUnauthenticated,
                                       "Expected a token but found none");
                         },
                         .still_valid = [this](const Caller&) { return still_valid; }}) {
  served.BeginRetention();
  if (more != nullptr)
    for (Resource& resource : more(operations_)) api_.Add(std::move(resource));
  api_.AddTo(router_);
}

Answered RestWorld::Ask(http::Method method, std::string_view target, std::string body,
                        http::Headers headers) {
  const std::string raw = target.starts_with("//") ? std::string(target.substr(1))
                                                   : std::string(kPrefix).append(target);
  const auto parsed = http::ParseTarget(raw);
  if (!parsed.has_value()) return Take(http::Problem(parsed.error()));
  const auto matched = router_.Match(method, *parsed);
  if (!matched.has_value()) return Take(http::Problem(matched.error().error));
  http::Request request{.method = method,
                        .path = parsed->path,
                        .params = matched->params,
                        .query = http::Query(parsed->query),
                        .headers = std::move(headers),
                        .body = std::move(body),
                        .source = "127.0.0.1",
                        .id = "test"};
  kj::Promise<http::Response> answer = http::AskRoute(*matched->route, request);
  if (patience.has_value())
    answer = answer.exclusiveJoin(served.timer().afterDelay(*patience).then(
        [] { return http::Response{.status = 0, .headers = {}, .content_type = {}, .body = {}}; }));
  Answered answered = Take(served.Await(kj::mv(answer)));
  if (answered.status == 0) return answered;
  Check(matched->route->options.operation, answered);
  return answered;
}

Answered RestWorld::Take(http::Response response) {
  Answered answered{.status = response.status,
                    .headers = std::move(response.headers),
                    .content_type = std::move(response.content_type),
                    .body = {},
                    .json = {},
                    .feed = {}};
  if (auto* text = std::get_if<std::string>(&response.body)) answered.body = std::move(*text);
  if (auto* problem = std::get_if<http::ProblemDocument>(&response.body))
    answered.body = stele::ToJson(problem->members);
  if (auto* download = std::get_if<http::Download>(&response.body)) {
    TextStream out;
    uint64_t written = 0;
    http::BodyWriter writer(out, written);
    served.turns().Await((*download)(writer));
    answered.body = std::move(out.text);
  }
  if (auto* feed = std::get_if<http::EventFeed>(&response.body)) answered.feed = kj::mv(*feed);
  if (answered.content_type.ends_with("json"))
    answered.json = ParseJson(answered.body, nullptr, kWrittenJson).value_or(Value());
  return answered;
}

const Route* RestWorld::RouteOf(const std::string& operation) const {
  for (const Resource& resource : api_.resources())
    for (const Route& route : resource.routes)
      if (route.id == operation) return &route;
  return nullptr;
}

const definition::JsonSchema& RestWorld::SchemaOf(const std::string& type) {
  const auto found = schemas_.find(type);
  if (found != schemas_.end()) return found->second;
  return schemas_.emplace(type, api_.schemas().Compile(type, /*closed=*/true)).first->second;
}

void RestWorld::Check(const std::string& operation, const Answered& answered) {
  const Route* route = RouteOf(operation);
  if (route == nullptr) return;
  std::string type;
  if (answered.status >= 400) {
    EXPECT_EQ(answered.content_type, "application/problem+json") << operation;
    type = "Problem";
  } else {
    bool is_known = false;
    for (const Answer& answer : route->answers) {
      const bool has_content = answered.status != 204;
      if (answer.status != answered.status ||
          (has_content && answer.media != answered.content_type))
        continue;
      is_known = true;
      if (answer.media == "application/json") type = answer.type;
    }
    EXPECT_TRUE(is_known) << operation << " does not say that it answers " << answered.status
                          << " with " << answered.content_type;
  }
  ++checked_;
  if (type.empty()) return;
  for (const definition::SchemaFault& fault : SchemaOf(type).Validate(answered.json))
    ADD_FAILURE() << operation << " answered what is no " << type << ": " << fault.message << "\n"
                  << answered.body;
}

std::string RestWorld::Refusal(int status, const Answered& answered) {
  EXPECT_EQ(answered.status, status) << answered.body;
  return answered.status < 400 ? "nothing" : answered.text("code");
}

int64_t RestWorld::Start(const std::string& definition, const std::string& rest) {
  const Answered started =
      Post("/instances", fmt::format(R"({{"definition":"{}"{}}})", definition, rest));
  EXPECT_EQ(started.status, 201) << started.body;
  return started.number("id");
}

}  // namespace stele::server::rest
