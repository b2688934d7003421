#include "engine/tasks/mcp_session.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/json.h"
#include "engine/tasks/limits.h"

namespace stele::tasks {
namespace {

constexpr size_t kMaxSentenceBytes = 300;

const std::string* TextMember(const Value& object, std::string_view key) {
  const Value* found = object.Find(key);
  return found != nullptr && found->is_string() ? &found->as_string() : nullptr;
}

// The texts of the blocks, a line end between them.
std::string JoinedText(const Array& content) {
  std::string text;
  bool first = true;
  for (const Value& block : content) {
    const std::string* type = TextMember(block, "type");
    const std::string* piece = TextMember(block, "text");
    if (type == nullptr || *type != "text" || piece == nullptr) continue;
    if (!first) text += '\n';
    text += *piece;
    first = false;
  }
  return text;
}

// The request itself is wrong, so that sending it again is of no use.
bool IsFinal(int64_t code) {
  return code == kJsonRpcParseError || code == kJsonRpcInvalidRequest ||
         code == kJsonRpcMethodNotFound || code == kJsonRpcInvalidParams;
}

}  // namespace

void McpSession::Begin() {
  SendRequest("initialize", Object{{"protocolVersion", kMcpVersion},
                                   {"capabilities", Object()},
                                   {"clientInfo", Object{{"name", "stele"}, {"version", "1"}}}});
}

void McpSession::OnMessage(std::string_view json) {
  if (state_ == State::kOver) return;
  Result<std::vector<McpMessage>> messages = ParseMcpMessages(json, redactor_);
  if (!messages) {
    Fail("mcp_protocol", messages.error().message, false);
    return;
  }
  for (const McpMessage& message : *messages) {
    if (state_ == State::kOver) return;
    Handle(message);
  }
}

void McpSession::Handle(const McpMessage& message) {
  switch (message.kind) {
    case McpMessage::Kind::kRequest:
      AnswerRequest(message);
      return;
    case McpMessage::Kind::kNotification:
      if (message.method == "notifications/message") TakeLog(message.params);
      return;
    case McpMessage::Kind::kResult:
    case McpMessage::Kind::kError:
      TakeAnswer(message);
      return;
  }
}

void McpSession::AnswerRequest(const McpMessage& request) {
  transport_.Send(request.method == "ping"
                      ? McpResult(request.id, Object())
                      : McpError(request.id, kJsonRpcMethodNotFound, "Method not found"),
                  std::nullopt);
}

void McpSession::TakeLog(const Value& params) {
  const std::string* level = TextMember(params, "level");
  const std::string* logger = TextMember(params, "logger");
  const Value* data = params.Find("data");
  log_(fmt::format("[{}]{}{} {}\n", level == nullptr ? "info" : *level,
                   logger == nullptr ? "" : " ", logger == nullptr ? "" : *logger + ":",
                   data == nullptr     ? ""
                   : data->is_string() ? data->as_string()
                                       : ToJson(*data)));
}

void McpSession::TakeAnswer(const McpMessage& answer) {
  bool is_error = answer.kind == McpMessage::Kind::kError;
  // An error without an id is about a request that the server could not read: there is only one.
  if (answer.id != Value(last_id_) && !(is_error && answer.id.is_null())) return;
  if (is_error) {
    Fail(
        "mcp_protocol",
        fmt::format("Expected a result of {} but found the error {}: {}", method_,
                    answer.error_code, Excerpt(redactor_, answer.error_message, kMaxSentenceBytes)),
        !IsFinal(answer.error_code),
        Payload::FromValue(
            Object{{"code", answer.error_code},
                   {"error", Excerpt(redactor_, answer.error_message, kBodyExcerptBytes)}}));
    return;
  }
  if (!answer.result.is_object()) {
    Fail("mcp_protocol",
         fmt::format("Expected the result of {} to be an object but found {}", method_,
                     KindName(answer.result.kind())),
         false);
  } else if (state_ == State::kInitializing) {
    OnInitialized(answer.result);
  } else if (plan_.action == McpPlan::Action::kListTools) {
    OnListed(answer.result);
  } else {
    OnCalled(answer.result);
  }
}

void McpSession::OnInitialized(const Value& result) {
  const std::string* version = TextMember(result, "protocolVersion");
  if (version == nullptr ||
      std::ranges::find(kMcpKnownVersions, *version) == std::end(kMcpKnownVersions)) {
    Fail("mcp_protocol",
         fmt::format("Expected one of the protocol versions {} but found {}",
                     fmt::join(kMcpKnownVersions, ", "),
                     version == nullptr
                         ? "none"
                         : fmt::format("\"{}\"", Excerpt(redactor_, *version, kMaxSentenceBytes))),
         false);
    return;
  }
  transport_.UseVersion(*version);
  state_ = State::kAsking;
  transport_.Send(McpNotification("notifications/initialized", Object()), std::nullopt);
  if (state_ == State::kAsking) Ask(std::nullopt);
}

void McpSession::Ask(std::optional<std::string> cursor) {
  if (plan_.action == McpPlan::Action::kListTools) {
    Object params;
    if (cursor) params.Set("cursor", *std::move(cursor));
    SendRequest("tools/list", std::move(params));
    return;
  }
  SendRequest("tools/call", Object{{"name", plan_.tool},
                                   {"arguments", plan_.arguments},
                                   {"_meta", Object{{"stele/idempotency-key", idempotency_key_}}}});
}

void McpSession::OnCalled(const Value& result) {
  const Value* content = result.Find("content");
  if (content == nullptr || !content->is_array()) {
    Fail("mcp_protocol", "Expected the result of tools/call to have `content` but found none",
         false);
    return;
  }
  std::string text = JoinedText(content->as_array());
  const Value* is_error = result.Find("isError");
  if (is_error != nullptr && *is_error == Value(true)) {
    Fail("mcp_tool",
         fmt::format("Expected the tool {} to succeed but found: {}", plan_.tool,
                     Excerpt(redactor_, text, kMaxSentenceBytes)),
         plan_.retry_tool_errors,
         Payload::FromValue(
             Object{{"is_error", true}, {"text", Excerpt(redactor_, text, kBodyExcerptBytes)}}));
    return;
  }
  Object output{{"content", *content}, {"text", std::move(text)}};
  if (const Value* structured = result.Find("structuredContent")) {
    output.Set("structured", *structured);
  }
  output.Set("is_error", false);
  Finish(std::move(output));
}

void McpSession::OnListed(const Value& result) {
  const Value* tools = result.Find("tools");
  if (tools == nullptr || !tools->is_array()) {
    Fail("mcp_protocol", "Expected the result of tools/list to have `tools` but found none", false);
    return;
  }
  const std::string* next = TextMember(result, "nextCursor");
  // Each page counts, also an empty one, so that this ends.
  tools_bytes_ += ToJson(result).size();
  if (tools_bytes_ > max_bytes_) {
    Fail("output_limit",
         fmt::format("Expected a list of tools of at most {} bytes but found more", max_bytes_),
         false);
    return;
  }
  tools_.insert(tools_.end(), tools->as_array().begin(), tools->as_array().end());
  if (next != nullptr && !next->empty()) {
    Ask(*next);
  } else {
    Finish(Object{{"tools", std::move(tools_)}});
  }
}

void McpSession::OnAnswerEnded(int64_t id) {
  if (state_ == State::kOver || id != last_id_) return;
  Fail("mcp_server",
       fmt::format("Expected an answer to {} but the server's reply ended without one", method_),
       true);
}

std::optional<std::string> McpSession::Abandon() {
  // The protocol forbids to cancel `initialize`.
  bool cancels = state_ == State::kAsking;
  state_ = State::kOver;
  if (!cancels) return std::nullopt;
  return McpNotification("notifications/cancelled",
                         Object{{"requestId", last_id_}, {"reason", "no longer waited for"}});
}

void McpSession::SendRequest(std::string_view method, Object params) {
  method_ = method;
  ++last_id_;
  transport_.Send(McpRequest(last_id_, method, std::move(params)), last_id_);
}

void McpSession::Fail(std::string kind, std::string message, bool retryable, Payload details) {
  Finish(std::unexpected(
      TaskFailure{std::move(kind), std::move(message), retryable, std::move(details)}));
}

void McpSession::Finish(std::expected<Object, TaskFailure> outcome) {
  state_ = State::kOver;
  done_(std::move(outcome));
}

}  // namespace stele::tasks
