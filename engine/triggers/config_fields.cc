#include "engine/triggers/config_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "base/json_pointer.h"
#include "engine/definition/duration.h"
#include "engine/definition/faults.h"
#include "engine/definition/limits.h"

namespace stele::triggers {

using definition::Quote;

std::string DescribeValue(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kString:
      return Quote(value.as_string());
    case Value::Kind::kArray:
      return "a list";
    case Value::Kind::kObject:
      return "a mapping";
    case Value::Kind::kNull:
    case Value::Kind::kBool:
    case Value::Kind::kInt:
    case Value::Kind::kDouble:
      return ToJson(value);
  }
  return {};
}

ConfigFields::ConfigFields(const Value& trigger, std::string pointer,
                           std::vector<TriggerFault>& faults)
    : trigger_(trigger), pointer_(std::move(pointer)), faults_(faults) {
  const auto config = Take({"config"}, Place::kBeside);
  if (!config) return;
  if (config->value->is_object())
    config_ = config->value;
  else
    AddExpected(*config, "a mapping");
}

std::optional<ConfigFields::Field> ConfigFields::Take(Names names, Place place) {
  std::optional<Field> taken;
  const auto look = [&](const Value& object, std::string_view prefix, std::string_view name) {
    const Value* value = object.Find(name);
    if (value == nullptr || value->is_null()) return;
    std::string pointer = fmt::format("{}{}/{}", pointer_, prefix, EscapePointerKey(name));
    if (taken)
      Add(ErrorCode::kInvalidDefinition, std::move(pointer),
          fmt::format("Expected `{}` once but found it again as `{}`", taken->name, name));
    else
      taken = Field{value, std::move(pointer), name};
  };
  for (const std::string_view name : names) {
    if (place != Place::kConfig) {
      known_beside_.emplace(name);
      look(trigger_, "", name);
    }
    if (place != Place::kBeside) {
      known_in_config_.emplace(name);
      if (config_ != nullptr) look(*config_, "/config", name);
    }
  }
  return taken;
}

std::optional<std::string> ConfigFields::Text(Names names, Place place) {
  const auto field = Take(names, place);
  if (!field) return std::nullopt;
  if (field->value->is_string() && !field->value->as_string().empty())
    return field->value->as_string();
  AddExpected(*field, "a text");
  return std::nullopt;
}

std::optional<bool> ConfigFields::Bool(Names names) {
  const auto field = Take(names);
  if (!field) return std::nullopt;
  if (field->value->is_bool()) return field->value->as_bool();
  AddExpected(*field, "true or false");
  return std::nullopt;
}

std::optional<int64_t> ConfigFields::Duration(Names names, std::string* pointer) {
  const auto field = Take(names);
  if (!field) return std::nullopt;
  if (pointer != nullptr) *pointer = field->pointer;
  std::optional<int64_t> duration;
  if (field->value->is_string()) duration = definition::ParseDuration(field->value->as_string());
  if (field->value->is_number()) {
    const double us = field->value->as_double() * 1e6;
    if (us >= 0 && us <= static_cast<double>(definition::kMaxDurationUs))
      duration = std::llround(us);
  }
  if (!duration)
    Add(ErrorCode::kBadDuration, field->pointer,
        fmt::format("Expected `{}` to be a duration like \"30s\" or a number of seconds{} but "
                    "found {}",
                    field->name, definition::DurationBound(*field->value),
                    DescribeValue(*field->value)));
  return duration;
}

std::vector<std::string> ConfigFields::Words(Names names, std::string* pointer) {
  const auto field = Take(names);
  if (!field) return {};
  if (pointer != nullptr) *pointer = field->pointer;
  if (field->value->is_string()) return {field->value->as_string()};
  std::vector<std::string> words;
  const bool is_list = field->value->is_array();
  if (is_list)
    for (const Value& item : field->value->as_array())
      if (item.is_string() && !item.as_string().empty()) words.push_back(item.as_string());
  if (!is_list || words.size() != field->value->as_array().size() || words.empty()) {
    AddExpected(*field, "a text or a list of texts");
    return {};
  }
  return words;
}

void ConfigFields::CheckRoots(std::span<const expression::Reference> references,
                              const std::string& pointer, const Roots& roots) {
  if (roots.empty()) return;
  for (const expression::Reference& reference : references) {
    // A secret is refused in words of its own.
    const std::string& root = reference.path[0];
    if (root != "secrets" && std::ranges::find(roots, root) == roots.end())
      Add(ErrorCode::kUnknownReference, pointer,
          fmt::format("Expected a name that begins with {} at column {} but found {}",
                      definition::QuoteList(roots, "or"), reference.column, Quote(root)));
  }
}

std::optional<expression::Template> ConfigFields::Input(Names names, const Roots& roots) {
  const auto field = Take(names);
  if (!field) return std::nullopt;
  if (!field->value->is_object()) {
    AddExpected(*field, "a mapping");
    return std::nullopt;
  }
  auto compiled = expression::Template::Compile(*field->value);
  if (!compiled) {
    Add(compiled.error().code, field->pointer, compiled.error().message);
    return std::nullopt;
  }
  if (std::ranges::any_of(compiled->references(), [](const expression::Reference& reference) {
        return reference.path[0] == "secrets";
      }))
    Add(ErrorCode::kUnknownReference, field->pointer,
        "Expected no secret in a trigger's input, which is kept in the log, but found one; name it "
        "where a step needs it");
  CheckRoots(compiled->references(), field->pointer, roots);
  return *std::move(compiled);
}

void ConfigFields::Compile(const std::string& text, const std::string& pointer, const Roots& roots,
                           std::vector<expression::Expression>& into) {
  auto compiled = expression::Expression::Compile(text);
  if (!compiled) {
    Add(compiled.error().code, pointer, compiled.error().message);
    return;
  }
  CheckRoots(compiled->references(), pointer, roots);
  into.push_back(*std::move(compiled));
}

void ConfigFields::Expressions(Names names, const Roots& roots,
                               std::vector<expression::Expression>& into) {
  const auto field = Take(names);
  if (!field) return;
  if (field->value->is_string()) {
    Compile(field->value->as_string(), field->pointer, roots, into);
    return;
  }
  if (!field->value->is_array()) {
    AddExpected(*field, "an expression or a list of them");
    return;
  }
  size_t index = 0;
  for (const Value& item : field->value->as_array()) {
    const std::string pointer = fmt::format("{}/{}", field->pointer, index++);
    const Value* text = &item;
    for (const std::string_view key : {"expression", "condition"})
      if (const Value* inner = item.Find(key)) text = inner;
    if (text->is_string())
      Compile(text->as_string(), pointer, roots, into);
    else
      Add(ErrorCode::kInvalidDefinition, pointer,
          fmt::format("Expected an expression, or a mapping with `expression`, but found {}",
                      DescribeValue(item)));
  }
}

void ConfigFields::Add(ErrorCode code, std::string pointer, std::string message) {
  if (faults_.size() < definition::kMaxFaults)
    faults_.push_back({std::move(pointer), code, std::move(message)});
}

void ConfigFields::AddExpected(const Field& field, std::string_view what) {
  Add(ErrorCode::kInvalidDefinition, field.pointer,
      fmt::format("Expected `{}` to be {} but found {}", field.name, what,
                  DescribeValue(*field.value)));
}

void ConfigFields::FinishIn(const Value& place, std::string_view prefix,
                            const std::set<std::string>& known) {
  const std::vector<std::string> words(known.begin(), known.end());
  for (const Member& member : place.as_object()) {
    if (known.contains(member.key)) continue;
    const std::string near = definition::Nearest(member.key, words);
    Add(ErrorCode::kUnknownKey,
        fmt::format("{}{}/{}", pointer_, prefix, EscapePointerKey(member.key)),
        fmt::format("Expected a key of this kind of trigger but found {}{}", Quote(member.key),
                    near.empty() ? "" : fmt::format("; did you mean {}?", Quote(near))));
  }
}

void ConfigFields::Finish() {
  FinishIn(trigger_, "", known_beside_);
  if (config_ != nullptr) FinishIn(*config_, "/config", known_in_config_);
}

}  // namespace stele::triggers
