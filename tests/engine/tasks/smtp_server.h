// A real mail server (python3-aiosmtpd, smtp_server.py) on a free port of 127.0.0.1, in a process
// that ends with this.
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "task_harness.h"

namespace stele::tasks {

class TestSmtpServer {
 public:
  explicit TestSmtpServer(std::vector<std::string> options = {});
  ~TestSmtpServer();

  // "smtp://127.0.0.1:1234"
  std::string Url(std::string_view scheme = "smtp") const;
  // The file of the certificate that it shows.
  const std::string& certificate() const { return certificate_; }
  // The next mail or event, as smtp_server.py describes them. Waits for it.
  Value Next();

 private:
  TemporaryDirectory directory_;
  pid_t process_ = -1;
  int input_ = -1;              // closed: the server ends
  std::FILE* lines_ = nullptr;  // what the server prints
  int64_t port_ = 0;
  std::string certificate_;
};

}  // namespace stele::tasks
