// Forks that are recorded, and resets, in a data directory or at a server.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "cli/arguments.h"
#include "cli/terminal.h"
#include "replay/time_machine.h"

namespace stele::cli {

// As the options say it; what needs the definition (--set, --definition) is read when that is
// known.
struct GivenFork {
  InstanceId origin;
  replay::When at;
  std::string plan;
  std::string business_key;
  bool unique = false;
  std::string idempotency_key;
  TimeUs deadline;
  bool paused = false;
  bool resets = false;
  std::string reason;
  std::string trace_parent;
};
Result<GivenFork> ReadGivenFork(const Arguments& arguments, bool resets, TimeUs now);
// kUsage: --version without --definition, or beside a file.
Status CheckForkDefinition(const Arguments& arguments);

// Begins the fork and follows it, as `stele start` does; `resets`: the origin is terminated. The
// exit code.
int ForkLive(const Arguments& arguments, const Terminal& terminal, bool resets);
// cli/remote/fork.cc
int ForkAtServer(const Arguments& arguments, const Terminal& terminal, const GivenFork& given);

// What --no-wait prints.
void ReportForked(const Arguments& arguments, const Terminal& terminal, InstanceId instance,
                  const GivenFork& given, Seq at);

}  // namespace stele::cli
