#include "replay/export/line_schema.h"

#include <fmt/format.h>

#include "engine/model/codec.h"
#include "engine/model/event_fields.h"
#include "engine/model/names.h"
#include "replay/export/json_lines.h"

namespace stele::replay {
namespace {

Value Ref(std::string_view name) {
  return Object{{"$ref", fmt::format("#/$defs/{}", name)}};
}
Value Typed(std::string_view type) {
  return Object{{"type", type}};
}
Value ListOf(Value items) {
  return Object{{"type", "array"}, {"items", std::move(items)}, {"minItems", 1}};
}
Value Natural() {
  return Object{{"type", "integer"}, {"minimum", 0}};
}
template <class Enum>
Value WordsOf(Enum) {
  Array words;
  for (const std::string_view name : model::NamesOf(Enum{}))
    if (!name.empty()) words.emplace_back(name);
  return Object{{"enum", std::move(words)}};
}

// Of an object with these members and no others.
Value Closed(Object properties, Array required) {
  return Object{{"type", "object"},
                {"properties", std::move(properties)},
                {"required", std::move(required)},
                {"additionalProperties", false}};
}

// What a member of an event may be, by its type in event.h.
class MemberSchemas {
 public:
  MemberSchemas(Object& properties, Array& required)
      : properties_(&properties), required_(&required) {}

  void operator()(std::string_view name, const Payload&) const { properties_->Set(name, true); }
  void operator()(std::string_view name, const std::string&) const { Set(name, Typed("string")); }
  void operator()(std::string_view name, bool) const { Set(name, Object{{"const", true}}); }
  void operator()(std::string_view name, int32_t) const { Set(name, Typed("integer")); }
  void operator()(std::string_view name, int64_t) const { Set(name, Typed("integer")); }
  void operator()(std::string_view name, uint32_t) const { Set(name, Natural()); }
  void operator()(std::string_view name, TimeUs) const { Set(name, Ref("time")); }
  void operator()(std::string_view name, ScopeId) const {
    Set(name, Natural());
    required_->emplace_back(name);
  }
  template <class Tag, class Integer>
  void operator()(std::string_view name, StrongInteger<Tag, Integer>) const {
    Set(name, Natural());
  }
  template <class Enum>
    requires std::is_enum_v<Enum>
  void operator()(std::string_view name, Enum v) const {
    Set(name, WordsOf(v));
    required_->emplace_back(name);
  }
  void operator()(std::string_view name, const std::vector<std::string>&) const {
    Set(name, ListOf(Typed("string")));
  }
  template <class Tag, class Integer>
  void operator()(std::string_view name, const std::vector<StrongInteger<Tag, Integer>>&) const {
    Set(name, ListOf(Natural()));
  }
  void operator()(std::string_view name, const std::vector<model::NamedPayload>&) const {
    Set(name, Typed("object"));
  }
  void operator()(std::string_view name, const std::vector<model::Wait>&) const {
    Set(name, ListOf(Ref("wait")));
  }
  void operator()(std::string_view name, const std::vector<model::SecretUse>&) const {
    Set(name, ListOf(Ref("secret_use")));
  }
  void operator()(std::string_view name, const std::vector<InstanceRange>&) const {
    Set(name, ListOf(Ref("instance_range")));
  }
  void operator()(std::string_view name, const std::vector<model::MessagePlace>&) const {
    Set(name, ListOf(Ref("message_place")));
  }
  void operator()(std::string_view name, const std::vector<model::ViewRow>&) const {
    Set(name, Natural());
  }
  void operator()(std::string_view, const model::ForkedState&) const {}

 private:
  void Set(std::string_view name, Value schema) const { properties_->Set(name, std::move(schema)); }

  Object* properties_;
  Array* required_;
};

template <class Event>
Value DataSchema() {
  Object properties;
  Array required;
  const MemberSchemas add(properties, required);
  VisitFields(Event{}, [&add](std::string_view name, const auto& member) { add(name, member); });
  return Closed(std::move(properties), std::move(required));
}

void AddValues(Object& defs) {
  defs.Set("hash", Object{{"type", "string"}, {"pattern", "^[0-9a-f]{64}$"}});
  defs.Set("check",
           Object{{"type", "string"},
                  {"pattern", fmt::format("^[0-9a-f]{{{}}}$", kCheckDigits)},
                  {"description", "the beginning of the SHA-256 of the line before ,\"check\""}});
  defs.Set("time",
           Object{{"type", "integer"}, {"description", "microseconds since the Unix epoch"}});
  defs.Set("wait", Closed({{"event", Typed("string")},
                           {"kind", WordsOf(model::WaitKind())},
                           {"name", Typed("string")},
                           {"key", Typed("string")},
                           {"due", Ref("time")}},
                          {"kind"}));
  defs.Set(
      "secret_use",
      Closed({{"pointer", Typed("string")}, {"offset", Natural()}, {"name", Typed("string")}}, {}));
  defs.Set("instance_range", Closed({{"first", Natural()}, {"last", Natural()}}, {}));
  defs.Set("message_place", Closed({{"position", Natural()}, {"ordinal", Natural()}}, {}));
  defs.Set("record", Closed({{"events", Natural()},
                             {"hash", Ref("hash")},
                             {"clear", Ref("hash")},
                             {"body", Object{{"type", "string"}, {"contentEncoding", "base64"}}}},
                            {"events", "hash"}));
}

void AddOtherLines(Object& defs) {
  defs.Set("first_line", Closed({{"export", Object{{"const", "stele"}}},
                                 {"format", Object{{"const", kJsonLinesFormat}}},
                                 {"shard", Natural()},
                                 {"whole", Typed("boolean")},
                                 {"partial", Typed("string")},
                                 {"sealed", Typed("boolean")},
                                 {"check", Ref("check")}},
                                {"export", "format", "shard", "whole", "check"}));
  defs.Set("purged_records", Closed({{"position", Natural()},
                                     {"purged", Natural()},
                                     {"hash", Ref("hash")},
                                     {"block", Ref("hash")},
                                     {"check", Ref("check")}},
                                    {"position", "purged", "hash", "check"}));
  Value end = Closed(
      {{"records", Natural()}, {"events", Natural()}, {"purged", Natural()}, {"hash", Ref("hash")}},
      {"records", "events"});
  defs.Set("last_line",
           Closed({{"end", std::move(end)}, {"check", Ref("check")}}, {"end", "check"}));
}

Value EventLine() {
  Array names, kinds;
#define STELE_EVENT_KIND(Type, name, WHICH)                                              \
  names.emplace_back(name);                                                              \
  kinds.push_back(                                                                       \
      Object{{"if", Object{{"properties", Object{{"event", Object{{"const", name}}}}}}}, \
             {"then", Object{{"properties", Object{{"data", Ref(name)}}}}}});
  STELE_EVENTS(STELE_EVENT_KIND)
#undef STELE_EVENT_KIND
  Value line =
      Closed({{"position", Natural()},
              {"ordinal", Natural()},
              {"seq", Natural()},
              {"instance", Natural()},
              {"time", Ref("time")},
              {"actor", Typed("string")},
              {"source", Typed("string")},
              {"causation", Natural()},
              {"definition", Typed("string")},
              {"version", Natural()},
              {"erased", Object{{"const", true}}},
              {"event", Object{{"enum", std::move(names)}}},
              {"data", Typed("object")},
              {"ids", Object{{"type", "object"}, {"additionalProperties", Typed("string")}}},
              {"record", Ref("record")},
              {"block", Ref("hash")},
              {"check", Ref("check")}},
             {"position", "ordinal", "seq", "instance", "time", "event", "data", "check"});
  line.as_object().Set("allOf", std::move(kinds));
  return line;
}

}  // namespace

Value LineSchema() {
  Object defs;
  defs.Set("event_line", EventLine());
  AddOtherLines(defs);
  AddValues(defs);
#define STELE_EVENT_DATA(Type, name, WHICH) defs.Set(name, DataSchema<model::Type>());
  STELE_EVENTS(STELE_EVENT_DATA)
#undef STELE_EVENT_DATA
  return Object{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                {"$id", "urn:stele:export:1"},
                {"title", "A line of an export of Stele as JSON Lines, format 1"},
                {"oneOf", Array{Ref("first_line"), Ref("event_line"), Ref("purged_records"),
                                Ref("last_line")}},
                {"$defs", std::move(defs)}};
}

}  // namespace stele::replay
