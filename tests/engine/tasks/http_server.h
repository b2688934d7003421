// An HTTP/1.1 server on 127.0.0.1 and a port of the system's choice, on threads of its own; plain
// or with TLS and a certificate made for this run. What it answers is a function of the request.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace stele::tasks {

class HttpServer {
 public:
  struct Request {
    std::string method;
    std::string target;
    std::map<std::string, std::string> headers;  // names in lower case
    std::string body = {};
  };
  struct Response {
    int status = 200;
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::string body = {};
    bool reset = false;    // break the connection instead
    bool silent = false;   // no answer until the other side hangs up
    bool endless = false;  // a body without end
  };
  // Called on the server's threads, one request at a time.
  using Handler = std::function<Response(const Request&)>;

  enum class Transport { kPlain, kTls };
  explicit HttpServer(Handler handler, Transport transport = Transport::kPlain);
  ~HttpServer();

  // "http://127.0.0.1:1234" and the target.
  std::string Url(std::string_view target) const;
  // What came in so far.
  std::vector<Request> requests() const;
  // How often the other side ended a connection that waited for a silent answer.
  int hang_ups() const { return hang_ups_; }
  // The certificate that the server shows, PEM.
  const std::string& certificate() const { return certificate_; }

 private:
  class Connection;
  struct TlsContext;
  void Accept();
  void Serve(int socket);
  bool Answer(Connection& connection, const Response& response);

  Handler handler_;
  std::string certificate_;
  std::unique_ptr<TlsContext> tls_;
  int listener_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<Request> requests_;
  std::vector<int> open_;  // sockets to shut down at the end
  std::vector<std::thread> threads_;
  std::thread acceptor_;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> hang_ups_ = 0;
};

// A port of 127.0.0.1 that nobody listens on.
int ClosedPort();

}  // namespace stele::tasks
