// Requests put to an instance that a CoreDriver drives.
#pragma once

#include <optional>

#include "engine/requests/make_command.h"
#include "tests/support/core_driver.h"

namespace stele::requests {

using test::CoreDriver;

// Why there is no command, or why it is refused; nothing: it was done.
inline std::optional<Error> Ask(CoreDriver& flow, const MakeCommand& make) {
  const Result<model::Command> command = make(flow.instance(), flow.definition());
  if (!command.has_value()) return command.error();
  return flow.Do(*command);
}

// The error's code and sentence; "" for none.
inline std::string TextOf(const std::optional<Error>& error) {
  return error.has_value() ? error->ToString() : "";
}

}  // namespace stele::requests
