#include "server/loop/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <kj/exception.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <charconv>
#include <cstddef>
#include <cstring>
#include <optional>

namespace stele::server {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";

std::unexpected<Error> BadAddress(std::string_view text, std::string_view why) {
  return Fail(ErrorCode::kListen,
              fmt::format("Expected an address (HOST:PORT, [IPv6]:PORT, :PORT, PORT or unix:PATH) "
                          "but found '{}': {}",
                          text, why));
}

std::optional<uint16_t> ParsePort(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

}  // namespace

Result<Address> ParseAddress(std::string_view text) {
  Address address;
  if (text.starts_with(kUnixPrefix)) {
    address.path = text.substr(kUnixPrefix.size());
    if (address.path.empty()) return BadAddress(text, "the path is missing");
    if (address.path.find('\0') != std::string::npos) return BadAddress(text, "the path has a NUL");
    if (auto known = UnixAddress(address.path); !known)
      return std::unexpected(std::move(known).error());
    return address;
  }
  std::string_view port = text;
  if (text.starts_with('[')) {
    const size_t end = text.find("]:");
    if (end == std::string_view::npos) return BadAddress(text, "']:' and a port are missing");
    address.host = text.substr(1, end - 1);
    port = text.substr(end + 2);
    in6_addr ignored;
    if (inet_pton(AF_INET6, address.host.c_str(), &ignored) != 1)
      return BadAddress(text, "no IPv6 address is in the brackets");
  } else if (const size_t colon = text.rfind(':'); colon != std::string_view::npos) {
    address.host = text.substr(0, colon);
    port = text.substr(colon + 1);
    if (address.host.find(':') != std::string::npos)
      return BadAddress(text, "an IPv6 address stands in brackets");
    if (address.host.find_first_of(std::string_view(" \t\n\0/@", 6)) != std::string::npos)
      return BadAddress(text, "the host is no name and no address");
  }
  const auto number = ParsePort(port);
  if (!number) return BadAddress(text, "the port is no number from 0 to 65535");
  address.port = *number;
  return address;
}

Result<SocketAddress> UnixAddress(const std::string& path) {
  SocketAddress address;
  auto* un = reinterpret_cast<sockaddr_un*>(&address.storage);
  if (path.size() >= sizeof(un->sun_path))
    return Fail(
        ErrorCode::kListen,
        fmt::format("Expected a path of at most {} bytes for a Unix socket but found {}: {}",
                    sizeof(un->sun_path) - 1, path.size(), path));
  un->sun_family = AF_UNIX;
  std::memcpy(un->sun_path, path.data(), path.size());
  address.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return address;
}

std::string Text(const SocketAddress& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.family() == AF_INET) {
    const auto* in = reinterpret_cast<const sockaddr_in*>(&address.storage);
    inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
    return fmt::format("{}:{}", text, ntohs(in->sin_port));
  }
  if (address.family() == AF_INET6) {
    const auto* in = reinterpret_cast<const sockaddr_in6*>(&address.storage);
    // A peer of IPv4 at a socket of both kinds.
    if (IN6_IS_ADDR_V4MAPPED(&in->sin6_addr)) {
      inet_ntop(AF_INET, in->sin6_addr.s6_addr + 12, text, sizeof(text));
      return fmt::format("{}:{}", text, ntohs(in->sin6_port));
    }
    inet_ntop(AF_INET6, &in->sin6_addr, text, sizeof(text));
    return fmt::format("[{}]:{}", text, ntohs(in->sin6_port));
  }
  if (address.family() == AF_UNIX) {
    const auto* un = reinterpret_cast<const sockaddr_un*>(&address.storage);
    constexpr size_t kBefore = offsetof(sockaddr_un, sun_path);
    if (address.length <= kBefore) return std::string(kUnixPrefix);
    return fmt::format(
        "{}{}", kUnixPrefix,
        std::string_view(un->sun_path, strnlen(un->sun_path, address.length - kBefore)));
  }
  return "unknown";
}

std::vector<SocketAddress> SocketAddresses(const addrinfo* first) {
  std::vector<SocketAddress> found;
  for (const addrinfo* at = first; at != nullptr; at = at->ai_next) {
    if (at->ai_family != AF_INET && at->ai_family != AF_INET6) continue;
    SocketAddress address;
    std::memcpy(&address.storage, at->ai_addr, at->ai_addrlen);
    address.length = at->ai_addrlen;
    found.push_back(address);
  }
  return found;
}

std::string PeerAddress(kj::AsyncIoStream& stream) {
  SocketAddress address;
  auto length = static_cast<kj::uint>(sizeof(address.storage));
  KJ_IF_MAYBE (error,
               kj::runCatchingExceptions([&] { stream.getpeername(address.get(), &length); })) {
    (void)error;
    return "unknown";
  }
  address.length = length;
  return Text(address);
}

}  // namespace stele::server
