// A socket that listens: found by an address, bound, and a Unix socket's file looked after.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/error.h"
#include "server/loop/address.h"

namespace stele::server {

struct ListenOptions;

// The descriptor, and the file of a Unix socket. No loop is needed.
class ListeningSocket {
 public:
  // Blocks while a host's name is looked up. Errors: kListen.
  static Result<ListeningSocket> Bind(const Address& address, const ListenOptions& options);

  ListeningSocket(ListeningSocket&& other) noexcept;
  ListeningSocket& operator=(ListeningSocket&&) = delete;
  ~ListeningSocket() { Close(); }

  // -1 once closed.
  int fd() const { return fd_; }
  bool is_unix() const { return !path_.empty(); }
  // As bound, with the port that a port of 0 came to.
  SocketAddress address() const;
  // Peers that the kernel had not handed out are refused, and a Unix socket's file is removed
  // unless it has become somebody else's.
  void Close();

 private:
  explicit ListeningSocket(int fd) : fd_(fd) {}

  int fd_;
  std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;

  static Result<ListeningSocket> BindUnix(const std::string& path, const ListenOptions& options);
  // `error` is the system's when it fails.
  static Result<ListeningSocket> BindTcp(const Address& address, const SocketAddress& to,
                                         int& error);
};

}  // namespace stele::server
