// What a program of a step may use and see, beyond being a process of the engine's user. Plain
// values: process_launch.h applies them between fork and exec.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace stele::tasks {

// setrlimit: never above the hard limit that the engine has itself.
struct ResourceLimit {
  int resource = 0;  // RLIMIT_…
  uint64_t soft = 0;
  uint64_t hard = 0;
};

struct Identity {
  uid_t user = 0;
  gid_t group = 0;
};

struct Confinement {
  std::vector<ResourceLimit> limits;
  // Becoming somebody else, without supplementary groups. REQUIRES: the engine is root.
  std::optional<Identity> identity;
  // A PID and a mount namespace with a /proc of its own, and a user namespace unless root becomes
  // somebody else; without `network` a network namespace too.
  bool namespaces = false;
  bool network = true;
};

}  // namespace stele::tasks
