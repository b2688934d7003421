// Forks and executes a program. libuv's uv_spawn has no place for what must happen between the two:
// the kernel is asked to kill the program with the engine, limits are set, namespaces entered,
// another user becomes.
//
// The program leads a session and a process group of its own and inherits no file but its three
// streams. Without namespaces it is a child by vfork, which costs the same however large the engine
// is. With them two small processes, copies of the engine that execute nothing, stay as long as it
// runs: the child, which carries the group's number, and the init of the PID namespace, which waits
// for the program and takes all that is left with it when it ends.
//
// Thread: the loop's. The kernel kills the program when this very thread ends.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <optional>
#include <utility>

#include "engine/tasks/confinement.h"

namespace stele::tasks {

// Closes what it holds.
class OwnedFile {
 public:
  OwnedFile() = default;
  explicit OwnedFile(int file) : file_(file) {}
  OwnedFile(OwnedFile&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  OwnedFile& operator=(OwnedFile&& other) noexcept {
    std::swap(file_, other.file_);
    return *this;
  }
  ~OwnedFile();
  int get() const { return file_; }
  void Close();

 private:
  int file_ = -1;
};

struct Launch {
  const char* program = nullptr;  // a path
  char* const* arguments = nullptr;
  char* const* environment = nullptr;
  const char* directory = nullptr;
  int streams[3] = {-1, -1, -1};  // -1: /dev/null
  const Confinement* confinement = nullptr;
};

enum class LaunchStep : uint8_t {
  kStart,  // pipes, the fork
  kLimits,
  kUser,
  kNamespaces,
  kDirectory,
  kProgram,
};

struct LaunchFailure {
  LaunchStep step = LaunchStep::kStart;
  int error = 0;  // errno
};

struct Launched {
  pid_t pid = 0;    // the group's number, too
  OwnedFile watch;  // a pidfd: readable when the process has ended
  OwnedFile ended;  // with namespaces: what ReadEnd reads
};

// How a program ended, as wait4 tells.
struct ProcessEnd {
  int status = 0;
  int64_t cpu_us = 0;
};

std::expected<Launched, LaunchFailure> StartProcess(const Launch& launch);

// Of a program in namespaces, once its process has ended; nothing when that was killed before.
std::optional<ProcessEnd> ReadEnd(const OwnedFile& ended);

struct Reaped {
  enum class State : uint8_t {
    kRuns,
    kEnded,      // as `end` says
    kElsewhere,  // somebody else in this process took its end, or SIGCHLD is ignored
  };
  State state = State::kRuns;
  ProcessEnd end;
};

// Reaps the child, waiting for it when `block`.
Reaped Reap(pid_t pid, bool block);

}  // namespace stele::tasks
