#include "engine/tasks/mcp_message.h"

#include <fmt/format.h>

#include <utility>

#include "base/json.h"
#include "engine/tasks/bounded_text.h"

namespace stele::tasks {
namespace {

constexpr size_t kShownBytes = 120;

std::unexpected<Error> Refuse(std::string_view json, const Redactor& redactor) {
  const std::string masked = redactor.Text(json);
  std::string_view shown = Head(masked, kShownBytes);
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("Expected a JSON-RPC 2.0 message but found \"{}{}\"",
                          IsUtf8(shown) ? shown : std::string_view("bytes that are no UTF-8"),
                          shown.size() < masked.size() ? "…" : ""));
}

// Null, a number or a text.
bool IsId(const Value& id) {
  return id.is_null() || id.is_number() || id.is_string();
}

bool ReadMessage(const Value& json, McpMessage& message) {
  const Value* version = json.Find("jsonrpc");
  if (version == nullptr || *version != Value("2.0")) return false;
  const Value* id = json.Find("id");
  if (id != nullptr) message.id = *id;
  if (!IsId(message.id)) return false;
  if (const Value* method = json.Find("method")) {
    if (!method->is_string()) return false;
    message.kind =
        message.id.is_null() ? McpMessage::Kind::kNotification : McpMessage::Kind::kRequest;
    message.method = method->as_string();
    if (const Value* params = json.Find("params")) message.params = *params;
    return true;
  }
  if (const Value* error = json.Find("error")) {
    const Value* code = error->Find("code");
    const Value* text = error->Find("message");
    if (code == nullptr || !code->is_int()) return false;
    message.kind = McpMessage::Kind::kError;
    message.error_code = code->as_int();
    if (text != nullptr && text->is_string()) message.error_message = text->as_string();
    return true;
  }
  const Value* result = json.Find("result");
  if (result == nullptr || message.id.is_null()) return false;
  message.kind = McpMessage::Kind::kResult;
  message.result = *result;
  return true;
}

Object Envelope() {
  return Object{{"jsonrpc", "2.0"}};
}

}  // namespace

Result<std::vector<McpMessage>> ParseMcpMessages(std::string_view json, const Redactor& redactor) {
  Result<Value> parsed = ParseJson(json);
  if (!parsed || (!parsed->is_object() && !parsed->is_array())) return Refuse(json, redactor);
  const Array elements =
      parsed->is_object() ? Array{*std::move(parsed)} : std::move(parsed->as_array());
  std::vector<McpMessage> messages;
  for (const Value& element : elements) {
    McpMessage message;
    if (!ReadMessage(element, message)) return Refuse(json, redactor);
    messages.push_back(std::move(message));
  }
  return messages;
}

std::string McpRequest(int64_t id, std::string_view method, Object params) {
  Object message = Envelope();
  message.Set("id", id);
  message.Set("method", method);
  message.Set("params", std::move(params));
  return ToJson(message);
}

std::string McpNotification(std::string_view method, Object params) {
  Object message = Envelope();
  message.Set("method", method);
  if (!params.empty()) message.Set("params", std::move(params));
  return ToJson(message);
}

std::string McpResult(const Value& id, Object result) {
  Object message = Envelope();
  message.Set("id", id);
  message.Set("result", std::move(result));
  return ToJson(message);
}

std::string McpError(const Value& id, int64_t code, std::string_view message) {
  Object envelope = Envelope();
  envelope.Set("id", id);
  envelope.Set("error", Object{{"code", code}, {"message", message}});
  return ToJson(envelope);
}

}  // namespace stele::tasks
