// A PostgreSQL server of the test's own, from the system's package: its data in a temporary
// directory, a socket there, a free port of the loopback. It ends with this, or with the test.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

namespace stele::tasks {

class PostgresServer {
 public:
  // Null when it cannot run here; `why_not` then says why.
  static std::unique_ptr<PostgresServer> Start(std::string& why_not);
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  // The user stele, the database postgres, over TCP with a password.
  std::string url(const std::string& host = "127.0.0.1") const;
  // Over the socket, without one.
  std::string socket_url() const;
  static constexpr const char* kPassword = "kept:secret/4711";

  // As a crash does: every connection is lost.
  void Kill();
  // Once more on the same data and port.
  bool Restart();

 private:
  PostgresServer() = default;
  bool MakeCluster(const std::string& programs, std::string& why_not);
  bool Launch(std::string& why_not);

  std::string program_;
  std::string directory_;
  int port_ = 0;
  pid_t pid_ = -1;
  int log_ = -1;  // what it prints
  std::string printed_;
};

}  // namespace stele::tasks
