// What a process has taken of the machine by now, from /proc.
//
// Thread: any.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace stele::load {

struct ProcessUse {
  double user_seconds = 0;  // of all threads
  double system_seconds = 0;
  uint64_t resident_bytes = 0;
  uint64_t peak_resident_bytes = 0;
  uint64_t written_bytes = 0;  // that it had the kernel send to a disk
};

// 0: this process. None: there is none with that number, or it is somebody else's.
std::optional<ProcessUse> ReadUse(pid_t process);

// Between two moments of one process; memory is that of the second.
struct UseBetween {
  double user_seconds = 0;
  double system_seconds = 0;
  double cores = 0;  // kept busy
  uint64_t resident_bytes = 0;
  uint64_t peak_resident_bytes = 0;
  uint64_t written_bytes = 0;
};
UseBetween Between(const ProcessUse& first, const ProcessUse& second, int64_t took_us);

}  // namespace stele::load
