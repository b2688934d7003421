#include "engine/tasks/process_child.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace stele::tasks {

namespace {

// Above the streams, and where close_range begins.
constexpr int kReportFile = 3;
constexpr int kEndFile = 4;
constexpr int kFirstFreeFile = 16;

class Child {
 public:
  explicit Child(const ChildPlan& plan) : plan_(plan), to_(*plan.launch.confinement) {}

  [[noreturn]] void Run() {
    setsid();
    ResetSignals();
    PlaceFiles();
    SetLimits();
    if (to_.namespaces) EnterNamespaces();
    Execute();
  }

 private:
  [[noreturn]] void Fail(LaunchStep step) const {
    const LaunchFailure failure{step, errno};
    static_cast<void>(!write(kReportFile, &failure, sizeof failure));
    _exit(127);
  }
  void Need(bool done, LaunchStep step) const {
    if (!done) Fail(step);
  }

  // Also those that the engine ignores, SIGPIPE among them.
  static void ResetSignals() {
    struct sigaction standard{};
    standard.sa_handler = SIG_DFL;
    for (int signal = 1; signal < NSIG; ++signal) sigaction(signal, &standard, nullptr);
  }

  // Streams at 0 to 2, our pipes behind them, nothing else. All are moved out of the way first.
  void PlaceFiles() const {
    const int wanted[] = {plan_.launch.streams[0], plan_.launch.streams[1], plan_.launch.streams[2],
                          plan_.report_file, plan_.end_file};
    int moved[5];
    for (int i = 0; i < 5; ++i) {
      moved[i] = -1;
      if (wanted[i] >= 0) moved[i] = fcntl(wanted[i], F_DUPFD_CLOEXEC, kFirstFreeFile);
    }
    for (int i = 0; i < 3; ++i) {
      if (moved[i] < 0) moved[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
    }
    dup3(moved[3], kReportFile, O_CLOEXEC);
    for (int i = 0; i < 3; ++i) Need(dup2(moved[i], i) == i, LaunchStep::kStart);
    if (moved[4] >= 0) dup3(moved[4], kEndFile, O_CLOEXEC);
    const unsigned first = moved[4] >= 0 ? kEndFile + 1 : kReportFile + 1;
    Need(syscall(SYS_close_range, first, ~0U, 0U) == 0, LaunchStep::kStart);
  }

  void SetLimits() const {
    for (const ResourceLimit& limit : to_.limits) {
      rlimit now{};
      Need(getrlimit(static_cast<__rlimit_resource_t>(limit.resource), &now) == 0,
           LaunchStep::kLimits);
      const rlimit next{std::min<rlim_t>(limit.soft, now.rlim_max),
                        std::min<rlim_t>(limit.hard, now.rlim_max)};
      Need(setrlimit(static_cast<__rlimit_resource_t>(limit.resource), &next) == 0,
           LaunchStep::kLimits);
    }
  }

  // The kernel forgets the wish when a process changes its identity: it is the last thing asked.
  void DieWithTheEngine() const {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != plan_.engine) _exit(127);  // it died before it was asked
  }

  static bool WriteFile(const char* path, const char* text, size_t size) {
    const int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return false;
    const bool written = write(file, text, size) == static_cast<ssize_t>(size);
    const int error = errno;
    close(file);
    errno = error;
    return written;
  }

  // "1000 1000 1": the one id that exists inside is the one that we have.
  static bool MapId(const char* path, unsigned id) {
    char digits[10];
    size_t count = 0;
    do {
      digits[count++] = static_cast<char>('0' + id % 10);
      id /= 10;
    } while (id != 0);
    std::reverse(digits, digits + count);
    char text[24];
    char* at = std::copy(digits, digits + count, text);
    *at++ = ' ';
    at = std::copy(digits, digits + count, at);
    *at++ = ' ';
    *at++ = '1';
    return WriteFile(path, text, static_cast<size_t>(at - text));
  }

  // Goes on in the grandchild alone: the child waits for the init of the namespace, that for the
  // program.
  void EnterNamespaces() {
    const bool own_users = !to_.identity.has_value();
    const uid_t user = geteuid();
    const gid_t group = getegid();
    const int flags = CLONE_NEWPID | CLONE_NEWNS | (own_users ? CLONE_NEWUSER : 0) |
                      (to_.network ? 0 : CLONE_NEWNET);
    Need(unshare(flags) == 0, LaunchStep::kNamespaces);
    if (own_users) {
      Need(WriteFile("/proc/self/setgroups", "deny", 4) && MapId("/proc/self/uid_map", user) &&
               MapId("/proc/self/gid_map", group),
           LaunchStep::kNamespaces);
    }
    // A copy of the engine's memory is nothing for a program to look into.
    prctl(PR_SET_DUMPABLE, 0);
    DieWithTheEngine();
    const pid_t init = _Fork();
    Need(init >= 0, LaunchStep::kNamespaces);
    if (init != 0) {
      syscall(SYS_close_range, 0U, ~0U, 0U);
      while (waitpid(init, nullptr, 0) < 0 && errno == EINTR) {
      }
      _exit(0);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    Need(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
             mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) == 0,
         LaunchStep::kNamespaces);
    const pid_t program = _Fork();
    Need(program >= 0, LaunchStep::kNamespaces);
    if (program != 0) WaitForProgram(program);
    // Nothing may be gained back: the capabilities that root has in the namespace go at the exec.
    for (unsigned long capability = 0; prctl(PR_CAPBSET_DROP, capability) == 0; ++capability) {
    }
  }

  [[noreturn]] static void WaitForProgram(pid_t program) {
    for (unsigned file : {0U, 1U, 2U, static_cast<unsigned>(kReportFile)})
      close(static_cast<int>(file));
    for (;;) {
      ProcessEnd end;
      rusage usage{};
      const pid_t ended = wait4(-1, &end.status, 0, &usage);
      if (ended != program) continue;
      end.cpu_us = (int64_t{usage.ru_utime.tv_sec} + usage.ru_stime.tv_sec) * 1'000'000 +
                   usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
      static_cast<void>(!write(kEndFile, &end, sizeof end));
      _exit(0);
    }
  }

  // By system calls: the C library's would ask every thread of the engine to follow.
  void BecomeUser() const {
    const Identity& who = *to_.identity;
    Need(syscall(SYS_setgroups, 0, nullptr) == 0 &&
             syscall(SYS_setresgid, who.group, who.group, who.group) == 0 &&
             syscall(SYS_setresuid, who.user, who.user, who.user) == 0,
         LaunchStep::kUser);
  }

  [[noreturn]] void Execute() const {
    if (to_.identity.has_value()) BecomeUser();
    if (to_.identity.has_value() || to_.namespaces) {
      Need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, LaunchStep::kUser);
    }
    Need(chdir(plan_.launch.directory) == 0, LaunchStep::kDirectory);
    if (!to_.namespaces) DieWithTheEngine();
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    execve(plan_.launch.program, plan_.launch.arguments, plan_.launch.environment);
    Fail(LaunchStep::kProgram);
  }

  const ChildPlan& plan_;
  const Confinement& to_;
};

}  // namespace

void RunChild(const ChildPlan& plan) {
  Child(plan).Run();
}

}  // namespace stele::tasks
