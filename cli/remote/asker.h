// Who asks a server.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "cli/arguments.h"
#include "cli/remote/remote.h"

namespace stele::cli {

struct Asker {
  std::string name;
  std::vector<std::string> groups;
  // Of a server that asks nobody for a name: --by and --group say who it is, else the login name.
  bool is_anybody = false;
};
// kUsage: --by or --group name somebody else than the token does.
Result<Asker> AskerOf(const Arguments& arguments, Remote& server);

// kUsage: --by, where a server knows who asks.
Status CheckNobodyNamed(const Arguments& arguments);
// The same, and options of what this process would run for a data directory.
Status CheckAtServer(const Arguments& arguments, bool names_person = false);

}  // namespace stele::cli
