// What a process does between its fork and its exec. Every call in there is one that a child of a
// process with threads may make: no allocation, no lock, system calls alone.
#pragma once

#include <sys/types.h>

#include "engine/tasks/process_launch.h"

namespace stele::tasks {

struct ChildPlan {
  const Launch& launch;
  pid_t engine = 0;
  int report_file = -1;  // takes a LaunchFailure; closed by the exec
  int end_file = -1;     // with namespaces: takes the ProcessEnd of the program
};

// In the child. REQUIRES: all signals are blocked.
[[noreturn]] void RunChild(const ChildPlan& plan);

}  // namespace stele::tasks
