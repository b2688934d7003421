// An editor at the other end of two streams: what it sends is read and handled, until it says
// goodbye or is gone.
//
// Thread: the main one.
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "base/error.h"
#include "cli/dap/framing.h"
#include "cli/dap/message.h"
#include "cli/dap/session.h"

namespace stele::cli::dap {

class Conversation {
 public:
  // REQUIRES: the descriptors are open as long as it is there.
  Conversation(int in, int out, OpenHistory open);

  // kBadRequest, kLimitExceeded: what came is no message of the protocol, so that nothing behind it
  // can be read; what came before it has been answered. kIo: it could not be read or written.
  Status Run();

 private:
  // Waits for so long, -1: for ever; reads what is there.
  void Read(int timeout_ms);
  void Take();
  // Nothing more is read.
  void End(Error fault);
  void Send(std::string_view message);
  bool WantsSomethingElse();

  const int in_;
  const int out_;
  Framing framing_;
  std::deque<Request> requests_;
  bool at_end_ = false;
  std::optional<Error> fault_;
  Outbox outbox_;
  Session session_;
};

}  // namespace stele::cli::dap
