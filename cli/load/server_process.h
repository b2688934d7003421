// A `stele serve` of a measurement's own, on a data directory, open to this machine alone.
//
// Thread: one.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"

namespace stele::load {

class ServerProcess {
 public:
  // `program`: the path of `stele`. `left_out`: variables of the environment that the server does
  // not get. Returns when it listens. kUnreachable: it has ended before that; what it said.
  static Result<std::unique_ptr<ServerProcess>> Start(const std::string& program,
                                                      const std::string& data,
                                                      const std::vector<std::string>& left_out);
  // Has it stop in order, and waits for that.
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  pid_t id() const { return id_; }
  // Of its RPC.
  const std::string& address() const { return address_; }

 private:
  explicit ServerProcess(pid_t id) : id_(id) {}

  const pid_t id_;
  std::string address_;
};

}  // namespace stele::load
