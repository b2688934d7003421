// What the process takes of the machine, from /proc.
//
// Thread: any.
#pragma once

#include <cstdint>

namespace stele::server {

struct ProcessFigures {
  double cpu_seconds = 0;  // of all threads, in user and system mode
  uint64_t resident_bytes = 0;
  uint64_t virtual_bytes = 0;
  uint64_t open_fds = 0;
  uint64_t max_fds = 0;
  uint64_t threads = 0;
  double start_seconds = 0;  // since the epoch; 0: not known
};

// What cannot be read is 0.
ProcessFigures ReadProcess();

}  // namespace stele::server
