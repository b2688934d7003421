#include "engine/tasks/llm_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/json.h"
#include "engine/tasks/bounded_text.h"

namespace stele::tasks {
namespace {

// What the task writes into the request itself; `extra` may not.
constexpr std::string_view kOwnKeys[] = {"model",           "messages", "temperature", "max_tokens",
                                         "response_format", "tools",    "stream"};

Value Message(std::string_view role, const std::string& content) {
  return Object{{"role", role}, {"content", content}};
}

void CheckMessages(ConfigReader& reader, const Value& messages) {
  if (reader.IsOpen(messages)) return;
  if (!messages.is_array() || messages.as_array().empty()) {
    reader.AddFault("Expected `messages` to be a list of {role, content} but found another value");
    return;
  }
  for (const Value& message : messages.as_array()) {
    const Value* role = message.Find("role");
    bool has_role = role != nullptr && role->is_string() && !role->as_string().empty();
    if (!reader.IsOpen(message) && !has_role) {
      reader.AddFault("Expected each of `messages` to have a `role` but found one without");
    }
  }
}

void ReadMessages(ConfigReader& reader, Object& body) {
  Array messages;
  if (auto system = reader.Text("system")) messages.push_back(Message("system", *system));
  std::optional<std::string> prompt = reader.Text("prompt");
  const Value* given = reader.Any("messages");
  if (reader.Has("prompt") == (given != nullptr)) {
    reader.AddFault("Expected one of `prompt` and `messages`");
  }
  if (given != nullptr) {
    CheckMessages(reader, *given);
    if (given->is_array()) std::ranges::copy(given->as_array(), std::back_inserter(messages));
  }
  if (prompt) messages.push_back(Message("user", *prompt));
  body.Set("messages", std::move(messages));
}

void ReadNumbers(ConfigReader& reader, Object& body) {
  if (const Value* temperature = reader.Any("temperature")) {
    if (!temperature->is_number() && !reader.IsOpen(*temperature)) {
      reader.AddFault(
          fmt::format("Expected `temperature` to be a number but found {}", ToJson(*temperature)));
    }
    body.Set("temperature", *temperature);
  }
  if (const Value* most = reader.Any("max_tokens")) {
    if (!(most->is_int() && most->as_int() > 0) && !reader.IsOpen(*most)) {
      reader.AddFault(fmt::format("Expected `max_tokens` to be a positive integer but found {}",
                                  ToJson(*most)));
    }
    body.Set("max_tokens", *most);
  }
}

// A schema alone, or with its name and other members as the API has it.
Value SchemaFormat(const Value& schema) {
  bool named = schema.Find("name") != nullptr && schema.Find("schema") != nullptr;
  return Object{
      {"type", "json_schema"},
      {"json_schema", named ? schema : Value(Object{{"name", "output"}, {"schema", schema}})}};
}

// Returns whether the text has to be JSON.
bool ReadFormat(ConfigReader& reader, Object& body) {
  const Value* schema = reader.Any("json_schema");
  const Value* format = reader.Any("response_format");
  if (schema != nullptr && format != nullptr) {
    reader.AddFault("Expected one of `response_format` and `json_schema` but found both");
  }
  if (schema != nullptr) {
    if (!schema->is_object() && !reader.IsOpen(*schema)) {
      reader.AddFault(fmt::format("Expected `json_schema` to be an object but found {}",
                                  KindName(schema->kind())));
    }
    body.Set("response_format", SchemaFormat(*schema));
    return true;
  }
  if (format == nullptr || reader.IsOpen(*format)) return false;
  Value chosen = *format;
  if (chosen == Value("json")) chosen = "json_object";
  if (chosen.is_string()) chosen = Object{{"type", chosen}};
  const Value* type = chosen.Find("type");
  bool is_json =
      type != nullptr && (*type == Value("json_object") || *type == Value("json_schema"));
  if (!is_json && (type == nullptr || *type != Value("text"))) {
    reader.AddFault(fmt::format(
        "Expected `response_format` to be text, json or an object with such a `type` but found {}",
        ToJson(*format)));
  }
  body.Set("response_format", std::move(chosen));
  return is_json;
}

void ReadTools(ConfigReader& reader, Object& body) {
  const Value* tools = reader.Any("tools");
  if (tools == nullptr) return;
  if (!tools->is_array() && !reader.IsOpen(*tools)) {
    reader.AddFault(
        fmt::format("Expected `tools` to be a list but found {}", KindName(tools->kind())));
  }
  body.Set("tools", *tools);
}

void ReadExtra(ConfigReader& reader, Object& body) {
  const Value* extra = reader.Any("extra");
  if (extra == nullptr || reader.IsOpen(*extra)) return;
  if (!extra->is_object()) {
    reader.AddFault(
        fmt::format("Expected `extra` to be an object but found {}", KindName(extra->kind())));
    return;
  }
  for (const Member& member : extra->as_object()) {
    if (std::ranges::find(kOwnKeys, member.key) != std::end(kOwnKeys)) {
      reader.AddFault(fmt::format(
          "Expected `extra` to hold what the task has no key for but found `{}`", member.key));
    }
    body.Set(member.key, member.value);
  }
}

void ReadEndpoint(ConfigReader& reader, HttpPlan& plan) {
  if (!reader.Has("base_url")) {
    reader.AddFault("Expected `base_url` (https://host/v1, for example) but found none");
  }
  if (std::optional<std::string> key = reader.Text("api_key")) {
    plan.credentials.push_back(*key);
    bool single_line = std::ranges::all_of(*key, [](unsigned char c) { return c >= 0x20; });
    if (!single_line) reader.AddFault("Expected `api_key` to be a single line");
    // In front of `headers`, which ReadTransport reads: they win.
    if (single_line && !key->empty())
      plan.request.headers.emplace_back("Authorization", "Bearer " + *key);
  }
  std::vector<std::pair<std::string, std::string>> own = std::move(plan.request.headers);
  ReadTransport(reader, "base_url", plan);
  for (const auto& [name, value] : own) SetHeaderOnce(plan, name, value);
  std::string& url = plan.request.url;
  size_t end = std::min(url.find_first_of("?#"), url.size());
  size_t path_end = end;
  while (path_end > 0 && url[path_end - 1] == '/') --path_end;
  if (!url.empty()) url.replace(path_end, end - path_end, "/chat/completions");
}

// Content is a text, or a list of parts of which some are texts.
std::string TextOf(const Value* content) {
  if (content == nullptr) return {};
  if (content->is_string()) return content->as_string();
  std::string text;
  if (!content->is_array()) return text;
  for (const Value& part : content->as_array()) {
    const Value* piece = part.Find("text");
    if (piece != nullptr && piece->is_string()) text += piece->as_string();
  }
  return text;
}

TaskFailure OutputFailure(const Redactor& redactor, std::string_view expected,
                          std::string_view found, const Value* finish_reason) {
  Object details{{"text", Excerpt(redactor, found, kBodyExcerptBytes)}};
  std::string message = fmt::format("Expected {} but found another text", expected);
  if (finish_reason != nullptr && finish_reason->is_string()) {
    details.Set("finish_reason", *finish_reason);
    if (*finish_reason == Value("length")) message += " (it was cut at `max_tokens`)";
  }
  return {"llm_output", std::move(message), true,
          Payload::FromValue(redactor.Redact(std::move(details)))};
}

template <bool wants_json>
std::expected<Payload, TaskFailure> Judge(const HttpPlan& plan, HttpClient::Response&& response,
                                          const Redactor& redactor) {
  return JudgeCompletion(plan, response, redactor, wants_json);
}

}  // namespace

std::expected<HttpPlan, std::vector<std::string>> PlanLlm(const Value& config, const Value&,
                                                          ConfigReader::Mode mode, HttpPlan plan) {
  ConfigReader reader(config, mode);
  ReadEndpoint(reader, plan);
  Object body;
  if (!reader.Has("model")) reader.AddFault("Expected `model` but found none");
  body.Set("model", reader.Text("model").value_or(""));
  ReadMessages(reader, body);
  ReadNumbers(reader, body);
  bool wants_json = ReadFormat(reader, body);
  ReadTools(reader, body);
  ReadExtra(reader, body);
  plan.request.method = "POST";
  SetBody(plan, body);
  plan.judge = wants_json ? &Judge<true> : &Judge<false>;
  std::vector<std::string> faults = reader.TakeFaults();
  if (!faults.empty()) return std::unexpected(std::move(faults));
  return plan;
}

std::expected<Payload, TaskFailure> JudgeCompletion(const HttpPlan& plan,
                                                    const HttpClient::Response& response,
                                                    const Redactor& redactor, bool wants_json) {
  if (std::optional<TaskFailure> failure = StatusFailure(plan, response, redactor)) {
    return std::unexpected(*std::move(failure));
  }
  Result<Value> completion = ParseJson(response.body);
  const Value* choices = completion ? completion->Find("choices") : nullptr;
  bool has_choice = choices != nullptr && choices->is_array() && !choices->as_array().empty();
  const Value* message = has_choice ? choices->as_array()[0].Find("message") : nullptr;
  if (message == nullptr || !message->is_object()) {
    std::string_view shown = IsUtf8(response.body) ? std::string_view(response.body) : "";
    return std::unexpected(
        OutputFailure(redactor, "a chat completion with a message", shown, nullptr));
  }
  const Value* reason = choices->as_array()[0].Find("finish_reason");
  const Value* calls = message->Find("tool_calls");
  bool has_calls = calls != nullptr && calls->is_array() && !calls->as_array().empty();
  std::string text = TextOf(message->Find("content"));
  Object output{{"text", text}};
  // A model that asks for a tool has nothing to say yet.
  if (wants_json && !(has_calls && text.empty())) {
    Result<Value> json = ParseJson(text);
    if (!json) return std::unexpected(OutputFailure(redactor, "JSON", text, reason));
    output.Set("json", *std::move(json));
  }
  if (has_calls) output.Set("tool_calls", *calls);
  auto copy = [&output](std::string_view key, const Value* value) {
    output.Set(key, value == nullptr ? Value() : *value);
  };
  copy("finish_reason", reason);
  copy("usage", completion->Find("usage"));
  copy("model", completion->Find("model"));
  return Payload::FromValue(redactor.Redact(std::move(output)));
}

}  // namespace stele::tasks
