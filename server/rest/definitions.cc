// Definitions: judging, registering and changing them.
#include "server/operations/definitions.h"

#include <kj/encoding.h>

#include <algorithm>
#include <array>

#include "server/http/media_type.h"
#include "server/rest/answers.h"
#include "server/rest/call.h"
#include "server/rest/resources.h"

namespace stele::server::rest {

namespace {

using definition::Syntax;
using http::Method;

constexpr std::array<std::string_view, 4> kYamlTypes{"application/yaml", "text/yaml",
                                                     "application/x-yaml", "text/x-yaml"};

// By its content type; without one by its first character.
Result<DefinitionText> TextOf(const Call& call) {
  const std::string type = http::MediaType(call.request().headers.Get("Content-Type"));
  DefinitionText text{.text = call.request().body,
                      .syntax = Syntax::kYaml,
                      .name = call.Asked("name").empty() ? "workflow" : call.Asked("name"),
                      .draft = call.AskedFlag("draft")};
  if (type.empty() || type == "text/plain") {
    text.syntax = definition::SyntaxOf("", text.text);
  } else if (http::IsJson(type)) {
    text.syntax = Syntax::kJson;
  } else if (std::ranges::find(kYamlTypes, type) == kYamlTypes.end()) {
    return Fail(ErrorCode::kUnsupportedMedia,
                fmt::format("Expected a definition as application/yaml or application/json but "
                            "found {}",
                            type));
  }
  return text;
}

// With every fault of the text.
http::Response RefuseText(const Refused& refused) {
  Array errors;
  for (const definition::Fault& fault : refused.faults)
    errors.push_back(Object{{"code", http::CodeText(fault.code)},
                            {"message", fault.message},
                            {"line", Whole(fault.place.line)},
                            {"column", Whole(fault.place.column)}});
  Object extra;
  if (!errors.empty()) extra.Set("errors", std::move(errors));
  return http::Problem(refused.error, std::move(extra));
}

Object Shown(const DefinitionStatus& status) {
  Object shown = ToJson(status);
  if (status.position) shown.Set("position", Whole(status.position.value));
  return shown;
}

kj::Promise<http::Response> Validate(const Operations& operations, const Call& call) {
  const auto text = TextOf(call);
  if (!text.has_value()) return Refuse(text.error());
  const auto valid = operations.definitions.Validate(call.caller(), *text);
  if (!valid.has_value()) return RefuseText(valid.error());
  return http::Json(200, Object{{"name", valid->name}, {"steps", Whole(valid->steps)}});
}

kj::Promise<http::Response> Register(const Operations& operations, const Call& call) {
  const auto text = TextOf(call);
  if (!text.has_value()) return Refuse(text.error());
  return operations.definitions.Register(call.caller(), *text)
      .then([](Judged<DefinitionStatus> status) {
        if (!status.has_value()) return RefuseText(status.error());
        http::Response response = http::Json(status->is_new ? 201 : 200, Shown(*status));
        response.headers.Add("Location",
                             fmt::format("{}/definitions/{}/versions/{}", kPrefix,
                                         kj::encodeUriComponent(kj::StringPtr(status->name)).cStr(),
                                         status->version));
        return response;
      });
}

kj::Promise<http::Response> List(const Operations& operations, const Call& call) {
  return ReplyNow(operations.definitions.List(call.caller(), call.Asked("name")),
                  [](const std::vector<DefinitionStatus>& all) {
                    Array definitions;
                    for (const DefinitionStatus& status : all)
                      definitions.emplace_back(Shown(status));
                    return http::Json(200, Object{{"definitions", std::move(definitions)}});
                  });
}

kj::Promise<http::Response> Get(const Operations& operations, const Call& call) {
  const auto version = call.Version();
  if (!version.has_value()) return Refuse(version.error());
  return ReplyNow(operations.definitions.Get(call.caller(), call.param("name"), *version),
                  [](const DefinitionStatus& status) { return http::Json(200, Shown(status)); });
}

kj::Promise<http::Response> Source(const Operations& operations, const Call& call) {
  const auto version = call.Version();
  if (!version.has_value()) return Refuse(version.error());
  std::optional<definition::Dialect> dialect;
  if (const std::string name = call.Asked("dialect"); !name.empty())
    dialect = definition::FindDialect(name);
  if (!dialect.has_value() && !call.Asked("format").empty())
    return Refuse({ErrorCode::kBadRequest,
                   "Expected a dialect beside format but found none: what was written is given as "
                   "it is"});
  const Syntax syntax = call.Asked("format") == "json" ? Syntax::kJson : Syntax::kYaml;
  return ReplyNow(
      operations.definitions.Source(call.caller(), call.param("name"), *version, dialect, syntax),
      [&](const std::string& source) {
        const Syntax is = dialect.has_value() ? syntax : definition::SyntaxOf("", source);
        return http::Text(200, is == Syntax::kJson ? "application/json" : "application/yaml",
                          source);
      });
}

kj::Promise<http::Response> Change(const Operations& operations, const Call& call,
                                   model::DefinitionState state) {
  auto version = call.Version();
  if (!version.has_value()) return Refuse(version.error());
  if (*version == 0) version = static_cast<uint32_t>(call.Number("version", 0));
  return Reply(operations.definitions.Change(call.caller(), call.param("name"), *version, state,
                                             call.Text("reason")),
               [](const DefinitionStatus& status) { return http::Json(200, Shown(status)); });
}

// Each under the name alone, which is the newest version, and under a version.
class Routes {
 public:
  explicit Routes(const Operations& operations) : operations_(operations) {}

  void Add(Route route) { routes_.push_back(std::move(route)); }
  void AddOfVersion(Route route, const std::string& word) {
    Route other = route;
    route.pattern = "/definitions/{name}" + word;
    other.pattern = "/definitions/{name}/versions/{version}" + word;
    other.id += "Version";
    if (other.body.kind == Body::Kind::kObject) other.body.component = "Reason";
    routes_.push_back(std::move(route));
    routes_.push_back(std::move(other));
  }
  void AddChange(const std::string& word, const std::string& summary,
                 model::DefinitionState state) {
    AddOfVersion({.method = Method::kPost,
                  .id = word + "Definition",
                  .summary = summary,
                  .permission = Permission::kDefine,
                  .body = ObjectOf("ChangeDefinition"),
                  .answers = {{200, "it is durable", "Definition"}},
                  .handle = [operations = operations_,
                             state](const Call& call) { return Change(operations, call, state); }},
                 "/" + word);
  }
  std::vector<Route> Take() { return std::move(routes_); }

 private:
  const Operations operations_;
  std::vector<Route> routes_;
};

std::vector<Component> Shapes() {
  return {
      {"Definition",
       "A version of a definition.",
       {{"name", "text", ""},
        {"version", "number", ""},
        {"state", "=draft,active,paused,retired", ""},
        {"reason", "text|null", "of its last change of state"},
        {"description", "text|null", ""},
        {"registered", "time", ""},
        {"position?", "number", "of the change that this answers"}}},
      {"DefinitionList", "", {{"definitions", "[Definition]", "in the order of registration"}}},
      {"ValidDefinition", "", {{"name", "text", ""}, {"steps", "count", ""}}},
      {"ChangeDefinition",
       "",
       {{"version?", "version|null", "the newest unless given"},
        {"reason?", "text", "is shown with it"}},
       Component::Others::kRefused},
  };
}

void AddTexts(Routes& routes, const Operations& operations) {
  const Body text = Raw({"application/yaml", "text/yaml", "application/json"});
  const Parameter name = Text("name", "of one whose text does not say its own");
  routes.Add({.method = Method::kPost,
              .pattern = "/definitions",
              .id = "registerDefinition",
              .summary = "Registers a definition; the same text again is the same version.",
              .permission = Permission::kDefine,
              .parameters = {name, Flag("draft", "not active yet")},
              .body = text,
              .answers = {{201, "it is a new version", "Definition"},
                          {200, "it was registered before, and keeps its state", "Definition"}},
              .handle = [operations](const Call& call) { return Register(operations, call); }});
  routes.Add({.method = Method::kPost,
              .pattern = "/definitions/validate",
              .id = "validateDefinition",
              .summary = "Judges a definition without registering it.",
              .permission = Permission::kReadDefinitions,
              .parameters = {name},
              .body = text,
              .answers = {{200, "it has no faults", "ValidDefinition"}},
              .handle = [operations](const Call& call) { return Validate(operations, call); }});
}

}  // namespace

Resource DefinitionsResource(const Operations& operations) {
  Routes routes(operations);
  AddTexts(routes, operations);
  routes.Add({.method = Method::kGet,
              .pattern = "/definitions",
              .id = "listDefinitions",
              .summary = "Every version that is registered.",
              .permission = Permission::kReadDefinitions,
              .parameters = {Text("name", "of that one alone")},
              .answers = {{200, "they are", "DefinitionList"}},
              .handle = [operations](const Call& call) { return List(operations, call); }});
  routes.AddOfVersion({.method = Method::kGet,
                       .id = "getDefinition",
                       .summary = "A definition, in its newest version unless one is given.",
                       .permission = Permission::kReadDefinitions,
                       .answers = {{200, "it is", "Definition"}},
                       .handle = [operations](const Call& call) { return Get(operations, call); }},
                      "");
  routes.AddOfVersion(
      {.method = Method::kGet,
       .id = "getSource",
       .summary = "The text, as it was written or in another notation.",
       .permission = Permission::kReadDefinitions,
       .parameters = {Choice("dialect", definition::DialectNames(), "the notation"),
                      Choice("format", {"yaml", "json"}, "with a dialect; yaml unless given")},
       .answers = {{200, "it is", "", "application/yaml"}, {200, "it is", "any"}},
       .handle = [operations](const Call& call) { return Source(operations, call); }},
      "/source");
  routes.AddChange("activate", "Instances of it may start.", model::DefinitionState::kActive);
  routes.AddChange("pause", "No instances of it start until it is active again.",
                   model::DefinitionState::kPaused);
  routes.AddChange("retire", "No instances of it start any more.",
                   model::DefinitionState::kRetired);
  routes.AddChange("draft", "It is not ready: no instances of it start.",
                   model::DefinitionState::kDraft);
  return {.name = "definitions",
          .about = "Workflows as they are registered, in versions.",
          .routes = routes.Take(),
          .components = Shapes()};
}

}  // namespace stele::server::rest
