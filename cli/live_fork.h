// Forks that are recorded, and resets, in a data directory or at a server.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/arguments.h"
#include "cli/terminal.h"
#include "engine/definition/definition.h"
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
// Where it leaves: --at, which must be given. kUsage.
Result<replay::When> GivenForkMoment(const Arguments& arguments);
// kUsage: --version or --plan without --definition.
Status CheckForkDefinition(const Arguments& arguments);

// kCannotMigrate: what it is to go on in (null: nothing else) is no version of what the origin
// runs.
Status CheckOther(const definition::Definition& ran, const definition::Definition* other);

// Of names that UnknownOf says: nothing else is said of a typing error.
void NoteUnknown(const Terminal& terminal, const std::vector<std::string>& unknown);
// Of a file that was registered for a fork.
std::string DraftNote(std::string_view definition, uint32_t version);

// Begins the fork and follows it, as `stele start` does; `resets`: the origin is terminated. The
// exit code.
int ForkLive(const Arguments& arguments, const Terminal& terminal, bool resets);
// cli/remote/fork.cc
int ForkAtServer(const Arguments& arguments, const Terminal& terminal, const GivenFork& given);

// What --no-wait prints.
void ReportForked(const Arguments& arguments, const Terminal& terminal, InstanceId instance,
                  const GivenFork& given, Seq at);

}  // namespace stele::cli
