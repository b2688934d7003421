// The messages of the Model Context Protocol: JSON-RPC 2.0, from text and to text.
// Source: the protocol's specification, revision 2025-06-18, "Base Protocol".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "engine/tasks/redactor.h"

namespace stele::tasks {

// The revision that is asked for, and those that are understood, because what is used of the
// protocol (initialize, tools/list, tools/call) is the same in all of them.
inline constexpr std::string_view kMcpVersion = "2025-06-18";
inline constexpr std::string_view kMcpKnownVersions[] = {"2024-11-05", "2025-03-26", "2025-06-18",
                                                         "2025-11-25"};

// JSON-RPC 2.0, section 5.1.
inline constexpr int64_t kJsonRpcParseError = -32700;
inline constexpr int64_t kJsonRpcInvalidRequest = -32600;
inline constexpr int64_t kJsonRpcMethodNotFound = -32601;
inline constexpr int64_t kJsonRpcInvalidParams = -32602;

struct McpMessage {
  enum class Kind : uint8_t { kRequest, kNotification, kResult, kError };
  Kind kind = Kind::kNotification;
  Value id;            // a number or a text; null in a notification, and where an error has none
  std::string method;  // of a request or a notification
  Value params;        // its parameters, or null
  Value result;
  int64_t error_code = 0;
  std::string error_message;
};

// One message, or a batch of them (revision 2025-03-26 has those). Errors: kInvalidInput, with the
// beginning of what it is instead, masked by `redactor`.
Result<std::vector<McpMessage>> ParseMcpMessages(std::string_view json, const Redactor& redactor);

// Without line breaks, as the stdio transport needs it.
std::string McpRequest(int64_t id, std::string_view method, Object params);
std::string McpNotification(std::string_view method, Object params);
std::string McpResult(const Value& id, Object result);
std::string McpError(const Value& id, int64_t code, std::string_view message);

}  // namespace stele::tasks
