#include "engine/model/event_json.h"

#include <fmt/format.h>

#include "base/json.h"
#include "engine/definition/definition.h"
#include "engine/model/codec.h"
#include "engine/model/event_fields.h"
#include "engine/model/names.h"

namespace stele::model {
namespace {

// Not Payload::value(): that keeps the parsed form, and stops the program when the text is no JSON.
// Of an erased record there is none any more.
Value ValueOf(const Payload& payload) {
  if (!payload.has_value()) return Value();
  Result<Value> parsed = ParseJson(payload.text(), nullptr, kWrittenJson);
  return parsed ? *std::move(parsed) : Value(payload.text());
}

std::string HexOf(std::string_view bytes) {
  std::string hex;
  for (const char byte : bytes) hex += fmt::format("{:02x}", static_cast<uint8_t>(byte));
  return hex;
}

class EventWriter {
 public:
  EventWriter(Object& out, const definition::Definition* definition)
      : out_(out), definition_(definition) {}

  void operator()(std::string_view name, const Payload& v) const {
    if (v.has_value()) out_.Set(name, ValueOf(v));
  }
  void operator()(std::string_view name, const std::string& v) const {
    if (v.empty()) return;
    // The one that is bytes.
    out_.Set(name, name == "origin_hash" ? HexOf(v) : v);
  }
  // A whole instance: what is shown of the moment behind the event is made of it.
  void operator()(std::string_view, const ForkedState&) const {}
  void operator()(std::string_view name, bool v) const {
    if (v) out_.Set(name, true);
  }
  void operator()(std::string_view name, int32_t v) const { Number(name, v); }
  void operator()(std::string_view name, TriggerId v) const { Number(name, v.value); }
  void operator()(std::string_view name, int64_t v) const { Number(name, v); }
  void operator()(std::string_view name, Position v) const {
    Number(name, static_cast<int64_t>(v.value));
  }
  void operator()(std::string_view name, uint32_t v) const {
    if (v != 0 || name == "index") out_.Set(name, static_cast<int64_t>(v));
  }
  void operator()(std::string_view name, DefinitionId v) const { Number(name, v.value); }
  void operator()(std::string_view name, InstanceId v) const {
    Number(name, static_cast<int64_t>(v.value));
  }
  void operator()(std::string_view name, Seq v) const {
    Number(name, static_cast<int64_t>(v.value));
  }
  void operator()(std::string_view name, RunId v) const { Number(name, v.value); }
  void operator()(std::string_view name, TimeUs v) const { Number(name, v.value); }
  void operator()(std::string_view name, ScopeId v) const { out_.Set(name, int64_t{v.value}); }

  void operator()(std::string_view name, StepIndex v) const {
    if (definition_ != nullptr && v.value < definition_->steps.size()) {
      out_.Set(name, definition_->step(v).id);
    } else {
      Index(name, v.value);
    }
  }
  void operator()(std::string_view name, BodyIndex v) const {
    if (definition_ != nullptr && v.value < definition_->bodies.size()) {
      out_.Set(name, definition_->body(v).id);
    } else {
      Index(name, v.value);
    }
  }
  void operator()(std::string_view name, TransitionIndex v) const {
    if (definition_ != nullptr && v.value < definition_->transitions.size()) {
      const definition::Transition& transition = definition_->transition(v);
      out_.Set(name, fmt::format("{} -> {}", definition_->step(transition.from).id,
                                 definition_->step(transition.to).id));
    } else {
      Index(name, v.value);
    }
  }

  void operator()(std::string_view name, Purpose v) const {
    if (v != Purpose::kNormal) out_.Set(name, EnumName(v));
  }
  template <class Enum>
    requires std::is_enum_v<Enum>
  void operator()(std::string_view name, Enum v) const {
    out_.Set(name, EnumName(v));
  }

  void operator()(std::string_view name, const std::vector<std::string>& v) const {
    if (!v.empty()) out_.Set(name, Array(v.begin(), v.end()));
  }
  void operator()(std::string_view name, const std::vector<NamedPayload>& v) const {
    if (v.empty()) return;
    Object variables;
    for (const NamedPayload& variable : v) variables.Set(variable.name, ValueOf(variable.value));
    out_.Set(name, std::move(variables));
  }
  // A migration's tables name two definitions by index; the plan says the same with ids.
  void operator()(std::string_view, const std::vector<BodyIndex>&) const {}
  template <class Index>
    requires std::is_same_v<Index, StepIndex> || std::is_same_v<Index, TransitionIndex>
  void operator()(std::string_view name, const std::vector<Index>& v) const {
    if (v.empty()) return;
    Array list;
    for (const Index index : v) {
      Object one;
      EventWriter(one, definition_)(name, index);
      if (const Value* written = one.Find(name)) list.push_back(*written);
    }
    out_.Set(name, std::move(list));
  }
  void operator()(std::string_view name, const std::vector<Wait>& v) const {
    if (v.empty()) return;
    Array waits;
    for (const Wait& wait : v) {
      Object one{{"kind", Value(EnumName(wait.kind))}};
      const EventWriter write(one, definition_);
      write("event", wait.event);
      write("name", wait.name);
      write("key", wait.key);
      write("due", wait.due);
      waits.push_back(std::move(one));
    }
    out_.Set(name, std::move(waits));
  }
  void operator()(std::string_view name, const std::vector<SecretUse>& v) const {
    if (v.empty()) return;
    Array secrets;
    for (const SecretUse& secret : v) {
      secrets.push_back(Object{{"name", secret.name},
                               {"pointer", secret.pointer},
                               {"offset", static_cast<int64_t>(secret.offset)}});
    }
    out_.Set(name, std::move(secrets));
  }
  // "7", "9-12"
  void operator()(std::string_view name, const std::vector<InstanceRange>& v) const {
    Array ranges;
    for (const InstanceRange& range : v)
      ranges.push_back(range.first == range.last
                           ? fmt::format("{}", range.first.value)
                           : fmt::format("{}-{}", range.first.value, range.last.value));
    out_.Set(name, std::move(ranges));
  }
  void operator()(std::string_view name, const std::vector<MessagePlace>& v) const {
    if (v.empty()) return;
    Array places;
    for (const MessagePlace& place : v) {
      Object one;
      const EventWriter write(one, definition_);
      write("position", place.position);
      write("ordinal", place.ordinal);
      places.push_back(std::move(one));
    }
    out_.Set(name, std::move(places));
  }
  // Bytes of a view's own; how many rows there are says enough.
  void operator()(std::string_view name, const std::vector<ViewRow>& v) const {
    Number(name, static_cast<int64_t>(v.size()));
  }

 private:
  void Number(std::string_view name, int64_t v) const {
    if (v != 0) out_.Set(name, v);
  }
  void Index(std::string_view name, uint32_t v) const {
    if (v != kNoIndex) out_.Set(name, int64_t{v});
  }

  Object& out_;
  const definition::Definition* definition_;
};

#define STELE_WRITE_EVENT(Type, name, WHICH)          \
  void Write(const Type& event, EventWriter writer) { \
    VisitFields(event, writer);                       \
  }
STELE_EVENTS(STELE_WRITE_EVENT)
#undef STELE_WRITE_EVENT

}  // namespace

Value EventToJson(const Event& event, const definition::Definition* definition) {
  Object out;
  out.Set("event", EventName(event));
  std::visit([&](const auto& alternative) { Write(alternative, EventWriter(out, definition)); },
             event);
  return out;
}

}  // namespace stele::model
