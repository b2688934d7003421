#include "tests/fuzz/request_script.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/json.h"

namespace stele::fuzz {

namespace {

constexpr std::array<std::string_view, 6> kVerbs = {"GET",   "POST",   "PUT",
                                                    "PATCH", "DELETE", "WAIT"};

// The verb that a line begins with; empty when it begins with none.
std::string_view VerbOf(std::string_view line) {
  for (const std::string_view verb : kVerbs)
    if (line.starts_with(verb) && line.substr(verb.size()).starts_with(' ')) return verb;
  return {};
}

// All values of a document, itself first.
void Collect(Value& value, std::vector<Value*>& found) {
  found.push_back(&value);
  if (value.is_array())
    for (Value& element : value.as_array()) Collect(element, found);
  if (value.is_object())
    for (Member& member : value.as_object()) Collect(member.value, found);
}

}  // namespace

std::vector<ScriptedRequest> ReadScript(std::string_view text) {
  std::vector<ScriptedRequest> script;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end);
    const std::string_view verb = VerbOf(line);
    if (verb.empty()) {
      if (!script.empty()) script.back().body += line;
      continue;
    }
    std::string_view target = line.substr(verb.size() + 1);
    if (target.ends_with('\n')) target.remove_suffix(1);
    script.push_back({std::string(verb), std::string(target), {}});
  }
  for (ScriptedRequest& request : script)
    if (request.body.ends_with('\n')) request.body.pop_back();
  return script;
}

std::string WriteScript(const std::vector<ScriptedRequest>& script) {
  std::string text;
  for (const ScriptedRequest& request : script) {
    text.append(request.verb).append(" ").append(request.target).append("\n");
    if (!request.body.empty()) text.append(request.body).append("\n");
  }
  return text;
}

void ScriptMutator::Mutate(std::vector<ScriptedRequest>& script) {
  if (script.empty()) script.push_back(AnyRequest());
  const size_t at = Below(script.size());
  const auto place = script.begin() + static_cast<ptrdiff_t>(at);
  switch (Below(12)) {
    case 0:
      script.insert(place, AnyRequest());
      break;
    case 1:
      script.push_back(AnyRequest());
      break;
    case 2:
      if (script.size() > 1) script.erase(place);
      break;
    case 3:
      script.push_back(script[at]);
      break;
    case 4:
      std::swap(script[at], script[Below(script.size())]);
      break;
    case 5:
    case 6:
      MutateTarget(script[at].target);
      break;
    default:
      MutateBody(script[at].body);
      break;
  }
}

ScriptedRequest ScriptMutator::AnyRequest() {
  if (Below(8) == 0) return {"WAIT", std::to_string(1 + Below(1 + Below(100'000'000))), {}};
  const Vocabulary::Route& route = vocabulary_.routes[Below(vocabulary_.routes.size())];
  ScriptedRequest made{route.verb, {}, {}};
  std::string_view pattern = route.pattern;
  while (!pattern.empty()) {
    const size_t open = std::min(pattern.find('{'), pattern.size());
    made.target += pattern.substr(0, open);
    pattern.remove_prefix(open);
    if (pattern.empty()) break;
    pattern.remove_prefix(std::min(pattern.find('}') + 1, pattern.size()));
    made.target += std::to_string(1 + Below(4));
    if (Below(6) == 0) made.target += "-1";  // a run of an instance
  }
  for (const std::string& parameter : route.parameters)
    if (Below(3) == 0)
      made.target.append(made.target.contains('?') ? "&" : "?")
          .append(parameter)
          .append("=")
          .append(Below(2) == 0 ? std::to_string(Below(3)) : OneOf(vocabulary_.words));
  if (made.verb != "GET") {
    Object body;
    for (size_t n = Below(5); n > 0; --n) MutateObject(body);
    made.body = ToJson(body);
  }
  return made;
}

void ScriptMutator::MutateTarget(std::string& target) {
  static constexpr std::array<std::string_view, 10> kPieces = {
      "0", "1", "2", "-1", "9223372036854775807", "9223372036854775808", "1-1", "%20", "x", ""};
  const std::string_view piece = kPieces[Below(kPieces.size())];
  std::vector<size_t> digits;
  for (size_t i = 0; i < target.size(); ++i)
    if (target[i] >= '0' && target[i] <= '9') digits.push_back(i);
  if (digits.empty() || Below(4) == 0) {
    target.append(target.contains('?') ? "&" : "?")
        .append(OneOf(vocabulary_.members))
        .append("=")
        .append(piece);
  } else {
    target.replace(digits[Below(digits.size())], 1, piece);
  }
}

void ScriptMutator::MutateBody(std::string& body) {
  Result<Value> parsed = ParseJson(body);
  Value document = parsed.has_value() ? *std::move(parsed) : Value(Object{});
  MutateValue(document);
  body = ToJson(document);
}

void ScriptMutator::MutateValue(Value& document) {
  std::vector<Value*> values;
  Collect(document, values);
  Value& value = *values[Below(values.size())];
  switch (Below(5)) {
    case 0:
      value = AnyValue();
      break;
    case 1:
      value = Value(*values[Below(values.size())]);
      break;
    case 2:
      if (value.is_array()) {
        Array& array = value.as_array();
        if (array.empty() || Below(2) == 0)
          array.push_back(array.empty() ? AnyValue() : Value(array[Below(array.size())]));
        else
          array.erase(array.begin() + static_cast<ptrdiff_t>(Below(array.size())));
        break;
      }
      [[fallthrough]];
    default:
      if (value.is_object())
        MutateObject(value.as_object());
      else if (document.is_object())
        MutateObject(document.as_object());
      break;
  }
}

void ScriptMutator::MutateObject(Object& object) {
  if (!object.empty() && Below(2) == 0) {
    const std::string key = (object.begin() + static_cast<ptrdiff_t>(Below(object.size())))->key;
    if (Below(3) == 0)
      object.Erase(key);
    else
      object.Set(key, AnyValue());
    return;
  }
  object.Set(OneOf(vocabulary_.members), AnyValue());
}

Value ScriptMutator::AnyValue() {
  static const std::array<Value, 22> kValues = {
      Value(),
      Value(true),
      Value(false),
      Value(0),
      Value(1),
      Value(2),
      Value(-1),
      Value(1.0),
      Value(0.5),
      Value(1e19),
      Value(-1e300),
      Value(std::numeric_limits<int64_t>::max()),
      Value(std::numeric_limits<int64_t>::min()),
      Value(""),
      Value(" "),
      Value("1"),
      Value(std::string("a\0b", 3)),
      Value("{{input.value}}"),
      Value("${{ input.value }}"),
      Value(std::string(300, 'n')),
      Value(Array{}),
      Value(Object{}),
  };
  switch (Below(4)) {
    case 0:
      return OneOf(vocabulary_.words);
    case 1:
      return Below(2) == 0 ? Value(Array{AnyValue(), Value(1)})
                           : Value(Object{{OneOf(vocabulary_.members), AnyValue()}});
    default:
      return kValues[Below(kValues.size())];
  }
}

}  // namespace stele::fuzz
