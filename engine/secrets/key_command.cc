#include "engine/secrets/key_command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "engine/secrets/limits.h"
#include "engine/secrets/private_file.h"

namespace stele::secrets {
namespace {

std::unexpected<Error> CommandFailed(const std::string& found) {
  return Fail(ErrorCode::kMasterKey,
              fmt::format("Expected the command of the setting \"key_command\" to print the master "
                          "key but found that {}",
                          found));
}

std::unexpected<Error> SystemFailed(std::string_view what) {
  return CommandFailed(fmt::format("{}: {}", what, std::strerror(errno)));
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { Close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }
  void Close() {
    if (const int number = std::exchange(number_, -1); number >= 0) close(number);
  }

 private:
  int number_;
};

// A child that has ended, one way or the other, when this does.
class Child {
 public:
  // glibc 2.36 declares pidfd_open for C alone.
  explicit Child(pid_t id) : id_(id), ended_(static_cast<int>(syscall(SYS_pidfd_open, id, 0))) {}
  ~Child() {
    if (id_ == 0) return;
    kill(id_, SIGKILL);
    Wait();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Readable once it has ended.
  int descriptor() const { return ended_.get(); }
  // What it ended with, as waitpid tells.
  int Wait() {
    int status = 0;
    while (waitpid(id_, &status, 0) < 0 && errno == EINTR) {
    }
    id_ = 0;
    return status;
  }

 private:
  pid_t id_;
  Descriptor ended_;
};

// Starts the command with `output` as its standard output. Signals do what they do by themselves,
// whatever this process made of them.
Result<pid_t> Start(const std::string& command, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::string shell = "sh", flag = "-c", text = command;
  char* const arguments[] = {shell.data(), flag.data(), text.data(), nullptr};
  pid_t process = 0;
  errno = posix_spawn(&process, "/bin/sh", &actions, &attributes, arguments, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (errno != 0) return SystemFailed("it did not start");
  return process;
}

// Appends what is there now; false: there will be no more.
bool ReadSome(int input, std::string* output) {
  std::array<char, 512> part;
  const ssize_t count = read(input, part.data(), part.size());
  if (count > 0) output->append(part.data(), static_cast<size_t>(count));
  const bool more = count > 0 || (count < 0 && (errno == EINTR || errno == EAGAIN));
  explicit_bzero(part.data(), part.size());
  return more;
}

// Until the child has ended and everything that it printed was read.
Status ReadOutput(int input, const Child& child, int64_t patience_ms, std::string* output) {
  const Descriptor timer(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
  itimerspec due{};
  due.it_value.tv_sec = patience_ms / 1000;
  due.it_value.tv_nsec = patience_ms % 1000 * 1'000'000;
  if (timer.get() < 0 || child.descriptor() < 0 ||
      timerfd_settime(timer.get(), 0, &due, nullptr) != 0)
    return SystemFailed("it could not be waited for");
  std::array<pollfd, 3> events{
      {{input, POLLIN, 0}, {child.descriptor(), POLLIN, 0}, {timer.get(), POLLIN, 0}}};
  for (;;) {
    if (poll(events.data(), events.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return SystemFailed("it could not be waited for");
    }
    if (events[0].revents != 0) {
      if (!ReadSome(input, output)) events[0].fd = -1;
      if (output->size() > kMaxKeyTextBytes)
        return CommandFailed(fmt::format("it printed more than {} bytes", kMaxKeyTextBytes));
    } else if (events[1].revents != 0) {
      return {};
    } else if (events[2].revents != 0) {
      return CommandFailed(fmt::format("it had not ended after {} ms", patience_ms));
    }
  }
}

}  // namespace

Result<std::string> OutputOfKeyCommand(const std::string& command, int64_t patience_ms) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return SystemFailed("there was no pipe for it");
  const Descriptor input(ends[0]);
  Descriptor output(ends[1]);
  fcntl(input.get(), F_SETFL, O_NONBLOCK);
  const Result<pid_t> process = Start(command, output.get());
  if (!process) return std::unexpected(process.error());
  Child child(*process);
  output.Close();
  std::string text;
  text.reserve(2 * kMaxKeyTextBytes);  // so that no copy is left where it grew
  const Status read = ReadOutput(input.get(), child, patience_ms, &text);
  Status ended = read;
  if (read) {
    const int status = child.Wait();
    if (WIFSIGNALED(status))
      ended = CommandFailed(fmt::format("signal {} ended it", WTERMSIG(status)));
    else if (WEXITSTATUS(status) != 0)
      ended = CommandFailed(fmt::format("it ended with {}", WEXITSTATUS(status)));
  }
  if (ended) return text;
  const WipeAtEnd wipe(text);
  return std::unexpected(std::move(ended).error());
}

}  // namespace stele::secrets
