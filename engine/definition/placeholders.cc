#include "engine/definition/placeholders.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "engine/definition/limits.h"
#include "engine/definition/reader.h"
#include "engine/definition/value_types.h"

namespace stele::definition {
namespace {

constexpr std::string_view kOpen = "<<";
constexpr std::string_view kClose = ">>";

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.' || static_cast<unsigned char>(c) >= 0x80;
}

// The name of a placeholder that begins there, and its length; an empty name when none does.
std::pair<std::string_view, size_t> PlaceholderAt(std::string_view text, size_t at) {
  const size_t begin = text.find_first_not_of(' ', at + kOpen.size());
  if (begin == std::string_view::npos) return {};
  size_t end = begin;
  while (end < text.size() && IsNameByte(text[end])) ++end;
  const size_t close = text.find_first_not_of(' ', end);
  if (end == begin || close == std::string_view::npos || !text.substr(close).starts_with(kClose))
    return {};
  return {text.substr(begin, end - begin), close + kClose.size() - at};
}

PlacedParameter ReadParameter(std::string name, const Node& node, Faults& faults) {
  PlacedParameter placed;
  placed.place = node.place;
  Parameter& parameter = placed.parameter;
  parameter.name = std::move(name);
  MapReader reader(node, "a parameter", faults);
  reader.Take("name");
  if (const Node* initial = reader.Take("default")) {
    placed.initial = *initial;
    parameter.initial = ToValue(*initial);
  }
  if (const Node* type = reader.Take("type")) {
    const std::string word = ReadText(*type, "`type`", faults).value_or("any");
    const auto known = FindValueType(word);
    parameter.type = known.value_or("any");
    if (!known)
      faults.Add(ErrorCode::kInvalidDefinition, type->place,
                 fmt::format("Expected a parameter's type to be {} but found {}",
                             QuoteList(ValueTypes(), "or"), Quote(word)));
  }
  parameter.required = reader.Bool({"required"}, !placed.initial.has_value());
  parameter.description = reader.Text({"description"});
  reader.Finish();
  if (placed.initial && !FitsType(parameter.initial, parameter.type))
    faults.Add(ErrorCode::kInvalidDefinition, placed.initial->place,
               fmt::format("Expected the default of {} to be of type {} but found {}",
                           Quote(parameter.name), parameter.type, Describe(*placed.initial)));
  return placed;
}

// A mapping with keys of a declaration alone declares; anything else is a default.
bool Declares(const Node& node) {
  static constexpr std::string_view kKeys[] = {"name", "type", "default", "required",
                                               "description"};
  return node.is_map() && !node.entries.empty() &&
         std::ranges::all_of(node.entries, [](const Entry& entry) {
           return std::ranges::find(kKeys, entry.key) != std::end(kKeys);
         });
}

class Filler {
 public:
  Filler(const std::vector<const Values*>& scopes, Budget& budget, Faults& faults)
      : scopes_(scopes), budget_(budget), faults_(faults) {}

  void Fill(Node& node) {
    for (Node& item : node.items) Fill(item);
    for (Entry& entry : node.entries) Fill(entry.value);
    if (node.is_string() && node.scalar.as_string().contains(kOpen) && !budget_.exhausted())
      FillText(node);
  }

 private:
  void FillText(Node& node);
  const Node* Find(std::string_view name, const Node& node, size_t at);
  bool AppendText(const Node& value, std::string_view name, const Node& node, std::string& out);

  const std::vector<const Values*>& scopes_;
  Budget& budget_;
  Faults& faults_;
};

void Filler::FillText(Node& node) {
  const std::string text = node.scalar.as_string();
  const auto [whole, length] = PlaceholderAt(text, 0);
  if (text.starts_with(kOpen) && !whole.empty() && length == text.size()) {
    const Node* value = Find(whole, node, 0);
    if (value == nullptr || !budget_.Spend(*value, node.place, faults_)) return;
    const Place place = node.place;
    node = *value;
    if (node.place.line == 0) PlaceAll(node, place);
    return;
  }
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t open = text.find(kOpen, at);
    const bool escaped = open != std::string::npos && open > at && text[open - 1] == '\\';
    out += text.substr(at, (escaped ? open - 1 : open) - at);
    if (open == std::string::npos) break;
    const auto [name, size] =
        escaped ? std::pair<std::string_view, size_t>() : PlaceholderAt(text, open);
    at = open + (name.empty() ? kOpen.size() : size);
    if (name.empty()) {
      out += kOpen;
      continue;
    }
    const Node* value = Find(name, node, open);
    if (value == nullptr || !budget_.Spend(*value, node.place, faults_)) return;
    if (!AppendText(*value, name, node, out)) return;
  }
  node.scalar = std::move(out);
  node.text = {};
}

const Node* Filler::Find(std::string_view name, const Node& node, size_t at) {
  std::vector<std::string> known;
  for (const Values* scope : scopes_) {
    if (const auto found = scope->find(name); found != scope->end()) return &found->second;
    for (const auto& [other, value] : *scope) known.push_back(other);
  }
  const std::string near = faults_.Suggest(name, known);
  faults_.Add(ErrorCode::kUnknownReference, PlaceIn(node, at),
              fmt::format("Expected the name of a parameter in `<<…>>`{} but found {}",
                          near.empty() ? "" : ", perhaps " + Quote(near) + ",", Quote(name)));
  return nullptr;
}

bool Filler::AppendText(const Node& value, std::string_view name, const Node& node,
                        std::string& out) {
  if (value.is_null()) {
    faults_.Add(ErrorCode::kInvalidDefinition, node.place,
                fmt::format("Expected a value of the parameter {} inside a text but found none",
                            Quote(name)));
    return false;
  }
  if (value.is_string())
    out += value.scalar.as_string();
  else
    out += value.is_scalar() && !value.raw.empty() ? value.raw : ToJson(ToValue(value));
  return true;
}

}  // namespace

std::vector<PlacedParameter> ReadParameters(const Node& node, Faults& faults) {
  std::vector<PlacedParameter> parameters;
  const auto add = [&](PlacedParameter parameter) {
    const auto same = std::ranges::find(parameters, parameter.parameter.name,
                                        [](const auto& p) { return p.parameter.name; });
    if (same != parameters.end())
      faults.Add(ErrorCode::kDuplicateId, parameter.place,
                 fmt::format("Expected each parameter once but found {} again",
                             Quote(parameter.parameter.name)));
    parameters.push_back(std::move(parameter));
  };
  if (node.is_scalar())
    faults.Add(ErrorCode::kInvalidDefinition, node.place,
               "Expected a list of parameters but found " + Describe(node));
  for (const Node& item : node.items) {
    const Node* name = item.Find("name");
    if (name == nullptr || !name->is_string() ||
        !std::ranges::all_of(name->scalar.as_string(), IsNameByte))
      faults.Add(ErrorCode::kInvalidDefinition, name == nullptr ? item.place : name->place,
                 "Expected a parameter with a `name` of letters, digits, `_`, `-` and `.` but "
                 "found " +
                     Describe(name == nullptr ? item : *name));
    else
      add(ReadParameter(name->scalar.as_string(), item, faults));
  }
  for (const Entry& entry : node.entries) {
    if (Declares(entry.value)) {
      add(ReadParameter(entry.key, entry.value, faults));
      continue;
    }
    PlacedParameter placed{.initial = entry.value, .place = entry.place};
    placed.parameter = {.name = entry.key, .type = "any", .initial = ToValue(entry.value)};
    add(std::move(placed));
  }
  return parameters;
}

Values BindValues(const std::vector<PlacedParameter>& parameters, const Node* given, Place place,
                  Faults& faults) {
  Values values;
  std::vector<std::string> names;
  for (const auto& [parameter, initial, declared] : parameters) {
    names.push_back(parameter.name);
    const Node* value = given == nullptr ? nullptr : given->Find(parameter.name);
    if (value != nullptr && !HasTemplate(*value) && !FitsType(ToValue(*value), parameter.type))
      faults.Add(ErrorCode::kInvalidDefinition, value->place.line == 0 ? declared : value->place,
                 fmt::format("Expected the parameter {} to be of type {} but found {}",
                             Quote(parameter.name), parameter.type, Describe(*value)));
    if (value == nullptr && initial) value = &*initial;
    if (value != nullptr)
      values[parameter.name] = *value;
    else if (!parameter.required)
      values[parameter.name] = Node();
    else
      faults.Add(ErrorCode::kInvalidDefinition, place.line == 0 ? declared : place,
                 fmt::format("Expected a value for the parameter {} but found none",
                             Quote(parameter.name)));
  }
  if (given == nullptr) return values;
  if (!given->is_map())
    faults.Add(ErrorCode::kInvalidDefinition, given->place,
               "Expected a mapping of parameters but found " + Describe(*given));
  for (const Entry& entry : given->entries) {
    if (std::ranges::find(names, entry.key) != names.end()) continue;
    const std::string near = faults.Suggest(entry.key, names);
    faults.Add(ErrorCode::kUnknownKey, entry.place.line == 0 ? place : entry.place,
               fmt::format("Expected the name of a parameter{} but found {}",
                           near.empty() ? "" : ", perhaps " + Quote(near) + ",", Quote(entry.key)));
  }
  return values;
}

bool Budget::Spend(const Node& added, Place place, Faults& faults) {
  if (exhausted_) return false;
  ++nodes_;
  if (added.is_string()) bytes_ += added.scalar.as_string().size();
  if (nodes_ > kMaxNodes || bytes_ > kMaxExpandedBytes) {
    exhausted_ = true;
    faults.Add(ErrorCode::kLimitExceeded, place,
               fmt::format("Expected templates to add at most {} values and {} bytes but found "
                           "more",
                           kMaxNodes, kMaxExpandedBytes));
    return false;
  }
  return std::ranges::all_of(added.items,
                             [&](const Node& item) { return Spend(item, place, faults); }) &&
         std::ranges::all_of(added.entries,
                             [&](const Entry& entry) { return Spend(entry.value, place, faults); });
}

void FillPlaceholders(Node& node, const std::vector<const Values*>& scopes, Budget& budget,
                      Faults& faults) {
  Filler(scopes, budget, faults).Fill(node);
}

void PlaceAll(Node& node, Place place) {
  node.place = place;
  node.text = {};
  for (Node& item : node.items) PlaceAll(item, place);
  for (Entry& entry : node.entries) {
    entry.place = place;
    PlaceAll(entry.value, place);
  }
}

}  // namespace stele::definition
