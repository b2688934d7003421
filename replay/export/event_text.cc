#include "replay/export/event_text.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/utf8.h"
#include "engine/model/event_fields.h"
#include "engine/model/names.h"
#include "replay/export/json_scan.h"

namespace stele::replay {
namespace {

using model::EnumName;

// A JSON object under way. Members are appended as they come.
class MemberWriter {
 public:
  MemberWriter(std::string& out, bool& exact) : out_(&out), exact_(&exact) { out += '{'; }
  void End() const { *out_ += '}'; }

  void operator()(std::string_view name, const Payload& v) {
    if (!v.has_value()) return;
    Key(name);
    WritePayload(v.text());
  }
  void operator()(std::string_view name, const std::string& v) {
    if (v.empty()) return;
    Key(name);
    // The one that is bytes: digits are for people, and are not read back.
    if (name == "origin_hash") {
      *exact_ = false;
      *out_ += '"';
      WriteHex(v, *out_);
      *out_ += '"';
    } else {
      Text(v);
    }
  }
  void operator()(std::string_view name, bool v) {
    if (!v) return;
    Key(name);
    *out_ += "true";
  }
  void operator()(std::string_view name, int32_t v) { Number(name, v); }
  void operator()(std::string_view name, int64_t v) { Number(name, v); }
  void operator()(std::string_view name, uint32_t v) {
    if (v != 0 || name == "index") Always(name, v);
  }
  void operator()(std::string_view name, ScopeId v) { Always(name, v.value); }
  template <class Tag, class Integer>
  void operator()(std::string_view name, StrongInteger<Tag, Integer> v) {
    Number(name, v.value);
  }
  void operator()(std::string_view name, StepIndex v) { Index(name, v.value); }
  void operator()(std::string_view name, BodyIndex v) { Index(name, v.value); }
  void operator()(std::string_view name, TransitionIndex v) { Index(name, v.value); }
  template <class Enum>
    requires std::is_enum_v<Enum>
  void operator()(std::string_view name, Enum v) {
    Key(name);
    Text(EnumName(v));
  }

  template <class T>
  void operator()(std::string_view name, const std::vector<T>& v) {
    if (v.empty()) return;
    Key(name);
    *out_ += '[';
    for (size_t i = 0; i < v.size(); ++i) {
      if (i != 0) *out_ += ',';
      Element(v[i]);
    }
    *out_ += ']';
  }
  void operator()(std::string_view name, const std::vector<model::NamedPayload>& v) {
    if (v.empty()) return;
    Key(name);
    *out_ += '{';
    for (size_t i = 0; i < v.size(); ++i) {
      if (i != 0) *out_ += ',';
      Text(v[i].name);
      *out_ += ':';
      if (v[i].value.has_value()) {
        WritePayload(v[i].value.text());
      } else {
        *out_ += "null";
        *exact_ = false;
      }
    }
    *out_ += '}';
  }
  // Bytes of a view's own; how many rows there are says enough.
  void operator()(std::string_view name, const std::vector<model::ViewRow>& v) {
    if (v.empty()) return;
    Always(name, v.size());
    *exact_ = false;
  }
  // A whole instance.
  void operator()(std::string_view, const model::ForkedState& v) {
    if (v.has_value()) *exact_ = false;
  }

 private:
  void Key(std::string_view name) {
    if (!first_) *out_ += ',';
    first_ = false;
    *out_ += '"';
    *out_ += name;
    *out_ += "\":";
  }
  template <class Integer>
  void Always(std::string_view name, Integer v) {
    Key(name);
    Digits(v);
  }
  template <class Integer>
  void Number(std::string_view name, Integer v) {
    if (v != 0) Always(name, v);
  }
  void Index(std::string_view name, uint32_t v) {
    if (v != kNoIndex) Always(name, v);
  }
  template <class Integer>
  void Digits(Integer v) {
    const fmt::format_int digits(v);
    out_->append(digits.data(), digits.size());
  }
  void Text(std::string_view v) {
    if (!IsUtf8(v)) *exact_ = false;
    WriteJsonString(v, *out_);
  }
  void WritePayload(std::string_view text) {
    const bool trimmed = !text.empty() && text.front() > ' ' && text.back() > ' ';
    if (trimmed && FitsIntoLine(text)) {
      *out_ += text;
      return;
    }
    *exact_ = false;
    const Result<Value> parsed = ParseJson(text, nullptr, kWrittenJson);
    if (parsed.has_value()) {
      WriteJson(*parsed, *out_);
    } else {
      WriteJsonString(text, *out_);
    }
  }

  void Element(const std::string& v) { Text(v); }
  template <class Tag, class Integer>
  void Element(StrongInteger<Tag, Integer> v) {
    Digits(v.value);
  }
  void Element(const model::Wait& v) {
    MemberWriter write(*out_, *exact_);
    write("event", v.event);
    write("kind", v.kind);
    write("name", v.name);
    write("key", v.key);
    write("due", v.due);
    write.End();
  }
  void Element(const model::SecretUse& v) {
    MemberWriter write(*out_, *exact_);
    write("pointer", v.pointer);
    write("offset", v.offset);
    write("name", v.name);
    write.End();
  }
  void Element(const InstanceRange& v) {
    MemberWriter write(*out_, *exact_);
    write("first", v.first);
    write("last", v.last);
    write.End();
  }
  void Element(const model::MessagePlace& v) {
    MemberWriter write(*out_, *exact_);
    write("position", v.position);
    write("ordinal", v.ordinal);
    write.End();
  }

  std::string* out_;
  bool* exact_;
  bool first_ = true;
};

// The same, of names alone.
class IdWriter {
 public:
  IdWriter(const definition::Definition& definition, std::string& out)
      : definition_(&definition), out_(&out) {}

  void operator()(std::string_view name, StepIndex v) const {
    if (v.value < definition_->steps.size()) Add(name, definition_->step(v).id);
  }
  void operator()(std::string_view name, BodyIndex v) const {
    if (v.value < definition_->bodies.size()) Add(name, definition_->body(v).id);
  }
  void operator()(std::string_view name, TransitionIndex v) const {
    if (v.value >= definition_->transitions.size()) return;
    const definition::Transition& transition = definition_->transition(v);
    Add(name, fmt::format("{} -> {}", definition_->step(transition.from).id,
                          definition_->step(transition.to).id));
  }
  template <class Other>
  void operator()(std::string_view, const Other&) const {}

 private:
  void Add(std::string_view name, std::string_view id) const {
    *out_ += out_->back() == '{' ? "" : ",";
    *out_ += '"';
    *out_ += name;
    *out_ += "\":";
    WriteJsonString(id, *out_);
  }

  const definition::Definition* definition_;
  std::string* out_;
};

struct VisitWith {
  template <class Event, class Visit>
  static void Fields(const Event& event, Visit& visit) {
    VisitFields(event, [&visit](std::string_view name, const auto& value) { visit(name, value); });
  }
};

}  // namespace

bool WriteEventData(const model::Event& event, std::string& out) {
  bool exact = true;
  MemberWriter write(out, exact);
  std::visit([&](const auto& each) { VisitWith::Fields(each, write); }, event);
  write.End();
  return exact;
}

bool WriteEventIds(const model::Event& event, const definition::Definition& definition,
                   std::string& out) {
  const size_t begin = out.size();
  out += '{';
  IdWriter write(definition, out);
  std::visit([&](const auto& each) { VisitWith::Fields(each, write); }, event);
  if (out.size() == begin + 1) {
    out.resize(begin);
    return false;
  }
  out += '}';
  return true;
}

void WriteHex(std::string_view bytes, std::string& out) {
  static constexpr char kDigits[] = "0123456789abcdef";
  for (const char byte : bytes) {
    out += kDigits[static_cast<uint8_t>(byte) >> 4];
    out += kDigits[static_cast<uint8_t>(byte) & 15];
  }
}

}  // namespace stele::replay
