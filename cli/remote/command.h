// A command on an instance, as the call of a server's interface that it is.
#pragma once

#include <string>

#include "base/error.h"
#include "cli/remote/asker.h"
#include "cli/remote/remote.h"
#include "engine/definition/definition.h"
#include "engine/model/command.h"
#include "engine/model/instance.h"
#include "engine/model/registry.h"

namespace stele::cli {

// The instance as the command was made of it.
struct CommandTarget {
  const model::Instance& instance;
  const definition::Definition& definition;
  const model::Registry& registry;
  const Asker& asker;
  std::string comment;       // of a person
  bool as_operator = false;  // they act for somebody else
};
// The position of its record, which is durable. REQUIRES: it is one that engine/requests makes.
Result<Position> SendCommand(Remote& server, const CommandTarget& target,
                             const model::Command& command);

// Waits for a call that answers with the position of a record.
template <class Request>
Result<Position> PositionOf(Remote& server, Request request) {
  const auto answer = server.Wait(request.send());
  if (!answer.has_value()) return std::unexpected(answer.error());
  return Position(answer->getPosition());
}

}  // namespace stele::cli
