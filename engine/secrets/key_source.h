// Where the master key of a log is: a file, an environment variable, or a command that prints it.
// The key itself stands in no setting, argument or error. docs/encryption.md tells people.
//
// Thread: any; a command is waited for.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "engine/secrets/limits.h"
#include "engine/secrets/secret_key.h"

namespace stele::secrets {

// One of them; none: there is no key.
struct KeySource {
  std::string file;         // closed to others; SecretKey says in which forms
  std::string environment;  // a variable's name
  std::string command;      // for /bin/sh; its standard output, its input being empty
  int64_t command_patience_ms = kKeyCommandPatienceMs;  // how long the command may take

  bool empty() const { return file.empty() && environment.empty() && command.empty(); }
};

// Errors name the place: kMasterKey; kSecretExposed for a file that others can read, kIo or
// kLimitExceeded for one that is no file of a key at all, kUsage when more than one place is given.
// REQUIRES: the source is not empty.
Result<SecretKey> ReadKey(const KeySource& source);

// The text of a key of another kind, from such a place. `code` is what a place that does not give
// one is refused with. Wiping the text is the caller's affair. REQUIRES: the source is not empty.
Result<std::string> ReadKeyText(const KeySource& source, ErrorCode code);
// The place, for sentences.
std::string PlaceOf(const KeySource& source);

}  // namespace stele::secrets
