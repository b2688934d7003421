#include "server/rest/schemas.h"

#include "base/check.h"
#include "base/json.h"

namespace stele::server::rest {

namespace {

constexpr std::string_view kComponents = "#/components/schemas/";

}  // namespace

void Schemas::Add(const Component& component) {
  Value schema = SchemaOf(component);
  const auto [known, is_new] = schemas_.try_emplace(component.name, schema);
  CHECK(is_new || known->second == schema, "two components are called {}", component.name);
}

Object Schemas::all() const {
  std::vector<Member> members;
  members.reserve(schemas_.size());
  for (const auto& [name, schema] : schemas_) members.push_back({name, schema});
  return Object::Of(std::move(members));
}

// References become those of a schema of its own, and what they are to is found, too.
void Schemas::Collect(Value& schema, bool closed, Object& found) const {
  if (schema.is_array())
    for (Value& inner : schema.as_array()) Collect(inner, closed, found);
  if (!schema.is_object()) return;
  for (Member& member : schema.as_object()) {
    if (member.key != "$ref" || !member.value.is_string()) {
      Collect(member.value, closed, found);
      continue;
    }
    const std::string name = member.value.as_string().substr(kComponents.size());
    member.value = "#/$defs/" + name;
    if (found.Find(name) != nullptr) continue;
    const auto known = schemas_.find(name);
    CHECK(known != schemas_.end(), "no component {}", name);
    found.Set(name, Value());
    Value inner = known->second;
    if (closed && inner.Find("additionalProperties") == nullptr)
      inner.as_object().Set("additionalProperties", false);
    Collect(inner, closed, found);
    found.Set(name, std::move(inner));
  }
}

definition::JsonSchema Schemas::Compile(std::string_view type, bool closed) const {
  Value schema = SchemaOf(type);
  if (schema.is_bool()) schema = Object();
  Object found;
  Collect(schema, closed, found);
  schema.as_object().Set("$defs", std::move(found));
  auto compiled = definition::JsonSchema::Compile(schema);
  CHECK(compiled.has_value(), "the schema of {} is none: {}", type,
        compiled.error().front().message);
  return *std::move(compiled);
}

}  // namespace stele::server::rest
