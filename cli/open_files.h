// How many files, and with them connections, the process may have open.
#pragma once

#include <sys/resource.h>

#include <cstdint>

namespace stele::cli {

// As many as the system lets it have; gives the number. What it starts inherits that.
inline uint64_t RaiseOpenFiles() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  rlimit raised = limit;
  raised.rlim_cur = limit.rlim_max;
  return setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

}  // namespace stele::cli
