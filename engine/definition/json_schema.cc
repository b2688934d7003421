#include "engine/definition/json_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>

#include "base/json.h"
#include "base/json_pointer.h"
#include "engine/definition/faults.h"
#include "engine/definition/limits.h"
#include "engine/definition/schema_rules.h"

namespace stele::definition {
namespace {

const std::vector<std::string> kTypes = {"null",   "boolean", "integer", "number",
                                         "string", "array",   "object"};
// Understood, or for people.
const std::vector<std::string> kKeywords = {"$schema",
                                            "$id",
                                            "$ref",
                                            "$comment",
                                            "$defs",
                                            "definitions",
                                            "title",
                                            "description",
                                            "default",
                                            "examples",
                                            "deprecated",
                                            "readOnly",
                                            "writeOnly",
                                            "format",
                                            "contentEncoding",
                                            "contentMediaType",
                                            "type",
                                            "enum",
                                            "const",
                                            "multipleOf",
                                            "maximum",
                                            "exclusiveMaximum",
                                            "minimum",
                                            "exclusiveMinimum",
                                            "maxLength",
                                            "minLength",
                                            "pattern",
                                            "items",
                                            "additionalItems",
                                            "prefixItems",
                                            "maxItems",
                                            "minItems",
                                            "uniqueItems",
                                            "contains",
                                            "minContains",
                                            "maxContains",
                                            "maxProperties",
                                            "minProperties",
                                            "required",
                                            "properties",
                                            "patternProperties",
                                            "additionalProperties",
                                            "dependencies",
                                            "dependentRequired",
                                            "dependentSchemas",
                                            "propertyNames",
                                            "if",
                                            "then",
                                            "else",
                                            "allOf",
                                            "anyOf",
                                            "oneOf",
                                            "not"};
constexpr std::string_view kRefused[] = {
    "unevaluatedItems", "unevaluatedProperties", "$dynamicRef", "$recursiveRef", "$anchor", "id"};

std::string Found(const Value& value) {
  if (value.is_string()) return Quote(value.as_string());
  if (value.is_array()) return "a list";
  if (value.is_object()) return "an object";
  return ToJson(value);
}

class SchemaCompiler {
 public:
  explicit SchemaCompiler(const Value& root) : root_(root) {}

  SchemaRules Run() {
    Rule("", root_);
    while (!waiting_.empty()) {
      const auto [index, pointer, schema] = waiting_.front();
      waiting_.pop_front();
      Fill(index, pointer, *schema);
    }
    if (faults_.empty()) RefuseCircles();
    return std::move(result_);
  }
  std::vector<SchemaFault>& faults() { return faults_; }

 private:
  struct Waiting {
    uint32_t index;
    std::string pointer;
    const Value* schema;
  };

  void Add(const std::string& pointer, std::string message) {
    if (faults_.size() < kMaxSchemaFaults) faults_.push_back({pointer, std::move(message)});
  }
  // The rule of the schema that stands there, made once.
  uint32_t Rule(const std::string& pointer, const Value& schema);
  void Fill(uint32_t index, const std::string& pointer, const Value& schema);
  void FillKeyword(SchemaRule& rule, const std::string& key, const std::string& at,
                   const Value& value);
  bool FillNumbers(SchemaRule& rule, const std::string& key, const std::string& at,
                   const Value& value);
  bool FillArrays(SchemaRule& rule, const std::string& key, const std::string& at,
                  const Value& value);
  bool FillObjects(SchemaRule& rule, const std::string& key, const std::string& at,
                   const Value& value);
  void FillApplicators(SchemaRule& rule, const std::string& key, const std::string& at,
                       const Value& value);
  void FillTypes(SchemaRule& rule, const std::string& at, const Value& value);
  void FillReference(SchemaRule& rule, const std::string& at, const Value& value);
  void FillDependencies(SchemaRule& rule, const std::string& at, const Value& value);
  std::vector<uint32_t> Rules(const std::string& at, const Value& value);
  std::vector<std::pair<std::string, uint32_t>> Named(const std::string& at, const Value& value);
  std::vector<std::string> Strings(const std::string& at, const Value& value);
  std::shared_ptr<const re2::RE2> Pattern(const std::string& at, const Value& value);
  void RefuseCircles();
  bool Circles(uint32_t index, std::vector<char>& state);

  const Value& root_;
  SchemaRules result_;
  std::map<std::string, uint32_t> by_pointer_;
  std::deque<Waiting> waiting_;
  std::vector<SchemaFault> faults_;
};

uint32_t SchemaCompiler::Rule(const std::string& pointer, const Value& schema) {
  const auto index = static_cast<uint32_t>(result_.rules.size());
  const auto [known, added] = by_pointer_.try_emplace(pointer, index);
  if (!added) return known->second;
  if (index == kMaxSchemaNodes)
    Add(pointer,
        fmt::format("Expected at most {} schemas in a schema but found more", kMaxSchemaNodes));
  if (index >= kMaxSchemaNodes) return 0;
  SchemaRule& rule = result_.rules.emplace_back();
  rule.pointer = pointer;
  if (schema.is_bool())
    rule.refuses = !schema.as_bool();
  else if (schema.is_object())
    waiting_.push_back({index, pointer, &schema});
  else
    Add(pointer, "Expected a schema, an object or a boolean, but found " + Found(schema));
  return index;
}

void SchemaCompiler::Fill(uint32_t index, const std::string& pointer, const Value& schema) {
  // Rules are added while this one is filled.
  SchemaRule rule = std::move(result_.rules[index]);
  for (const Member& member : schema.as_object())
    FillKeyword(rule, member.key, Under(pointer, member.key), member.value);
  const Value* format = schema.Find("format");
  rule.date_time = format != nullptr && *format == Value("date-time");
  // `items` as a list of draft-07, with `additionalItems` behind it.
  const Value* items = schema.Find("items");
  const Value* more = schema.Find("additionalItems");
  if (items != nullptr && items->is_array() && more != nullptr)
    rule.items = Rule(Under(pointer, "additionalItems"), *more);
  result_.rules[index] = std::move(rule);
}

void SchemaCompiler::FillKeyword(SchemaRule& rule, const std::string& key, const std::string& at,
                                 const Value& value) {
  if (std::ranges::find(kRefused, key) != std::end(kRefused))
    return Add(at, fmt::format("Expected keywords of draft-07 but found {}", Quote(key)));
  if (std::ranges::find(kKeywords, key) == kKeywords.end()) {
    const std::string near = Nearest(key, kKeywords);
    if (!near.empty() && key.size() >= 3)
      Add(at, fmt::format("Expected a keyword, perhaps {}, but found {}", Quote(near), Quote(key)));
    return;
  }
  if (key == "type") return FillTypes(rule, at, value);
  if (key == "$ref") return FillReference(rule, at, value);
  if (key == "enum" && (!value.is_array() || value.as_array().empty()))
    return Add(at, "Expected a list of values as `enum` but found " + Found(value));
  if (key == "enum") rule.choices = value.as_array();
  if (key == "const") rule.choices = Array{value};
  if (key == "pattern") rule.pattern = Pattern(at, value);
  if (FillNumbers(rule, key, at, value) || FillArrays(rule, key, at, value) ||
      FillObjects(rule, key, at, value))
    return;
  FillApplicators(rule, key, at, value);
}

bool SchemaCompiler::FillNumbers(SchemaRule& rule, const std::string& key, const std::string& at,
                                 const Value& value) {
  static constexpr std::pair<std::string_view, std::optional<Value> SchemaRule::*> kValues[] = {
      {"minimum", &SchemaRule::minimum},
      {"maximum", &SchemaRule::maximum},
      {"exclusiveMinimum", &SchemaRule::above},
      {"exclusiveMaximum", &SchemaRule::below},
      {"multipleOf", &SchemaRule::multiple_of}};
  static constexpr std::pair<std::string_view, std::optional<int64_t> SchemaRule::*> kCounts[] = {
      {"minLength", &SchemaRule::min_length},
      {"maxLength", &SchemaRule::max_length},
      {"minItems", &SchemaRule::min_items},
      {"maxItems", &SchemaRule::max_items},
      {"minContains", &SchemaRule::min_contains},
      {"maxContains", &SchemaRule::max_contains},
      {"minProperties", &SchemaRule::min_properties},
      {"maxProperties", &SchemaRule::max_properties}};
  for (const auto& [name, member] : kValues) {
    if (key != name) continue;
    if (!value.is_number() || (key == "multipleOf" && value.as_double() <= 0))
      Add(at, fmt::format("Expected a number{} as `{}` but found {}",
                          key == "multipleOf" ? " above 0" : "", key, Found(value)));
    else
      rule.*member = value;
    return true;
  }
  for (const auto& [name, member] : kCounts) {
    if (key != name) continue;
    if (!value.is_int() || value.as_int() < 0)
      Add(at, fmt::format("Expected a count from 0 as `{}` but found {}", key, Found(value)));
    else
      rule.*member = value.as_int();
    return true;
  }
  return false;
}

bool SchemaCompiler::FillArrays(SchemaRule& rule, const std::string& key, const std::string& at,
                                const Value& value) {
  if (key == "uniqueItems") {
    rule.unique_items = value == Value(true);
    if (!value.is_bool())
      Add(at, "Expected true or false as `uniqueItems` but found " + Found(value));
  } else if (key == "prefixItems" || (key == "items" && value.is_array())) {
    rule.prefix_items = Rules(at, value);
  } else if (key == "items") {
    rule.items = Rule(at, value);
  } else if (key == "contains") {
    rule.contains = Rule(at, value);
  } else {
    return key == "additionalItems";
  }
  return true;
}

bool SchemaCompiler::FillObjects(SchemaRule& rule, const std::string& key, const std::string& at,
                                 const Value& value) {
  if (key == "required") {
    rule.required = Strings(at, value);
  } else if (key == "properties") {
    rule.properties = Named(at, value);
    for (uint32_t i = 0; i < rule.properties.size(); ++i) rule.by_name.push_back(i);
    std::ranges::sort(rule.by_name, {},
                      [&](uint32_t i) -> std::string_view { return rule.properties[i].first; });
  } else if (key == "patternProperties") {
    for (const auto& [name, index] : Named(at, value))
      if (auto pattern = Pattern(Under(at, name), Value(name)))
        rule.pattern_properties.emplace_back(std::move(pattern), index);
  } else if (key == "additionalProperties") {
    rule.additional_properties = Rule(at, value);
  } else if (key == "propertyNames") {
    rule.property_names = Rule(at, value);
  } else if (key == "dependencies" || key == "dependentRequired" || key == "dependentSchemas") {
    FillDependencies(rule, at, value);
  } else {
    return false;
  }
  return true;
}

void SchemaCompiler::FillApplicators(SchemaRule& rule, const std::string& key,
                                     const std::string& at, const Value& value) {
  if (key == "allOf") rule.all_of = Rules(at, value);
  if (key == "anyOf") rule.any_of = Rules(at, value);
  if (key == "oneOf") rule.one_of = Rules(at, value);
  if (key == "not") rule.not_ = Rule(at, value);
  if (key == "if") rule.if_ = Rule(at, value);
  if (key == "then") rule.then_ = Rule(at, value);
  if (key == "else") rule.else_ = Rule(at, value);
  // Those that nothing refers to are checked too.
  if (key == "$defs" || key == "definitions") Named(at, value);
}

void SchemaCompiler::FillTypes(SchemaRule& rule, const std::string& at, const Value& value) {
  const Array one{value};
  const Array& words = value.is_array() ? value.as_array() : one;
  for (const Value& word : words) {
    const bool known =
        word.is_string() && std::ranges::find(kTypes, word.as_string()) != kTypes.end();
    if (known)
      rule.types.push_back(word.as_string());
    else
      Add(at,
          fmt::format("Expected a type of {} but found {}", QuoteList(kTypes, "or"), Found(word)));
  }
}

void SchemaCompiler::FillReference(SchemaRule& rule, const std::string& at, const Value& value) {
  const std::string text = value.is_string() ? value.as_string() : "";
  const auto keys =
      text.starts_with('#') ? PointerKeys(std::string_view(text).substr(1)) : std::nullopt;
  const Value* target = keys.has_value() ? ValueAt(root_, *keys) : nullptr;
  if (target != nullptr)
    rule.reference = Rule(text.substr(1), *target);
  else
    Add(at, "Expected a place in this schema like \"#/$defs/name\" as `$ref` but found " +
                Found(value));
}

void SchemaCompiler::FillDependencies(SchemaRule& rule, const std::string& at, const Value& value) {
  if (!value.is_object()) return Add(at, "Expected an object but found " + Found(value));
  for (const Member& member : value.as_object()) {
    const std::string inner = Under(at, member.key);
    if (member.value.is_array())
      rule.dependent_required.emplace_back(member.key, Strings(inner, member.value));
    else
      rule.dependent_schemas.emplace_back(member.key, Rule(inner, member.value));
  }
}

std::vector<uint32_t> SchemaCompiler::Rules(const std::string& at, const Value& value) {
  std::vector<uint32_t> rules;
  if (!value.is_array() || value.as_array().empty())
    return Add(at, "Expected a list of schemas but found " + Found(value)), rules;
  for (size_t i = 0; i < value.as_array().size(); ++i)
    rules.push_back(Rule(Under(at, std::to_string(i)), value.as_array()[i]));
  return rules;
}

std::vector<std::pair<std::string, uint32_t>> SchemaCompiler::Named(const std::string& at,
                                                                    const Value& value) {
  std::vector<std::pair<std::string, uint32_t>> named;
  if (!value.is_object())
    return Add(at, "Expected an object of schemas but found " + Found(value)), named;
  for (const Member& member : value.as_object())
    named.emplace_back(member.key, Rule(Under(at, member.key), member.value));
  return named;
}

std::vector<std::string> SchemaCompiler::Strings(const std::string& at, const Value& value) {
  std::vector<std::string> strings;
  if (!value.is_array() || !std::ranges::all_of(value.as_array(), &Value::is_string))
    return Add(at, "Expected a list of names but found " + Found(value)), strings;
  for (const Value& item : value.as_array()) strings.push_back(item.as_string());
  return strings;
}

std::shared_ptr<const re2::RE2> SchemaCompiler::Pattern(const std::string& at, const Value& value) {
  if (!value.is_string() || value.as_string().size() > kMaxSchemaPattern) {
    Add(at, fmt::format("Expected a pattern of at most {} bytes but found {}", kMaxSchemaPattern,
                        Found(value)));
    return nullptr;
  }
  auto pattern = std::make_shared<const re2::RE2>(value.as_string(), re2::RE2::Quiet);
  if (pattern->ok()) return pattern;
  Add(at, fmt::format("Expected a regular expression as RE2 knows it but found {}: {}",
                      Found(value), pattern->error()));
  return nullptr;
}

// A schema that asks itself about the same value would never answer.
void SchemaCompiler::RefuseCircles() {
  std::vector<char> state(result_.rules.size());
  for (uint32_t i = 0; i < result_.rules.size(); ++i)
    if (Circles(i, state))
      return Add(result_.rules[i].pointer,
                 "Expected a schema that ends but found one that refers to itself");
}

bool SchemaCompiler::Circles(uint32_t index, std::vector<char>& state) {
  if (state[index] != 0) return state[index] == 1;
  state[index] = 1;
  const SchemaRule& rule = result_.rules[index];
  std::vector<uint32_t> next{rule.reference, rule.not_, rule.if_, rule.then_, rule.else_};
  for (const auto* list : {&rule.all_of, &rule.any_of, &rule.one_of})
    next.insert(next.end(), list->begin(), list->end());
  for (const auto& [name, schema] : rule.dependent_schemas) next.push_back(schema);
  for (const uint32_t inner : next)
    if (inner != kNoRule && Circles(inner, state)) return true;
  state[index] = 2;
  return false;
}

}  // namespace

std::expected<JsonSchema, std::vector<SchemaFault>> JsonSchema::Compile(const Value& schema) {
  SchemaCompiler compiler(schema);
  auto rules = std::make_shared<const SchemaRules>(compiler.Run());
  if (!compiler.faults().empty()) return std::unexpected(std::move(compiler.faults()));
  return JsonSchema(std::move(rules));
}

void CompileInputSchema(Definition& definition) {
  if (definition.input_schema.is_null()) return;
  if (auto compiled = JsonSchema::Compile(definition.input_schema))
    definition.input_check = std::make_shared<const JsonSchema>(*std::move(compiled));
}

Status CheckInput(const Definition& definition, const Value& input) {
  if (definition.input_schema.is_null()) return {};
  if (definition.input_check == nullptr)
    return Fail(
        ErrorCode::kUnsupported,
        fmt::format("Expected an input schema of {} that this build knows but found another",
                    Quote(definition.name)));
  std::string sentences;
  for (const SchemaFault& fault : definition.input_check->Validate(input))
    sentences += (sentences.empty() ? "" : "; ") + fault.message;
  if (sentences.empty()) return {};
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("The input of {}: {}", Quote(definition.name), sentences));
}

std::vector<SchemaFault> JsonSchema::Validate(const Value& value) const {
  return CheckSchema(*rules_, value, false);
}

std::vector<SchemaFault> JsonSchema::ValidateTemplate(const Value& value) const {
  return CheckSchema(*rules_, value, true);
}

}  // namespace stele::definition
