// Definitions at a server.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/remote/remote.h"
#include "engine/definition/load.h"
#include "engine/model/registry.h"

namespace stele::cli {

// The text of a file, to be registered.
struct SentDefinition {
  std::string path;  // as it was given
  std::string text;
  bool draft = false;
};
Result<SentDefinition> ReadSentDefinition(const std::string& path, bool draft);

struct DefinitionAtServer {
  std::string name;
  uint32_t version = 1;
  std::string state;  // "active", …
  bool is_new = false;
};
// Why it was not: faults of the text, or else an error.
struct NotRegistered {
  Error error;
  std::vector<definition::Fault> faults;
};

// Nothing is registered. Empty: it has no faults.
Result<std::vector<definition::Fault>> ValidateAtServer(Remote& server,
                                                        const SentDefinition& definition);
std::expected<DefinitionAtServer, NotRegistered> RegisterAtServer(Remote& server,
                                                                  const SentDefinition& definition);
// `version` 0: the newest.
Result<DefinitionAtServer> ChangeAtServer(Remote& server, const std::string& name, uint32_t version,
                                          model::DefinitionState state, const std::string& reason);

}  // namespace stele::cli
