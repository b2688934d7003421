#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/json.h"
#include "base/json_pointer.h"
#include "engine/definition/faults.h"
#include "engine/definition/limits.h"
#include "engine/definition/moment.h"
#include "engine/definition/schema_rules.h"
#include "engine/expression/compare.h"

namespace stele::definition {
namespace {

// Of a text that a pattern is held against.
constexpr size_t kBytesOfAStep = 1'000;

std::string Found(const Value& value) {
  if (value.is_string()) return Quote(value.as_string());
  if (value.is_array()) return value.as_array().empty() ? "an empty list" : "a list";
  if (value.is_object()) return value.as_object().empty() ? "an empty object" : "an object";
  return ToJson(value);
}

bool HoldsTemplate(const Value& value) {
  if (value.is_string())
    return value.as_string().contains("{{") || value.as_string().contains("${");
  if (value.is_array()) return std::ranges::any_of(value.as_array(), HoldsTemplate);
  return value.is_object() && std::ranges::any_of(value.as_object(), [](const Member& member) {
           return HoldsTemplate(member.value);
         });
}

bool IsWhole(const Value& value) {
  return value.is_int() ||
         (value.is_double() && std::floor(value.as_double()) == value.as_double());
}

bool IsOfType(const Value& value, std::string_view type) {
  if (type == "number") return value.is_number();
  if (type == "integer") return IsWhole(value);
  return KindName(value.kind()) == type;
}

std::string TypeName(std::string_view type) {
  if (type == "null") return "null";
  if (type == "array") return "a list";
  const bool vowel = type == "integer" || type == "object";
  return fmt::format("{} {}", vowel ? "an" : "a", type);
}

// Below 0, 0 or above 0. REQUIRES: they are numbers.
int Compare(const Value& a, const Value& b) {
  const std::partial_ordering order =
      expression::Order(a, b).value_or(std::partial_ordering::unordered);
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

bool IsMultiple(const Value& value, const Value& of) {
  if (value.is_int() && of.is_int()) return value.as_int() % of.as_int() == 0;
  const double ratio = value.as_double() / of.as_double();
  return std::abs(ratio - std::round(ratio)) <= 1e-9 * std::max(1.0, std::abs(ratio));
}

int64_t CodePoints(std::string_view text) {
  return std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

// Where a check has come to in the value.
struct At {
  const Value& value;
  std::string pointer;
  uint32_t depth = 0;

  At Inner(const Value& inner, std::string_view token) const {
    return {inner, Under(pointer, token), depth + 1};
  }
};

class Check {
 public:
  Check(const SchemaRules& rules, bool with_templates)
      : rules_(rules.rules), with_templates_(with_templates) {}

  std::vector<SchemaFault> Run(const Value& value) {
    std::vector<SchemaFault> faults;
    faults_ = &faults;
    Ask(0, {value, ""});
    const At root{value, ""};
    if (steps_ > kMaxSchemaSteps)
      Add(root, fmt::format("a check of at most {} steps", kMaxSchemaSteps), "more");
    if (too_deep_) Add(root, fmt::format("a depth of at most {}", kMaxSchemaDepth), "more");
    return faults;
  }

 private:
  void Ask(uint32_t index, const At& at);
  void AskScalar(const SchemaRule& rule, const At& at);
  void AskNumber(const SchemaRule& rule, const At& at);
  void AskString(const SchemaRule& rule, const At& at);
  void AskArray(const SchemaRule& rule, const At& at);
  void AskContains(const SchemaRule& rule, const At& at);
  void AskObject(const SchemaRule& rule, const At& at);
  void AskMembers(const SchemaRule& rule, const At& at);
  void AskCombined(const SchemaRule& rule, const At& at);
  // Whether the value fits, without a word about it.
  bool Fits(uint32_t index, const At& at);
  size_t CountFits(const std::vector<uint32_t>& rules, const At& at);
  bool Unknown(const Value& value) const { return with_templates_ && HoldsTemplate(value); }

  void Add(const At& at, std::string_view wanted, std::string_view found) {
    if (faults_->size() >= kMaxSchemaFaults) return;
    const std::string place = at.pointer.empty() ? "" : " at " + at.pointer;
    faults_->push_back(
        {at.pointer, fmt::format("Expected {}{} but found {}", wanted, place, found)});
  }
  // `noun` in the singular; `tail` follows it.
  void Count(const At& at, std::optional<int64_t> low, std::optional<int64_t> high, int64_t count,
             std::string_view noun, std::string_view tail = "") {
    const auto told = [&](std::string_view bound, int64_t limit) {
      Add(at, fmt::format("{} {} {}{}{}", bound, limit, noun, limit == 1 ? "" : "s", tail),
          std::to_string(count));
    };
    if (low && count < *low) told("at least", *low);
    if (high && count > *high) told("at most", *high);
  }
  // Run tells that too much was spent, as what is asked in silence cannot.
  bool Spend(size_t steps) {
    steps_ += steps;
    return steps_ <= kMaxSchemaSteps;
  }

  const std::vector<SchemaRule>& rules_;
  const bool with_templates_;
  std::vector<SchemaFault>* faults_ = nullptr;
  size_t steps_ = 0;
  bool too_deep_ = false;
};

void Check::Ask(uint32_t index, const At& at) {
  if (!Spend(1)) return;
  if (at.depth > kMaxSchemaDepth) {
    too_deep_ = true;
    return;
  }
  if (with_templates_ && at.value.is_string() && HoldsTemplate(at.value)) return;
  const SchemaRule& rule = rules_[index];
  if (rule.refuses) return Add(at, "nothing", Found(at.value));
  if (rule.reference != kNoRule) Ask(rule.reference, {at.value, at.pointer, at.depth + 1});
  const auto of_type = [&](const std::string& type) { return IsOfType(at.value, type); };
  if (!rule.types.empty() && std::ranges::none_of(rule.types, of_type)) {
    std::string wanted;
    for (const std::string& type : rule.types)
      wanted += (wanted.empty() ? "" : " or ") + TypeName(type);
    return Add(at, wanted, Found(at.value));
  }
  AskScalar(rule, at);
  if (at.value.is_array()) AskArray(rule, at);
  if (at.value.is_object()) AskObject(rule, at);
  AskCombined(rule, at);
}

void Check::AskScalar(const SchemaRule& rule, const At& at) {
  if (rule.choices && !Unknown(at.value) &&
      std::ranges::find(*rule.choices, at.value) == rule.choices->end()) {
    std::string wanted;
    for (size_t i = 0; i < rule.choices->size() && i < 20; ++i)
      wanted += (i == 0 ? "" : ", ") + ToJson((*rule.choices)[i]);
    Add(at, (rule.choices->size() == 1 ? "" : "one of ") + wanted, Found(at.value));
  }
  if (at.value.is_number()) AskNumber(rule, at);
  if (at.value.is_string()) AskString(rule, at);
}

void Check::AskNumber(const SchemaRule& rule, const At& at) {
  const Value& value = at.value;
  const auto bound = [&](const std::optional<Value>& limit, std::string_view words, auto fits) {
    if (limit && !fits(Compare(value, *limit)))
      Add(at, fmt::format("a number {} {}", words, ToJson(*limit)), ToJson(value));
  };
  bound(rule.minimum, "from", [](int order) { return order >= 0; });
  bound(rule.maximum, "up to", [](int order) { return order <= 0; });
  bound(rule.above, "above", [](int order) { return order > 0; });
  bound(rule.below, "below", [](int order) { return order < 0; });
  if (rule.multiple_of && !IsMultiple(value, *rule.multiple_of))
    Add(at, "a multiple of " + ToJson(*rule.multiple_of), ToJson(value));
}

void Check::AskString(const SchemaRule& rule, const At& at) {
  const std::string& text = at.value.as_string();
  if (rule.min_length || rule.max_length)
    Count(at, rule.min_length, rule.max_length, CodePoints(text), "character");
  if (rule.pattern != nullptr && Spend(text.size() / kBytesOfAStep) &&
      !re2::RE2::PartialMatch(text, *rule.pattern))
    Add(at, "a text that matches " + Quote(rule.pattern->pattern()), Quote(text));
  if (rule.date_time && !ParseInstant(text))
    Add(at, "a time like \"2025-01-31T08:00:00Z\"", Quote(text));
}

void Check::AskArray(const SchemaRule& rule, const At& at) {
  const Array& array = at.value.as_array();
  Count(at, rule.min_items, rule.max_items, static_cast<int64_t>(array.size()), "element");
  for (size_t i = 0; i < array.size(); ++i) {
    const uint32_t inner = i < rule.prefix_items.size() ? rule.prefix_items[i] : rule.items;
    if (inner == kNoRule) break;
    Ask(inner, at.Inner(array[i], std::to_string(i)));
  }
  if (rule.unique_items && !Unknown(at.value) && Spend(array.size() * array.size() / 2))
    for (size_t i = 0; i < array.size(); ++i)
      if (const auto same =
              std::find(array.begin(), array.begin() + static_cast<ptrdiff_t>(i), array[i]);
          same != array.begin() + static_cast<ptrdiff_t>(i))
        return Add(at, "elements that differ",
                   fmt::format("the same at {} and {}", same - array.begin(), i));
  if (rule.contains != kNoRule && !Unknown(at.value)) AskContains(rule, at);
}

void Check::AskContains(const SchemaRule& rule, const At& at) {
  int64_t count = 0;
  for (size_t i = 0; i < at.value.as_array().size(); ++i)
    count += Fits(rule.contains, at.Inner(at.value.as_array()[i], std::to_string(i))) ? 1 : 0;
  Count(at, rule.min_contains.value_or(1), rule.max_contains, count, "element",
        " that fit `contains`");
}

void Check::AskObject(const SchemaRule& rule, const At& at) {
  const Object& object = at.value.as_object();
  Count(at, rule.min_properties, rule.max_properties, static_cast<int64_t>(object.size()),
        "member");
  // To find a member is to look through them.
  const size_t lookup = 1 + object.size() / 16;
  if (!Spend(lookup * (rule.required.size() + 2 * rule.dependent_required.size() +
                       rule.dependent_schemas.size())))
    return;
  for (const std::string& name : rule.required)
    if (object.Find(name) == nullptr) Add(at, "a member " + Quote(name), "none");
  for (const auto& [name, others] : rule.dependent_required)
    for (const std::string& other : others)
      if (Spend(lookup) && object.Find(name) != nullptr && object.Find(other) == nullptr)
        Add(at, fmt::format("a member {} beside {}", Quote(other), Quote(name)), "none");
  for (const auto& [name, schema] : rule.dependent_schemas)
    if (object.Find(name) != nullptr) Ask(schema, {at.value, at.pointer, at.depth + 1});
  AskMembers(rule, at);
}

void Check::AskMembers(const SchemaRule& rule, const At& at) {
  const auto name_of = [&](uint32_t i) -> std::string_view { return rule.properties[i].first; };
  for (const Member& member : at.value.as_object()) {
    const size_t match = 1 + member.key.size() / kBytesOfAStep;
    if (!Spend(1 + match * rule.pattern_properties.size())) return;
    const At inner = at.Inner(member.value, member.key);
    if (rule.property_names != kNoRule)
      if (const Value name(member.key); !Fits(rule.property_names, {name, "", at.depth + 1}))
        Add(at, "names that fit `propertyNames`", Quote(member.key));
    bool known = false;
    const std::string_view key = member.key;
    if (const auto found = std::ranges::lower_bound(rule.by_name, key, {}, name_of);
        found != rule.by_name.end() && name_of(*found) == key) {
      known = true;
      Ask(rule.properties[*found].second, inner);
    }
    for (const auto& [pattern, schema] : rule.pattern_properties) {
      if (!re2::RE2::PartialMatch(member.key, *pattern)) continue;
      known = true;
      Ask(schema, inner);
    }
    if (known || rule.additional_properties == kNoRule) continue;
    if (!rules_[rule.additional_properties].refuses) {
      Ask(rule.additional_properties, inner);
      continue;
    }
    std::vector<std::string> names;
    for (const auto& [name, schema] : rule.properties) names.push_back(name);
    const std::string near = Nearest(member.key, names);
    Add(at,
        near.empty()
            ? names.empty() ? std::string("no member") : "no member but " + QuoteList(names)
            : "a member " + Quote(near),
        Quote(member.key));
  }
}

void Check::AskCombined(const SchemaRule& rule, const At& at) {
  const At deeper{at.value, at.pointer, at.depth + 1};
  for (const uint32_t inner : rule.all_of) Ask(inner, deeper);
  const bool asks =
      !rule.any_of.empty() || !rule.one_of.empty() || rule.not_ != kNoRule || rule.if_ != kNoRule;
  if (!asks || Unknown(at.value)) return;
  if (!rule.any_of.empty() && CountFits(rule.any_of, deeper) == 0)
    Add(at, fmt::format("a value that fits one of {} schemas", rule.any_of.size()),
        Found(at.value));
  if (!rule.one_of.empty()) {
    const size_t fits = CountFits(rule.one_of, deeper);
    if (fits != 1)
      Add(at, fmt::format("a value that fits exactly one of {} schemas", rule.one_of.size()),
          fmt::format("{}, which fits {}", Found(at.value), fits));
  }
  if (rule.not_ != kNoRule && Fits(rule.not_, deeper))
    Add(at, "a value that does not fit `not`", Found(at.value));
  if (rule.if_ == kNoRule) return;
  const uint32_t branch = Fits(rule.if_, deeper) ? rule.then_ : rule.else_;
  if (branch != kNoRule) Ask(branch, deeper);
}

bool Check::Fits(uint32_t index, const At& at) {
  std::vector<SchemaFault> silent;
  std::vector<SchemaFault>* const told = std::exchange(faults_, &silent);
  Ask(index, at);
  faults_ = told;
  return silent.empty();
}

size_t Check::CountFits(const std::vector<uint32_t>& rules, const At& at) {
  return static_cast<size_t>(
      std::ranges::count_if(rules, [&](uint32_t rule) { return Fits(rule, at); }));
}

}  // namespace

std::vector<SchemaFault> CheckSchema(const SchemaRules& rules, const Value& value,
                                     bool with_templates) {
  return Check(rules, with_templates).Run(value);
}

}  // namespace stele::definition
