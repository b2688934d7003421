// The keys of a script's configuration that say what it may use and see: `limits`, `isolation`,
// `network`, `user`.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "engine/tasks/child_process.h"
#include "engine/tasks/config_reader.h"
#include "engine/tasks/confinement.h"
#include "engine/tasks/executor.h"

namespace stele::tasks {

struct ScriptConfinement {
  std::optional<int64_t> cpu_us;
  std::optional<uint64_t> memory_bytes;
  std::optional<uint64_t> files;
  std::optional<uint64_t> processes;
  std::optional<uint64_t> file_bytes;
  uint64_t core_bytes = 0;  // a dump of memory would hold secrets
  bool namespaces = false;
  bool network = true;
  std::string user;  // a name or a number; empty: the engine's
};

// "256MB", "64k", 4096: bytes. A unit is a power of 1,024. Nothing when it is no size.
std::optional<uint64_t> ParseSizeBytes(std::string_view text);

// Adds its faults to the reader's.
ScriptConfinement ReadConfinement(ConfigReader& reader, ConfigReader::Mode mode);

// Looks the user up. Failures are of the kind "isolation" and not retryable.
std::expected<Confinement, TaskFailure> PlanConfinement(const ScriptConfinement& script);

// Why a script did not start, when that was for what it was to be confined to.
std::optional<TaskFailure> ConfinementFailure(const ScriptConfinement& script, LaunchStep step,
                                              const char* reason);

// The key of the limit that ended a script, and what it was, where that can be told: the signals of
// the kernel, also as the exit code with which a shell reports its last command's.
struct HitLimit {
  std::string_view name;
  std::string allowed;
};
std::optional<HitLimit> LimitHit(const ScriptConfinement& script, const ChildProcess::Exit& exit,
                                 int64_t cpu_us);

}  // namespace stele::tasks
