// What the process tells the service manager that has started it: the protocol of sd_notify(3),
// datagrams to the socket that NOTIFY_SOCKET names. Written out here, since it is a call of the
// kernel's; libsystemd would be a library with what it needs for that.
//
// Thread: the main one; made before there are others.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/error.h"

namespace stele::cli {

class Supervisor {
 public:
  // Takes the variables out of the environment: what this process starts does not speak for it.
  // kConfiguration when they are none that the protocol has; without them nobody is told anything.
  static Result<Supervisor> FromEnvironment();
  Supervisor(Supervisor&&) noexcept;
  Supervisor& operator=(Supervisor&&) noexcept;
  ~Supervisor();

  // "READY=1", "STATUS=…"; assignments with line feeds between. What cannot be sent is lost.
  void Tell(std::string_view assignments) const;
  // How often "WATCHDOG=1" is expected at least; 0: not at all.
  int64_t watchdog_us() const { return watchdog_us_; }

 private:
  class Socket;
  Supervisor(std::unique_ptr<Socket> socket, int64_t watchdog_us);

  std::unique_ptr<Socket> socket_;  // null: nobody is there
  int64_t watchdog_us_ = 0;
};

}  // namespace stele::cli
