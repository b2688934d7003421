#include "cli/supervisor.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <system_error>

namespace stele::cli {

namespace {

std::string TakeVariable(const char* name) {
  const char* const value = std::getenv(name);
  std::string text = value == nullptr ? "" : value;
  unsetenv(name);
  return text;
}

std::optional<int64_t> NumberOf(const std::string& text) {
  int64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || end != text.data() + text.size() || number <= 0) return std::nullopt;
  return number;
}

}  // namespace

// A datagram socket whose other end is known.
class Supervisor::Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() { close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  // "/run/systemd/notify", or "@name" of the abstract names of Linux, whose first byte is zero.
  static Result<std::unique_ptr<Socket>> Connect(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if ((!path.starts_with('/') && !path.starts_with('@')) || path.size() < 2 ||
        path.size() >= sizeof(address.sun_path))
      return Fail(ErrorCode::kConfiguration,
                  fmt::format("Expected the path of a socket in NOTIFY_SOCKET, or \"@\" and a "
                              "name, but found \"{}\"",
                              path));
    std::memcpy(address.sun_path, path.data(), path.size());
    if (path[0] == '@') address.sun_path[0] = '\0';
    // Its own length: of an abstract name every byte counts.
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    auto made = std::make_unique<Socket>(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (made->fd_ < 0 ||
        connect(made->fd_, reinterpret_cast<const sockaddr*>(&address), length) != 0)
      return Fail(ErrorCode::kConfiguration,
                  fmt::format("Expected the socket of a service manager at NOTIFY_SOCKET, {}, but "
                              "found: {}",
                              path, std::generic_category().message(errno)));
    return made;
  }

  void Send(std::string_view text) const {
    while (send(fd_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno == EINTR) {
    }
  }

 private:
  const int fd_;
};

Supervisor::Supervisor(std::unique_ptr<Socket> socket, int64_t watchdog_us)
    : socket_(std::move(socket)), watchdog_us_(watchdog_us) {}
Supervisor::Supervisor(Supervisor&&) noexcept = default;
Supervisor& Supervisor::operator=(Supervisor&&) noexcept = default;
Supervisor::~Supervisor() = default;

Result<Supervisor> Supervisor::FromEnvironment() {
  const std::string path = TakeVariable("NOTIFY_SOCKET");
  const std::string patience = TakeVariable("WATCHDOG_USEC");
  const std::string process = TakeVariable("WATCHDOG_PID");
  if (path.empty()) return Supervisor(nullptr, 0);
  auto socket = Socket::Connect(path);
  if (!socket.has_value()) return std::unexpected(socket.error());
  // Of another process: a shell between the manager and this one has handed it on.
  const bool is_ours = process.empty() || process == std::to_string(getpid());
  if (patience.empty() || !is_ours) return Supervisor(*std::move(socket), 0);
  const auto watchdog_us = NumberOf(patience);
  if (!watchdog_us.has_value())
    return Fail(ErrorCode::kConfiguration,
                fmt::format("Expected microseconds in WATCHDOG_USEC but found \"{}\"", patience));
  return Supervisor(*std::move(socket), *watchdog_us);
}

void Supervisor::Tell(std::string_view assignments) const {
  if (socket_ != nullptr) socket_->Send(assignments);
}

}  // namespace stele::cli
