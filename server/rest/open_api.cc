#include "server/rest/open_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/check.h"

namespace stele::server::rest {

namespace {

struct PathParameter {
  std::string_view name;
  std::string_view type;
  std::string_view about;
};

constexpr std::array kPathParameters{
    PathParameter{"id", "number", "the number of the instance"},
    PathParameter{"trigger", "number", "the number of the trigger"},
    PathParameter{"name", "name", "the name of the definition or type"},
    PathParameter{"definition", "name", "the name of the definition"},
    PathParameter{"version", "version", "of the definition"},
    PathParameter{"step", "name",
                  "the step: its id, its label (\"approve[2]\" in a loop) or \"#RUN\""},
    PathParameter{"task", "name", "the task: INSTANCE-RUN, as lists of tasks show it"},
    PathParameter{"path", "text", "the path of the webhook"},
    PathParameter{"lease", "name", "the task that a worker holds, by the lease it was given"},
    PathParameter{"user", "name", "the name of a user"},
    PathParameter{"key", "text", "the id of an API key"},
    PathParameter{"secret", "name", "the name of a secret"},
};

Value SchemaOfParameter(const Parameter& parameter) {
  switch (parameter.kind) {
    case Parameter::Kind::kNumber: {
      Object schema{{"type", "integer"}, {"minimum", parameter.least}};
      if (parameter.most != INT64_MAX) schema.Set("maximum", parameter.most);
      return schema;
    }
    case Parameter::Kind::kFlag:
      return Object{{"type", "boolean"}};
    case Parameter::Kind::kChoice: {
      Array choices;
      for (const std::string& choice : parameter.choices) choices.emplace_back(choice);
      return Object{{"type", "string"}, {"enum", std::move(choices)}};
    }
    case Parameter::Kind::kTexts:
      return Object{{"type", "array"}, {"items", Object{{"type", "string"}}}};
    case Parameter::Kind::kText:
    case Parameter::Kind::kHeader:
      return Object{{"type", "string"}};
  }
  return {};
}

// Those in braces, in order.
std::vector<std::string> NamesIn(const std::string& pattern) {
  std::vector<std::string> names;
  for (size_t at = pattern.find('{'); at != std::string::npos; at = pattern.find('{', at)) {
    const size_t end = pattern.find('}', at);
    std::string name = pattern.substr(at + 1, end - at - 1);
    if (name.ends_with('*')) name.pop_back();
    names.push_back(std::move(name));
    at = end;
  }
  return names;
}

Array ParametersOf(const Route& route) {
  Array parameters;
  for (const std::string& name : NamesIn(route.pattern)) {
    const auto* const known =
        std::ranges::find(kPathParameters, std::string_view(name), &PathParameter::name);
    CHECK(known != kPathParameters.end(), "nothing is said of {} in {}", name, route.pattern);
    parameters.push_back(Object{{"name", name},
                                {"in", "path"},
                                {"required", true},
                                {"description", known->about},
                                {"schema", SchemaOf(known->type)}});
  }
  for (const Parameter& parameter : route.parameters)
    parameters.push_back(
        Object{{"name", parameter.name},
               {"in", parameter.kind == Parameter::Kind::kHeader ? "header" : "query"},
               {"description", parameter.about},
               {"schema", SchemaOfParameter(parameter)}});
  return parameters;
}

// `components`: all schemas. An object whose members may all be missing may be missing, too.
Object BodyOf(const Body& body, const Object& components) {
  Object content;
  for (const std::string& media : body.media)
    content.Set(media, body.kind == Body::Kind::kObject
                           ? Object{{"schema", SchemaOf(body.component)}}
                           : Object());
  const Value* schema = components.Find(body.component);
  return Object{{"required", schema == nullptr || schema->Find("required") != nullptr},
                {"content", std::move(content)}};
}

Object AnswersOf(const Route& route) {
  Object answers;
  for (const Answer& answer : route.answers) {
    const std::string status = std::to_string(answer.status);
    Object content;
    if (Value* known = answers.Find(status))
      if (const Value* other = known->Find("content")) content = other->as_object();
    if (!answer.type.empty()) {
      Value schema = SchemaOf(answer.type);
      content.Set(answer.media, Object{{"schema", schema.is_bool() ? Value(Object()) : schema}});
    } else if (answer.media != "application/json") {
      content.Set(answer.media, Object());
    }
    Object described{{"description", answer.about}};
    if (!content.empty()) described.Set("content", std::move(content));
    answers.Set(status, std::move(described));
  }
  answers.Set("default", Object{{"description", "it was refused, or failed"},
                                {"content", Object{{"application/problem+json",
                                                    Object{{"schema", SchemaOf("Problem")}}}}}});
  return answers;
}

Object OperationOf(const Resource& resource, const Route& route, const Object& components) {
  Object operation{
      {"operationId", route.id}, {"tags", Array{resource.name}}, {"summary", route.summary}};
  if (route.permission.has_value()) {
    const std::string_view permission = PermissionName(*route.permission);
    operation.Set("description", fmt::format("Needs the permission `{}`.", permission));
    operation.Set("x-permission", permission);
  }
  if (Array parameters = ParametersOf(route); !parameters.empty())
    operation.Set("parameters", std::move(parameters));
  if (route.body.kind != Body::Kind::kNone)
    operation.Set("requestBody", BodyOf(route.body, components));
  operation.Set("responses", AnswersOf(route));
  if (route.anybody) operation.Set("security", Array());
  return operation;
}

// "{path*}" of the router is "{path}" here.
std::string PathInDocument(const Route& route) {
  std::string path = PathOf(route);
  std::erase(path, '*');
  return path;
}

std::string MethodKey(http::Method method) {
  std::string key(http::MethodName(method));
  std::ranges::transform(key, key.begin(), [](unsigned char c) { return std::tolower(c); });
  return key;
}

}  // namespace

Value OpenApi(const std::deque<Resource>& resources, const Schemas& schemas) {
  const Object components = schemas.all();
  Object paths;
  Array tags;
  for (const Resource& resource : resources) {
    tags.push_back(Object{{"name", resource.name}, {"description", resource.about}});
    for (const Route& route : resource.routes) {
      const std::string path = PathInDocument(route);
      Value& item = paths.Find(path) == nullptr ? paths.Set(path, Object()) : *paths.Find(path);
      item.as_object().Set(MethodKey(route.method), OperationOf(resource, route, components));
    }
  }
  return Object{
      {"openapi", "3.1.0"},
      {"info", Object{{"title", "Stele"},
                      {"version", "1"},
                      {"description",
                       "An event-sourced workflow engine. Ids are numbers; times and durations are "
                       "microseconds. What is refused is a problem document with an error code."}}},
      {"tags", std::move(tags)},
      {"security", Array{Object{{"token", Array()}}, Object{{"key", Array()}}}},
      {"paths", std::move(paths)},
      {"components",
       Object{{"schemas", components},
              {"securitySchemes",
               Object{{"token", Object{{"type", "http"},
                                       {"scheme", "bearer"},
                                       {"description", "of a login, an issuer, or an API key"}}},
                      {"key",
                       Object{{"type", "apiKey"}, {"in", "header"}, {"name", "X-API-Key"}}}}}}}};
}

}  // namespace stele::server::rest
