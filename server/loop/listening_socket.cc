#include "server/loop/listening_socket.h"

#include <fmt/format.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "server/loop/limits.h"
#include "server/loop/listener.h"

namespace stele::server {
namespace {

constexpr int kSocketFlags = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

std::unexpected<Error> CannotListen(const std::string& where, int error) {
  return Fail(ErrorCode::kListen,
              fmt::format("Expected to listen at {} but found: {}", where, std::strerror(error)));
}

std::string Text(const Address& address) {
  if (address.is_unix()) return "unix:" + address.path;
  if (address.host.find(':') != std::string::npos)
    return fmt::format("[{}]:{}", address.host, address.port);
  return fmt::format("{}:{}", address.host, address.port);
}

Result<std::vector<SocketAddress>> Resolve(const Address& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int error =
      getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &list);
  if (error != 0)
    return Fail(ErrorCode::kListen,
                fmt::format("Expected an address of this machine at {} but found: {}",
                            Text(address), gai_strerror(error)));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> freed(list, freeaddrinfo);
  return SocketAddresses(list);
}

// Every address of this machine: both families in one socket, or IPv4 where there is no IPv6.
std::vector<SocketAddress> Everywhere(uint16_t port) {
  SocketAddress six;
  auto* in6 = reinterpret_cast<sockaddr_in6*>(&six.storage);
  in6->sin6_family = AF_INET6;
  in6->sin6_port = htons(port);
  six.length = sizeof(*in6);
  SocketAddress four;
  auto* in = reinterpret_cast<sockaddr_in*>(&four.storage);
  in->sin_family = AF_INET;
  in->sin_port = htons(port);
  four.length = sizeof(*in);
  return {six, four};
}

bool SomebodyListens(const SocketAddress& address) {
  const int fd = ::socket(AF_UNIX, kSocketFlags, 0);
  if (fd < 0) return true;
  const int error = ::connect(fd, address.get(), address.length) == 0 ? 0 : errno;
  ::close(fd);
  // Anything but a refusal, a full backlog for one, means that there is somebody.
  return error != ECONNREFUSED && error != ENOENT;
}

// Removes what a process that is gone has left.
Status RemoveStale(const std::string& path, const SocketAddress& address) {
  struct stat found{};
  if (::lstat(path.c_str(), &found) != 0) return {};
  if (!S_ISSOCK(found.st_mode))
    return Fail(
        ErrorCode::kListen,
        fmt::format("Expected a socket, or nothing, at {} but found another kind of file", path));
  if (SomebodyListens(address))
    return Fail(ErrorCode::kListen,
                fmt::format("Expected nobody to listen at unix:{} but found a server", path));
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return CannotListen("unix:" + path, errno);
  return {};
}

Result<std::optional<gid_t>> GroupOf(const std::string& name) {
  if (name.empty()) return std::nullopt;
  group entry{};
  group* found = nullptr;
  std::vector<char> buffer(1u << 16);
  const int error = getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (error == 0 && found != nullptr) return found->gr_gid;
  return Fail(ErrorCode::kListen,
              fmt::format("Expected a group for the Unix socket but found none named '{}'", name));
}

}  // namespace

ListeningSocket::ListeningSocket(ListeningSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(std::exchange(other.path_, {})),
      device_(other.device_),
      inode_(other.inode_) {}

Result<ListeningSocket> ListeningSocket::Bind(const Address& address,
                                              const ListenOptions& options) {
  if (address.is_unix()) return BindUnix(address.path, options);
  std::vector<SocketAddress> candidates;
  if (address.host.empty()) {
    candidates = Everywhere(address.port);
  } else {
    auto resolved = Resolve(address);
    if (!resolved) return std::unexpected(std::move(resolved).error());
    candidates = *std::move(resolved);
  }
  Result<ListeningSocket> bound = CannotListen(Text(address), EADDRNOTAVAIL);
  for (const SocketAddress& candidate : candidates) {
    int error = 0;
    auto next = BindTcp(address, candidate, error);
    if (next) return next;
    bound = std::unexpected(std::move(next).error());
    // A port that somebody has is no reason to take another family's.
    if (error == EADDRINUSE) break;
  }
  return std::unexpected(std::move(bound).error());
}

Result<ListeningSocket> ListeningSocket::BindTcp(const Address& address, const SocketAddress& to,
                                                 int& error) {
  ListeningSocket made(::socket(to.family(), kSocketFlags, 0));
  if (made.fd_ < 0) return CannotListen(Text(address), error = errno);
  const int on = 1;
  const int off = 0;
  ::setsockopt(made.fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  // "::" means both families only where nobody named it.
  if (to.family() == AF_INET6)
    ::setsockopt(made.fd_, IPPROTO_IPV6, IPV6_V6ONLY, address.host.empty() ? &off : &on,
                 sizeof(on));
  if (::bind(made.fd_, to.get(), to.length) != 0 || ::listen(made.fd_, kListenBacklog) != 0)
    return CannotListen(Text(address), error = errno);
  return made;
}

Result<ListeningSocket> ListeningSocket::BindUnix(const std::string& path,
                                                  const ListenOptions& options) {
  const auto address = UnixAddress(path);
  if (!address) return std::unexpected(address.error());
  const auto group = GroupOf(options.unix_group);
  if (!group) return std::unexpected(group.error());
  STELE_RETURN_IF_ERROR(RemoveStale(path, *address));
  const std::string where = "unix:" + path;
  ListeningSocket made(::socket(AF_UNIX, kSocketFlags, 0));
  if (made.fd_ < 0 || ::bind(made.fd_, address->get(), address->length) != 0)
    return CannotListen(where, errno);
  struct stat bound{};
  if (::lstat(path.c_str(), &bound) != 0) return CannotListen(where, errno);
  made.path_ = path;
  made.device_ = bound.st_dev;
  made.inode_ = bound.st_ino;
  // Before it listens: nobody who may not can connect in between.
  if (*group && ::chown(path.c_str(), static_cast<uid_t>(-1), **group) != 0)
    return CannotListen(where, errno);
  if (::chmod(path.c_str(), *group ? 0660 : 0600) != 0 || ::listen(made.fd_, kListenBacklog) != 0)
    return CannotListen(where, errno);
  return made;
}

SocketAddress ListeningSocket::address() const {
  SocketAddress found;
  found.length = sizeof(found.storage);
  if (::getsockname(fd_, found.get(), &found.length) != 0) found.length = 0;
  return found;
}

void ListeningSocket::Close() {
  if (fd_ < 0) return;
  if (is_unix()) {
    struct stat found{};
    if (::lstat(path_.c_str(), &found) == 0 && found.st_dev == device_ && found.st_ino == inode_)
      ::unlink(path_.c_str());
  }
  ::close(std::exchange(fd_, -1));
}

}  // namespace stele::server
