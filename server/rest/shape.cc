#include "server/rest/shape.h"

#include <array>
#include <cctype>

#include "base/check.h"
#include "base/json.h"
#include "engine/decide/limits.h"
#include "engine/definition/limits.h"
#include "engine/tasks/limits.h"

namespace stele::server::rest {

namespace {

struct Word {
  std::string_view name;
  std::string_view schema;
};

// No control characters: what people name things by is shown in lists and on terminals.
constexpr std::array kWords{
    Word{"any", "true"},
    Word{"null", R"({"type":"null"})"},
    Word{"flag", R"({"type":"boolean"})"},
    Word{"text", R"({"type":"string"})"},
    Word{"key", R"({"type":"string","maxLength":1024,"pattern":"^[^\\x00-\\x1f\\x7f-\\x9f]*$"})"},
    Word{
        "name",
        R"({"type":"string","minLength":1,"maxLength":1024,"pattern":"^[^\\x00-\\x1f\\x7f-\\x9f]+$"})"},
    Word{"object", R"({"type":"object","additionalProperties":true})"},
    Word{"number", R"({"type":"integer","format":"int64"})"},
    Word{"count", R"({"type":"integer","format":"int64","minimum":0})"},
    Word{"version", R"({"type":"integer","minimum":1,"maximum":4294967295})"},
    Word{"priority", R"({"type":"integer","minimum":-1000000,"maximum":1000000})"},
    Word{"slots", R"({"type":"integer","minimum":1,"maximum":1000})"},
    Word{"rate", R"({"type":"number"})"},
    Word{"time", R"({"type":"integer","format":"int64","description":"microseconds since 1970"})"},
    Word{
        "moment",
        R"({"type":["integer","string"],"description":"microseconds since 1970, a time as RFC 3339 writes it, or a duration from now"})"},
    Word{"duration", R"({"type":"integer","format":"int64","description":"microseconds"})"},
};
static_assert(decide::kMaxKeyBytes == 1'024, "the schemas of keys and names say so");
static_assert(definition::kMinPriority == -1'000'000 && definition::kMaxPriority == 1'000'000,
              "the schema of priorities says so");
static_assert(tasks::kMaxWorkerSlots == 1'000, "the schema of slots says so");

Value Reference(std::string_view name) {
  return Object{{"$ref", "#/components/schemas/" + std::string(name)}};
}

Value OneOf(std::string_view words) {
  Array choices;
  while (!words.empty()) {
    const size_t comma = std::min(words.find(','), words.size());
    choices.emplace_back(words.substr(0, comma));
    words.remove_prefix(std::min(comma + 1, words.size()));
  }
  return Object{{"type", "string"}, {"enum", std::move(choices)}};
}

Value SchemaOfOne(std::string_view type) {
  CHECK(!type.empty());
  if (type.front() == '=') return OneOf(type.substr(1));
  if (type.front() == '[')
    return Object{{"type", "array"}, {"items", SchemaOf(type.substr(1, type.size() - 2))}};
  if (std::isupper(static_cast<unsigned char>(type.front()))) return Reference(type);
  for (const Word& word : kWords)
    if (word.name == type) {
      Result<Value> schema = ParseJson(word.schema);
      CHECK(schema.has_value(), "the schema of {} is no JSON", type);
      return *std::move(schema);
    }
  CHECK(false, "no type {}", type);
}

// Where the next alternative begins; a bar within brackets belongs to the list.
size_t EndOfOne(std::string_view type) {
  int depth = 0;
  for (size_t i = 0; i < type.size(); ++i) {
    if (type[i] == '[') ++depth;
    if (type[i] == ']') --depth;
    if (type[i] == '|' && depth == 0) return i;
  }
  return type.size();
}

}  // namespace

Value SchemaOf(std::string_view type) {
  const size_t end = EndOfOne(type);
  Value first = SchemaOfOne(type.substr(0, end));
  if (end == type.size()) return first;
  const std::string_view rest = type.substr(end + 1);
  // The usual case in the form that people read most easily.
  if (rest == "null" && first.Find("type") != nullptr && first.Find("enum") == nullptr) {
    const Value type_of = *first.Find("type");
    Array types = type_of.is_array() ? type_of.as_array() : Array{type_of};
    types.emplace_back("null");
    first.as_object().Set("type", std::move(types));
    return first;
  }
  Array any;
  any.push_back(std::move(first));
  any.push_back(SchemaOf(rest));
  return Object{{"anyOf", std::move(any)}};
}

Value SchemaOf(const Component& component) {
  Object properties;
  Array required;
  for (const ShapeMember& member : component.members) {
    const bool optional = member.name.ends_with('?');
    const std::string name = optional ? member.name.substr(0, member.name.size() - 1) : member.name;
    Value schema = SchemaOf(member.type);
    if (schema.is_bool()) schema = Object();
    if (!member.about.empty()) {
      const Value* unit = schema.Find("description");
      schema.as_object().Set(
          "description", unit == nullptr ? member.about : member.about + "; " + unit->as_string());
    }
    properties.Set(name, std::move(schema));
    if (!optional) required.emplace_back(name);
  }
  Object schema{{"type", "object"}};
  if (!component.about.empty()) schema.Set("description", component.about);
  schema.Set("properties", std::move(properties));
  if (!required.empty()) schema.Set("required", std::move(required));
  if (component.others != Component::Others::kNone)
    schema.Set("additionalProperties", component.others == Component::Others::kAny);
  return schema;
}

}  // namespace stele::server::rest
