// Mails on a libuv loop. libcurl finds the server, connects, speaks TLS and authenticates; handing
// the mail over is smtp_dialogue.h, because libcurl waits for the replies to a mail and to QUIT
// without coming back to the loop. A connection a mail: servers of mail close idle ones soon.
//
// Thread: the loop's. After the client is destroyed the loop has to run until it has nothing to do.
#pragma once

#include <uv.h>

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/tasks/curl_loop.h"
#include "engine/tasks/executor.h"

namespace stele::tasks {

struct SmtpServer {
  bool implicit_tls = false;  // smtps
  std::string host;           // an IPv6 address without its brackets
  int port = 0;

  // "smtp://mail.example.org:587"
  std::string Url() const;
  bool IsLoopback() const;
};

// "smtp://host:port" or "smtps://host:port"; without a port 587, or 465 for smtps (RFC 8314).
Result<SmtpServer> ParseSmtpServer(const std::string& url);

class SmtpClient {
 public:
  struct Request {
    SmtpServer server;
    bool require_starttls = false;  // on a connection that is not TLS from its start
    std::string ca_file;            // empty: the system's
    std::string username;           // empty: no authentication
    std::string password;
    std::string from;  // addresses
    std::vector<std::string> recipients;
    std::string message;  // with CRLF line ends
    int64_t timeout_us = 0;
  };
  // Failures: "smtp" (details: code, reply), "connect", "timeout", "tls", "config".
  using Done = std::function<void(std::expected<std::string, TaskFailure>)>;

  explicit SmtpClient(uv_loop_t* loop);
  // Drops what is under way; nobody is told.
  ~SmtpClient();
  SmtpClient(const SmtpClient&) = delete;
  SmtpClient& operator=(const SmtpClient&) = delete;

  // All recipients or none: one that is refused fails the mail. `done` gets the server's last
  // reply, comes from the loop, never before Send returns, and must not destroy the client.
  uint64_t Send(Request request, Done done);
  // Closes the connection; `done` is never called. Unknown ids are passed over.
  void Cancel(uint64_t id);

 private:
  struct Transfer;
  struct Callbacks;  // what libcurl and the loop call

  void OnConnected(Transfer& transfer, int code);
  // Sends and receives what is possible now.
  void Pump(Transfer& transfer);
  // False when the connection is broken.
  bool SendPending(Transfer& transfer);
  void Finish(Transfer& transfer, std::expected<std::string, TaskFailure> outcome);

  uv_loop_t* uv_loop_;
  CurlLoop loop_;
  std::map<uint64_t, std::unique_ptr<Transfer>> transfers_;
  uint64_t next_id_ = 1;
};

}  // namespace stele::tasks
