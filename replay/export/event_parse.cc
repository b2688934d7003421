#include <fmt/format.h>

#include "engine/model/event_fields.h"
#include "engine/model/names.h"
#include "replay/export/event_text.h"
#include "replay/export/json_scan.h"

namespace stele::replay {
namespace {

// Takes the members of an object one after the other, in the order in which they are asked for.
// What is not there is zero, false, empty or absent.
class MemberReader {
 public:
  explicit MemberReader(std::string_view text) {
    if (!TakeMembers(text, &members_)) Fault("an object", text);
  }
  // Whether all was taken, and was what it must be.
  bool ok() {
    if (!fault_ && at_ < members_.size()) Fault("no such member", members_[at_].key);
    return !fault_;
  }
  const std::string& expected() const { return expected_; }
  const std::string& found() const { return found_; }

  void operator()(std::string_view name, Payload& v) {
    const JsonMember* member = Next(name);
    v = member == nullptr ? Payload() : Payload::FromText(member->value);
  }
  void operator()(std::string_view name, std::string& v) {
    const JsonMember* member = Next(name);
    v.clear();
    if (member != nullptr) Text(member->value, v);
  }
  void operator()(std::string_view name, bool& v) {
    const JsonMember* member = Next(name);
    v = member != nullptr;
    if (v && member->value != "true") Fault("true", member->value);
  }
  void operator()(std::string_view name, int32_t& v) { v = Within<int32_t>(name); }
  void operator()(std::string_view name, int64_t& v) { v = Within<int64_t>(name); }
  void operator()(std::string_view name, uint32_t& v) { v = Within<uint32_t>(name); }
  template <class Tag, class Integer>
  void operator()(std::string_view name, StrongInteger<Tag, Integer>& v) {
    v = StrongInteger<Tag, Integer>(Within<Integer>(name));
  }
  void operator()(std::string_view name, StepIndex& v) { v.value = Index(name); }
  void operator()(std::string_view name, BodyIndex& v) { v.value = Index(name); }
  void operator()(std::string_view name, TransitionIndex& v) { v.value = Index(name); }
  template <class Enum>
    requires std::is_enum_v<Enum>
  void operator()(std::string_view name, Enum& v) {
    const JsonMember* member = Next(name);
    std::string word;
    if (member != nullptr) Text(member->value, word);
    const model::Names names = model::NamesOf(Enum{});
    for (size_t i = 0; i < names.size(); ++i) {
      if (names[i] != word || word.empty()) continue;
      v = static_cast<Enum>(i);
      return;
    }
    Fault(fmt::format("a word that is known as \"{}\"", name), word);
  }
  template <class T>
  void operator()(std::string_view name, std::vector<T>& v) {
    v.clear();
    const JsonMember* member = Next(name);
    if (member == nullptr) return;
    std::vector<std::string_view> elements;
    if (!TakeElements(member->value, &elements)) return Fault("an array", member->value);
    v.reserve(elements.size());
    for (const std::string_view element : elements) Element(element, v.emplace_back());
  }
  void operator()(std::string_view name, std::vector<model::NamedPayload>& v) {
    v.clear();
    const JsonMember* member = Next(name);
    if (member == nullptr) return;
    std::vector<JsonMember> variables;
    if (!TakeMembers(member->value, &variables)) return Fault("an object", member->value);
    for (const JsonMember& variable : variables) {
      model::NamedPayload& named = v.emplace_back();
      Text(fmt::format("\"{}\"", variable.key), named.name);
      named.value = Payload::FromText(variable.value);
    }
  }
  // Both are in the record's body alone.
  void operator()(std::string_view name, std::vector<model::ViewRow>& v) {
    v.clear();
    if (const JsonMember* member = Next(name)) Fault("the record's body", member->value);
  }
  void operator()(std::string_view, model::ForkedState& v) { v = {}; }

 private:
  void Fault(std::string_view expected, std::string_view found) {
    if (fault_) return;
    fault_ = true;
    expected_ = expected;
    found_ = found.substr(0, 80);
  }
  const JsonMember* Next(std::string_view name) {
    return at_ < members_.size() && members_[at_].key == name ? &members_[at_++] : nullptr;
  }
  void Text(std::string_view literal, std::string& v) {
    auto text = StringOf(literal);
    if (!text) return Fault("a string", literal);
    v = *std::move(text);
  }
  template <class Integer>
  Integer Number(std::string_view literal) {
    if constexpr (std::is_signed_v<Integer>) {
      const auto number = SignedOf(literal);
      if (number && std::in_range<Integer>(*number)) return static_cast<Integer>(*number);
    } else {
      const auto number = UnsignedOf(literal);
      if (number && std::in_range<Integer>(*number)) return static_cast<Integer>(*number);
    }
    Fault("a whole number in its range", literal);
    return 0;
  }
  template <class Integer>
  Integer Within(std::string_view name) {
    const JsonMember* member = Next(name);
    return member == nullptr ? 0 : Number<Integer>(member->value);
  }
  uint32_t Index(std::string_view name) {
    const JsonMember* member = Next(name);
    return member == nullptr ? kNoIndex : Number<uint32_t>(member->value);
  }

  void Element(std::string_view text, std::string& v) { Text(text, v); }
  template <class Tag, class Integer>
  void Element(std::string_view text, StrongInteger<Tag, Integer>& v) {
    v = StrongInteger<Tag, Integer>(Number<Integer>(text));
  }
  void Element(std::string_view text, model::Wait& v) {
    MemberReader read(text);
    read("event", v.event);
    read("kind", v.kind);
    read("name", v.name);
    read("key", v.key);
    read("due", v.due);
    TakeFault(read);
  }
  void Element(std::string_view text, model::SecretUse& v) {
    MemberReader read(text);
    read("pointer", v.pointer);
    read("offset", v.offset);
    read("name", v.name);
    TakeFault(read);
  }
  void Element(std::string_view text, InstanceRange& v) {
    MemberReader read(text);
    read("first", v.first);
    read("last", v.last);
    TakeFault(read);
  }
  void Element(std::string_view text, model::MessagePlace& v) {
    MemberReader read(text);
    read("position", v.position);
    read("ordinal", v.ordinal);
    TakeFault(read);
  }
  void TakeFault(MemberReader& nested) {
    if (!nested.ok()) Fault(nested.expected(), nested.found());
  }

  std::vector<JsonMember> members_;
  size_t at_ = 0;
  bool fault_ = false;
  std::string expected_, found_;
};

template <class Event>
Result<model::Event> Read(std::string_view name, std::string_view data) {
  Event event;
  MemberReader read(data);
  VisitFields(event, [&read](std::string_view field, auto& value) { read(field, value); });
  if (read.ok()) return event;
  return Fail(ErrorCode::kInvalidInput, fmt::format("Expected {} in \"data\" of {} but found {}",
                                                    read.expected(), name, read.found()));
}

struct Reader {
  std::string_view name;
  Result<model::Event> (*read)(std::string_view name, std::string_view data);
};
#define STELE_EVENT_READER(Type, name, WHICH) {name, Read<model::Type>},
constexpr Reader kReaders[] = {STELE_EVENTS(STELE_EVENT_READER)};
#undef STELE_EVENT_READER

}  // namespace

Result<model::Event> ReadEventData(std::string_view name, std::string_view data) {
  for (const Reader& reader : kReaders)
    if (reader.name == name) return reader.read(name, data);
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("Expected an event that this build knows but found \"{}\"", name));
}

bool IsEventName(std::string_view name) {
  for (const Reader& reader : kReaders)
    if (reader.name == name) return true;
  return false;
}

}  // namespace stele::replay
