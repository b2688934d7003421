#include "engine/tasks/mcp_stdio.h"

#include <fmt/format.h>

#include <utility>

#include "engine/tasks/program_run.h"

namespace stele::tasks {

McpStdio::McpStdio(uv_loop_t* loop, ChildProcess::Spec server, McpLimits limits,
                   const Redactor& redactor, McpTransport::Observer* observer)
    : loop_(loop),
      server_(std::move(server)),
      limits_(limits),
      observer_(observer),
      lines_(limits.max_message_bytes),
      error_redactor_(redactor),
      errors_(kErrorTailBytes * 2) {
  server_.takes_input = true;
}

std::optional<TaskFailure> McpStdio::Open() {
  auto child = ChildProcess::Start(loop_, server_, this);
  if (!child) {
    return TaskFailure{"spawn",
                       fmt::format("Expected to start {} but found: {}", server_.program,
                                   uv_strerror(child.error())),
                       child.error() != UV_E2BIG && child.error() != UV_EACCES,
                       {}};
  }
  child_ = *std::move(child);
  return std::nullopt;
}

void McpStdio::Send(std::string message, std::optional<int64_t> /*request_id*/) {
  if (child_ == nullptr || closed_ || failed_) return;
  if (child_->unread_input() > limits_.max_message_bytes) {
    failed_ = true;
    observer_->OnFailure(
        TaskFailure{"mcp_server",
                    "Expected the server to read its messages but found that it does not",
                    true,
                    {}});
    return;
  }
  message += '\n';
  child_->WriteInput(std::move(message));
}

void McpStdio::OnOutput(ChildProcess::Stream stream, std::string_view bytes) {
  if (stream == ChildProcess::Stream::kErr) {
    errors_.Append(error_redactor_.Push(bytes));
    if (!closed_) observer_->OnLog(bytes);
    return;
  }
  std::string line;
  while (!closed_ && !failed_) {
    const LineBuffer::Found found = lines_.Take(bytes, line);
    if (found == LineBuffer::Found::kNothing) return;
    if (found == LineBuffer::Found::kLine) {
      TakeLine(line);
      continue;
    }
    failed_ = true;
    observer_->OnFailure(
        TaskFailure{"output_limit",
                    fmt::format("Expected messages of at most {} bytes but found a longer one",
                                limits_.max_message_bytes),
                    false,
                    {}});
  }
}

void McpStdio::TakeLine(std::string_view line) {
  if (line.find_first_not_of(" \t\r") != std::string_view::npos) observer_->OnMessage(line);
}

void McpStdio::OnExit(ChildProcess::Exit exit) {
  child_.reset();
  timer_.reset();
  if (!closed_ && !failed_) TakeLine(lines_.TakeRest());  // without a line end
  if (closed_) {
    // Its timer is what tells, when this was closed by that last line just now.
    if (timer_ != nullptr) return;
    auto closed = std::move(closed_);
    closed();
  } else if (!failed_) {
    ReportExit(exit);
  }
}

void McpStdio::ReportExit(ChildProcess::Exit exit) {
  failed_ = true;
  std::string found = ShownExit(exit);
  errors_.Append(error_redactor_.Finish());
  std::string errors = errors_.ToString();
  if (std::string line = LastLine(errors); !line.empty()) found += ": " + line;
  Object details{{"exit_code", exit.signal != 0 ? int64_t{128} + exit.signal : exit.code},
                 {"stderr", Value(Tail(errors, kErrorTailBytes))}};
  observer_->OnFailure(TaskFailure{
      "mcp_server", fmt::format("Expected an answer but the server ended with {}", found), true,
      Payload::FromValue(details)});
}

// First its input ends, then it is asked by a signal, then it is killed.
void McpStdio::Close(std::optional<std::string> last, std::function<void()> closed) {
  if (last) Send(*std::move(last), std::nullopt);
  closed_ = std::move(closed);
  if (child_ != nullptr) child_->CloseInput();
  timer_ = MakeTimer(loop_, this);
  uv_timer_start(
      timer_.get(), [](uv_timer_t* timer) { static_cast<McpStdio*>(timer->data)->OnTimer(); },
      child_ == nullptr ? 0 : ToTimerMs(limits_.input_grace_us), 0);
}

void McpStdio::OnTimer() {
  timer_.reset();
  if (child_ != nullptr) {
    child_->Stop(limits_.kill_grace_us);
    return;
  }
  auto closed = std::move(closed_);
  closed();
}

}  // namespace stele::tasks
