#include "engine/tasks/process_launch.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "engine/tasks/process_child.h"

namespace stele::tasks {

namespace {

struct Pipe {
  OwnedFile read;
  OwnedFile write;
};

std::expected<Pipe, LaunchFailure> OpenPipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return std::unexpected(LaunchFailure{LaunchStep::kStart, errno});
  return Pipe{OwnedFile(ends[0]), OwnedFile(ends[1])};
}

// No handler of the engine's may run in a child that shares its memory.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~BlockedSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

 private:
  sigset_t before_;
};

[[gnu::noinline]] pid_t Fork(const ChildPlan& plan) {
  // vfork: the engine waits until the program is executed, and no table of pages is copied.
  const pid_t pid = plan.launch.confinement->namespaces ? _Fork() : vfork();
  if (pid == 0) RunChild(plan);
  return pid;
}

template <class Data>
bool ReadWhole(int file, Data& data) {
  ssize_t count = 0;
  do {
    count = read(file, &data, sizeof data);
  } while (count < 0 && errno == EINTR);
  return count == static_cast<ssize_t>(sizeof data);
}

int64_t Microseconds(const timeval& time) {
  return int64_t{time.tv_sec} * 1'000'000 + time.tv_usec;
}

}  // namespace

OwnedFile::~OwnedFile() {
  Close();
}

void OwnedFile::Close() {
  if (file_ >= 0) close(std::exchange(file_, -1));
}

std::expected<Launched, LaunchFailure> StartProcess(const Launch& launch) {
  auto report = OpenPipe();
  if (!report) return std::unexpected(report.error());
  ChildPlan plan{launch, getpid(), report->write.get(), -1};
  Launched launched;
  OwnedFile end_write;
  if (launch.confinement->namespaces) {
    auto end = OpenPipe();
    if (!end) return std::unexpected(end.error());
    launched.ended = std::move(end->read);
    end_write = std::move(end->write);
    plan.end_file = end_write.get();
  }
  {
    const BlockedSignals blocked;
    launched.pid = Fork(plan);
  }
  if (launched.pid < 0) return std::unexpected(LaunchFailure{LaunchStep::kStart, errno});
  launched.watch = OwnedFile(static_cast<int>(syscall(SYS_pidfd_open, launched.pid, 0)));
  const int watch_error = errno;
  if (launched.watch.get() < 0 && watch_error == ESRCH) {
    // It has ended, and somebody else has taken its end: what is readable at once says so.
    launched.watch = OwnedFile(eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
  }
  report->write.Close();
  end_write.Close();
  // Ends with the exec, which closes the last writing end, or brings the failure.
  LaunchFailure failure;
  const bool failed = ReadWhole(report->read.get(), failure);
  if (!failed && launched.watch.get() >= 0) return launched;
  kill(launched.pid, SIGKILL);
  kill(-launched.pid, SIGKILL);
  Reap(launched.pid, true);
  if (!failed) failure = {LaunchStep::kStart, watch_error};
  return std::unexpected(failure);
}

std::optional<ProcessEnd> ReadEnd(const OwnedFile& ended) {
  ProcessEnd end;
  if (ended.get() < 0 || !ReadWhole(ended.get(), end)) return std::nullopt;
  return end;
}

Reaped Reap(pid_t pid, bool block) {
  ProcessEnd end;
  rusage usage{};
  pid_t reaped = 0;
  do {
    reaped = wait4(pid, &end.status, block ? 0 : WNOHANG, &usage);
  } while (reaped < 0 && errno == EINTR);
  if (reaped == 0) return {};
  if (reaped != pid) return {Reaped::State::kElsewhere, {}};
  end.cpu_us = Microseconds(usage.ru_utime) + Microseconds(usage.ru_stime);
  return {Reaped::State::kEnded, end};
}

}  // namespace stele::tasks
