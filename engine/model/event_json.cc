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
Value ValueOf(const Payload& payload) {
  Result<Value> parsed = ParseJson(payload.text());
  return parsed ? *std::move(parsed) : Value(payload.text());
}

class EventWriter {
 public:
  EventWriter(Object& out, const definition::Definition* definition)
      : out_(out), definition_(definition) {}

  void operator()(std::string_view name, const Payload& v) {
    if (v.has_value()) out_.Set(name, ValueOf(v));
  }
  void operator()(std::string_view name, const std::string& v) {
    if (!v.empty()) out_.Set(name, v);
  }
  void operator()(std::string_view name, bool v) {
    if (v) out_.Set(name, true);
  }
  void operator()(std::string_view name, int32_t v) { Number(name, v); }
  void operator()(std::string_view name, uint32_t v) {
    if (v != 0 || name == "index") out_.Set(name, static_cast<int64_t>(v));
  }
  void operator()(std::string_view name, DefinitionId v) { Number(name, v.value); }
  void operator()(std::string_view name, InstanceId v) {
    Number(name, static_cast<int64_t>(v.value));
  }
  void operator()(std::string_view name, RunId v) { Number(name, v.value); }
  void operator()(std::string_view name, TimeUs v) { Number(name, v.value); }
  void operator()(std::string_view name, ScopeId v) { out_.Set(name, int64_t{v.value}); }

  void operator()(std::string_view name, StepIndex v) {
    if (definition_ != nullptr && v.value < definition_->steps.size()) {
      out_.Set(name, definition_->step(v).id);
    } else {
      Index(name, v.value);
    }
  }
  void operator()(std::string_view name, BodyIndex v) {
    if (definition_ != nullptr && v.value < definition_->bodies.size()) {
      out_.Set(name, definition_->body(v).id);
    } else {
      Index(name, v.value);
    }
  }
  void operator()(std::string_view name, TransitionIndex v) {
    if (definition_ != nullptr && v.value < definition_->transitions.size()) {
      const definition::Transition& transition = definition_->transition(v);
      out_.Set(name, fmt::format("{} -> {}", definition_->step(transition.from).id,
                                 definition_->step(transition.to).id));
    } else {
      Index(name, v.value);
    }
  }

  void operator()(std::string_view name, Purpose v) {
    if (v != Purpose::kNormal) out_.Set(name, EnumName(v));
  }
  template <class Enum>
    requires std::is_enum_v<Enum>
  void operator()(std::string_view name, Enum v) {
    out_.Set(name, EnumName(v));
  }

  void operator()(std::string_view name, const std::vector<std::string>& v) {
    if (!v.empty()) out_.Set(name, Array(v.begin(), v.end()));
  }
  void operator()(std::string_view name, const std::vector<NamedPayload>& v) {
    if (v.empty()) return;
    Object variables;
    for (const NamedPayload& variable : v) variables.Set(variable.name, ValueOf(variable.value));
    out_.Set(name, std::move(variables));
  }
  void operator()(std::string_view name, const std::vector<SecretUse>& v) {
    if (v.empty()) return;
    Array secrets;
    for (const SecretUse& secret : v) {
      secrets.push_back(Object{{"name", secret.name},
                               {"pointer", secret.pointer},
                               {"offset", static_cast<int64_t>(secret.offset)}});
    }
    out_.Set(name, std::move(secrets));
  }

 private:
  void Number(std::string_view name, int64_t v) {
    if (v != 0) out_.Set(name, v);
  }
  void Index(std::string_view name, uint32_t v) {
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
