// One conversation with an MCP server, whatever it travels by:
//
//   initializing ──initialize answered──► asking ──┬─tools/call answered──────────────► over
//                                            ▲     └─tools/list answered, last page───► over
//                                            └──────────────tools/list answered, more pages
//   any state ── error answered, nonsense, no answer ──► over (failed)
//
// What the server asks is answered in any state: a ping with an empty result, all else with "method
// not found", because nothing else was offered to it.
//
// Thread: the loop's.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/value.h"
#include "engine/tasks/executor.h"
#include "engine/tasks/mcp_message.h"
#include "engine/tasks/mcp_plan.h"
#include "engine/tasks/mcp_transport.h"
#include "engine/tasks/redactor.h"

namespace stele::tasks {

class McpSession {
 public:
  // The output, or a failure of the kinds "mcp_protocol", "mcp_tool", "mcp_server", "output_limit".
  using Done = std::function<void(std::expected<Object, TaskFailure>)>;

  // `idempotency_key` goes with a tool's call. `max_bytes`: what the pages of tools/list may have
  // together. REQUIRES: `transport`, `plan` and `redactor` outlive this.
  McpSession(McpTransport& transport, const McpPlan& plan, const Redactor& redactor,
             std::string idempotency_key, size_t max_bytes,
             std::function<void(std::string_view)> log, Done done)
      : transport_(transport),
        plan_(plan),
        redactor_(redactor),
        idempotency_key_(std::move(idempotency_key)),
        max_bytes_(max_bytes),
        log_(std::move(log)),
        done_(std::move(done)) {}

  void Begin();
  void OnMessage(std::string_view json);
  void OnAnswerEnded(int64_t id);
  // It is over without `done`. What tells the server that nobody waits any more, where it has been
  // asked for something that may be given up.
  std::optional<std::string> Abandon();

 private:
  enum class State : uint8_t { kInitializing, kAsking, kOver };

  void Handle(const McpMessage& message);
  void AnswerRequest(const McpMessage& request);
  void TakeLog(const Value& params);
  void TakeAnswer(const McpMessage& answer);
  void OnInitialized(const Value& result);
  void Ask(std::optional<std::string> cursor);
  void OnCalled(const Value& result);
  void OnListed(const Value& result);
  void SendRequest(std::string_view method, Object params);
  void Fail(std::string kind, std::string message, bool retryable, Payload details = {});
  void Finish(std::expected<Object, TaskFailure> outcome);

  McpTransport& transport_;
  const McpPlan& plan_;
  const Redactor& redactor_;
  std::string idempotency_key_;
  size_t max_bytes_;
  std::function<void(std::string_view)> log_;
  Done done_;
  State state_ = State::kInitializing;
  int64_t last_id_ = 0;  // of the request that waits for its answer
  std::string method_;   // and its method
  Array tools_;
  size_t tools_bytes_ = 0;
};

}  // namespace stele::tasks
