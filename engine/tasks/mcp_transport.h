// How the messages of a conversation with an MCP server travel. mcp_stdio.h: a program's input and
// output; mcp_http.h: requests.
//
// Thread: the loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "engine/tasks/executor.h"

namespace stele::tasks {

class McpTransport {
 public:
  // Told from the loop, never from inside Open and Close, and never after Close.
  class Observer {
   public:
    virtual ~Observer() = default;
    // A text that ought to be a message or a batch.
    virtual void OnMessage(std::string_view json) = 0;
    // Nothing more can come in answer to the request `id`.
    virtual void OnAnswerEnded(int64_t id) = 0;
    // For the log of the task.
    virtual void OnLog(std::string_view text) = 0;
    // The conversation cannot go on.
    virtual void OnFailure(TaskFailure failure) = 0;
  };

  // Destroying it ends what is left at once.
  virtual ~McpTransport() = default;
  // A failure when there is no server to talk to.
  virtual std::optional<TaskFailure> Open() = 0;
  // `request_id` when the message is a request. May report a failure.
  virtual void Send(std::string message, std::optional<int64_t> request_id) = 0;
  // The revision that was agreed on.
  virtual void UseVersion(std::string_view version) = 0;
  // Takes leave: sends `last`, if there is any, and ends the server or the session. `closed` comes
  // from the loop when nothing of it runs any more; it may destroy the transport. At most once.
  virtual void Close(std::optional<std::string> last, std::function<void()> closed) = 0;
};

}  // namespace stele::tasks
