// Load on a server: connections of its native interface, each with calls that follow each other
// without waiting (pipelining).
//
// Thread: the one that made it, which has the loop; no other loop of KJ's may be there.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "cli/load/load.h"
#include "cli/load/work.h"
#include "projections/histogram.h"

namespace stele::load {

// A server, and who asks it.
struct ServerAddress {
  std::string address;
  std::string token;  // empty: nobody in particular
  bool tls = false;
  std::string ca_file;  // of TLS, in PEM; empty: the system's
  std::string certificate_file;
  std::string key_file;
};

// How one event came to all that follow.
struct Delivered {
  size_t followers = 0;
  projections::Histogram latencies_us;  // from the start of an instance to each, of its end
};

class Clients {
 public:
  // `stop` is asked now and then: true gives up, and ends a load.
  static Result<std::unique_ptr<Clients>> Connect(const ServerAddress& server, size_t connections,
                                                  std::function<bool()> stop);
  ~Clients();
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  // The server's process, when it is on this machine and listens on a Unix socket.
  std::optional<pid_t> server_process() const;

  Status Prepare(const Work& work);
  // Until `load` is over, whose outcome it has.
  void Run(const Work& work, Load& load);

  // More connections, which do nothing as yet.
  Status Grow(size_t connections);
  // Each connection follows the events of the definition of `work`, from now on.
  Status Follow(const Work& work);
  // Starts an instance and waits until all have been told of its end.
  Result<Delivered> Deliver(const Work& work);
  // Lets what is under way come to rest.
  void Settle();

 private:
  struct Parts;
  class Runner;
  Clients(const ServerAddress& server, std::function<bool()> stop);

  std::unique_ptr<Parts> parts_;
};

}  // namespace stele::load
