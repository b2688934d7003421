// An MCP server that is a program of its own: a message a line on its input and its output.
// Source: the protocol's specification, revision 2025-06-18, "Transports", stdio.
//
// Thread: the loop's.
#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/tasks/bounded_text.h"
#include "engine/tasks/child_process.h"
#include "engine/tasks/limits.h"
#include "engine/tasks/line_buffer.h"
#include "engine/tasks/mcp_transport.h"
#include "engine/tasks/redactor.h"
#include "engine/tasks/uv_handle.h"

namespace stele::tasks {

struct McpLimits {
  size_t max_message_bytes = kMaxMcpMessageBytes;
  // Between the end of the program's input and SIGTERM, and from there to SIGKILL.
  int64_t input_grace_us = kMcpInputGraceUs;
  int64_t kill_grace_us = kKillGraceUs;
  // What each of the last requests of a session may take.
  int64_t goodbye_us = kMcpGoodbyeUs;
};

class McpStdio final : public McpTransport, private ChildProcess::Observer {
 public:
  // REQUIRES: `redactor` and `observer` outlive this.
  McpStdio(uv_loop_t* loop, ChildProcess::Spec server, McpLimits limits, const Redactor& redactor,
           McpTransport::Observer* observer);

  std::optional<TaskFailure> Open() override;
  void Send(std::string message, std::optional<int64_t> request_id) override;
  void UseVersion(std::string_view) override {}
  void Close(std::optional<std::string> last, std::function<void()> closed) override;

 private:
  void OnOutput(ChildProcess::Stream stream, std::string_view bytes) override;
  void OnExit(ChildProcess::Exit exit) override;
  void TakeLine(std::string_view line);
  void ReportExit(ChildProcess::Exit exit);
  void OnTimer();

  uv_loop_t* loop_;
  ChildProcess::Spec server_;
  McpLimits limits_;
  McpTransport::Observer* observer_;
  LineBuffer lines_;
  StreamRedactor error_redactor_;
  BoundedText errors_;
  bool failed_ = false;
  std::function<void()> closed_;  // set: it is being closed
  UvHandle<uv_timer_t> timer_;
  // Last, so that it is gone before what it reports to.
  std::unique_ptr<ChildProcess> child_;
};

}  // namespace stele::tasks
