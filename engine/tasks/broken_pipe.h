// SIGPIPE, which ends a process that writes to a pipe or socket that nobody reads.
#pragma once

#include <pthread.h>
#include <signal.h>

namespace stele::tasks {

// The calling thread gets EPIPE from now on and no signal: neither libuv nor libcurl on another
// one's loop sees to that, and whoever embeds the engine may want the signal elsewhere. Programs
// that are started begin with an empty mask (process_child.cc).
inline void BlockBrokenPipeSignal() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace stele::tasks
