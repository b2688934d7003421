#include "cli/dap/message.h"

#include <fmt/format.h>

#include <utility>

#include "base/json.h"
#include "cli/dap/framing.h"

namespace stele::cli::dap {
namespace {

constexpr JsonBounds kBounds{.depth = 64, .bytes = kMaxMessageBytes};

Error Missing(std::string_view name, std::string_view kind, const Value* found) {
  return {ErrorCode::kBadRequest, fmt::format("Expected `{}` to be {} but found {}", name, kind,
                                              found == nullptr ? "none" : KindName(found->kind()))};
}

}  // namespace

Result<int64_t> Fields::Integer(std::string_view name) const {
  const Value* found = object_.Find(name);
  if (found == nullptr || !found->is_int())
    return std::unexpected(Missing(name, "an integer", found));
  return found->as_int();
}

Result<std::string> Fields::Text(std::string_view name) const {
  const Value* found = object_.Find(name);
  if (found == nullptr || !found->is_string())
    return std::unexpected(Missing(name, "a string", found));
  return found->as_string();
}

Status Fields::CheckText(std::string_view name) const {
  const Value* found = object_.Find(name);
  if (found == nullptr || found->is_string()) return {};
  return std::unexpected(Missing(name, "a string", found));
}

Status Fields::CheckBool(std::string_view name) const {
  const Value* found = object_.Find(name);
  if (found == nullptr || found->is_bool()) return {};
  return std::unexpected(Missing(name, "true or false", found));
}

int64_t Fields::IntegerOr(std::string_view name, int64_t otherwise) const {
  const Value* found = object_.Find(name);
  return found != nullptr && found->is_int() ? found->as_int() : otherwise;
}

std::string Fields::TextOr(std::string_view name, std::string_view otherwise) const {
  const Value* found = object_.Find(name);
  return found != nullptr && found->is_string() ? found->as_string() : std::string(otherwise);
}

bool Fields::BoolOr(std::string_view name, bool otherwise) const {
  const Value* found = object_.Find(name);
  return found != nullptr && found->is_bool() ? found->as_bool() : otherwise;
}

Fields Fields::Inside(std::string_view name) const {
  const Value* found = object_.Find(name);
  return found != nullptr && found->is_object() ? Fields(found->as_object()) : Fields();
}

std::vector<Fields> Fields::List(std::string_view name) const {
  std::vector<Fields> list;
  const Value* found = object_.Find(name);
  if (found == nullptr || !found->is_array()) return list;
  for (const Value& item : found->as_array())
    if (item.is_object()) list.emplace_back(item.as_object());
  return list;
}

std::vector<std::string> Fields::Texts(std::string_view name) const {
  std::vector<std::string> list;
  const Value* found = object_.Find(name);
  if (found == nullptr || !found->is_array()) return list;
  for (const Value& item : found->as_array())
    if (item.is_string()) list.push_back(item.as_string());
  return list;
}

Result<Request> ParseRequest(std::string_view message) {
  Result<Value> parsed = ParseJson(message, nullptr, kBounds);
  if (!parsed.has_value()) return std::unexpected(parsed.error());
  if (!parsed->is_object())
    return Fail(
        ErrorCode::kBadRequest,
        fmt::format("Expected a message to be an object but found {}", KindName(parsed->kind())));
  const Fields fields(std::move(parsed->as_object()));
  const Result<std::string> type = fields.Text("type");
  if (!type.has_value()) return std::unexpected(type.error());
  if (*type != "request")
    return Fail(ErrorCode::kUnsupported,
                fmt::format("Expected a message of type \"request\" but found \"{}\"", *type));
  const Result<int64_t> seq = fields.Integer("seq");
  if (!seq.has_value()) return std::unexpected(seq.error());
  const Result<std::string> command = fields.Text("command");
  if (!command.has_value()) return std::unexpected(command.error());
  return Request{*seq, *command, fields.Inside("arguments")};
}

void Outbox::Respond(const Request& request, const Result<Object>& body) {
  Object message{{"type", "response"},
                 {"request_seq", request.seq},
                 {"success", body.has_value()},
                 {"command", request.command}};
  if (body.has_value()) {
    if (!body->empty()) message.Set("body", *body);
  } else {
    const std::string text = body.error().ToString();
    message.Set("message", text);
    message.Set("body", Object{{"error", Object{{"id", static_cast<int64_t>(body.error().code)},
                                                {"format", "{text}"},
                                                {"variables", Object{{"text", text}}},
                                                {"showUser", true}}}});
  }
  Put(message);
}

void Outbox::Event(std::string_view name, Object body) {
  Object message{{"type", "event"}, {"event", name}};
  if (!body.empty()) message.Set("body", std::move(body));
  Put(message);
}

void Outbox::Output(std::string_view category, std::string text, const Object& more) {
  Object body{{"category", category}, {"output", std::move(text)}};
  for (const Member& member : more) body.Set(member.key, member.value);
  Event("output", std::move(body));
}

void Outbox::Put(const Object& message) {
  Object numbered{{"seq", ++seq_}};
  for (const Member& member : message) numbered.Set(member.key, member.value);
  send_(ToJson(numbered));
}

}  // namespace stele::cli::dap
