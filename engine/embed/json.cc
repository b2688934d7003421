// The small JSON of the public header.
#include "base/json.h"

#include "stele/engine.h"

namespace stele::embed {

Json::Json(double value) : text_(ToJson(Value(value))) {}

Json::Json(std::string_view text) {
  WriteJsonString(text, text_);
}

Json Json::Raw(std::string json) {
  Json raw(nullptr);
  raw.text_ = std::move(json);
  return raw;
}

std::string JsonObject(std::initializer_list<std::pair<std::string_view, Json>> members) {
  std::string text = "{";
  for (const auto& [name, value] : members) {
    if (text.size() > 1) text += ", ";
    WriteJsonString(name, text);
    text += ": " + value.text();
  }
  return text + "}";
}

std::optional<std::string> JsonMember(std::string_view object, std::string_view name) {
  const stele::Result<Value> parsed = ParseJson(object);
  const Value* member = parsed.has_value() ? parsed->Find(name) : nullptr;
  if (member == nullptr) return std::nullopt;
  return member->is_string() ? member->as_string() : ToJson(*member);
}

std::optional<std::string> Attempt::Get(std::string_view name) const {
  std::optional<std::string> found = JsonMember(input, name);
  return found.has_value() ? found : JsonMember(config, name);
}

TaskResult& TaskResult::Output(std::string_view name, const Json& value) {
  std::string member;
  WriteJsonString(name, member);
  member += ": " + value.text();
  const size_t end = output.rfind('}');
  if (end == std::string::npos) return *this;
  const bool first = output.find_first_not_of(" \t\r\n{") == end;
  output.insert(end, (first ? "" : ", ") + member);
  return *this;
}

TaskResult& TaskResult::Log(std::string_view text) {
  log += text;
  return *this;
}

TaskResult TaskResult::Failed(std::string kind, std::string message, bool retryable) {
  TaskResult result;
  result.failed = true;
  result.kind = std::move(kind);
  result.message = std::move(message);
  result.retryable = retryable;
  return result;
}

}  // namespace stele::embed
