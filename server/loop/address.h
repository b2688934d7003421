// Addresses of servers as people write them, and as sockets have them.
//
//   HOST:PORT   127.0.0.1:7070, example.org:7070
//   [IPv6]:PORT [::1]:7070
//   :PORT PORT  every address of this machine for a server, this machine for a client
//   unix:PATH   a Unix socket
#pragma once

#include <kj/async-io.h>
#include <netdb.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace stele::server {

struct Address {
  std::string host;  // without brackets; empty: none was given
  uint16_t port = 0;
  std::string path;  // of a Unix socket; empty: TCP

  bool is_unix() const { return !path.empty(); }
  bool operator==(const Address&) const = default;
};

// An address that a system call takes.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
};

// ErrorCode::kListen, with what was found, for a text of none of these forms.
Result<Address> ParseAddress(std::string_view text);

// "127.0.0.1:7070", "[::1]:7070", "unix:/run/stele.sock", "unix:" for a socket without a name.
std::string Text(const SocketAddress& address);

// The Unix address of `path`; kListen when the path is too long for one.
Result<SocketAddress> UnixAddress(const std::string& path);

// What `addrinfo` lists, in its order.
std::vector<SocketAddress> SocketAddresses(const addrinfo* first);

// Who is at the other end of a stream: an address as Text has it, or "unknown" for a stream that is
// no socket. A stream inside TLS answers as its socket does.
std::string PeerAddress(kj::AsyncIoStream& stream);

}  // namespace stele::server
