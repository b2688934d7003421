#include "cli/remote/hidden_input.h"

#include <fmt/format.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace stele::cli {

namespace {

// Keeps a terminal from showing what is typed, until the end of the object. A signal that would end
// the program ends the waiting instead, lest the terminal stay silent.
class WithoutEcho {
 public:
  WithoutEcho() {
    struct sigaction interrupt{};
    interrupt.sa_handler = [](int) {};
    sigset_t held;
    sigemptyset(&held);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
      sigaction(signal, &interrupt, nullptr);
      sigaddset(&held, signal);
    }
    sigprocmask(SIG_BLOCK, &held, &signals_);
    if (tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    changed_ = tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
  }
  ~WithoutEcho() {
    if (changed_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  WithoutEcho(const WithoutEcho&) = delete;
  WithoutEcho& operator=(const WithoutEcho&) = delete;

  // False: a signal came, which counts here alone.
  bool WaitForInput() const {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    return ppoll(&input, 1, nullptr, &signals_) == 1;
  }

 private:
  termios before_{};
  sigset_t signals_{};
  bool changed_ = false;
};

// Up to the end of the input, or of the line on a terminal; without one line end at its end.
Result<std::string> ReadValue(const WithoutEcho* terminal, size_t most) {
  std::string value(most + 3, '\0');  // with \r\n; growing leaves copies
  size_t size = 0;
  while (size < value.size()) {
    if (terminal != nullptr && !terminal->WaitForInput())
      return Fail(ErrorCode::kUsage, "Expected a value but found an interruption");
    const ssize_t count = read(STDIN_FILENO, value.data() + size, value.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0)
      return Fail(ErrorCode::kIo, fmt::format("Expected to read standard input but found: {}",
                                              std::strerror(errno)));
    size += static_cast<size_t>(count);
    if (count == 0 || (terminal != nullptr && value[size - 1] == '\n')) break;
  }
  if (size == value.size())
    return Fail(ErrorCode::kLimitExceeded,
                fmt::format("Expected a value of at most {} bytes", most));
  value.resize(size);
  if (value.ends_with('\n')) value.pop_back();
  if (value.ends_with('\r')) value.pop_back();
  return value;
}

}  // namespace

Result<std::string> AskUnseen(std::string_view what, size_t most_bytes) {
  if (isatty(STDIN_FILENO) != 1) return ReadValue(nullptr, most_bytes);
  const std::string prompt = fmt::format("{} (is not shown): ", what);
  const auto say = [](std::string_view text) {
    return write(STDERR_FILENO, text.data(), text.size());
  };
  const WithoutEcho silent;
  static_cast<void>(say(prompt));
  Result<std::string> value = ReadValue(&silent, most_bytes);
  static_cast<void>(say("\n"));
  return value;
}

}  // namespace stele::cli
