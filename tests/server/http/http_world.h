// A service, a clock that stands still until it is moved, and clients that speak bytes.
#pragma once

#include <kj/async-io.h>
#include <kj/timer.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "server/http/service.h"

namespace stele::server::http {

struct Received {
  int status = 0;
  Headers headers;
  std::string body;  // without chunks
  bool cut = false;  // the connection ended within it
  Value json() const { return ParseJson(body).value_or(Value("no JSON")); }
};

// One client on one connection. What it sends is taken as fast as the service reads.
class WireClient {
 public:
  WireClient(kj::Own<kj::AsyncIoStream> stream, kj::WaitScope& scope)
      : stream_(kj::mv(stream)), scope_(scope), sending_(kj::READY_NOW) {}

  void Send(std::string bytes);
  // The next response. Without one, kj fails the test: nothing would ever come.
  Received Receive(bool to_head = false);
  Received Ask(std::string bytes) {
    Send(std::move(bytes));
    return Receive();
  }
  // What there is to read now; empty when there is nothing.
  std::string ReadSome();
  // Reads until those bytes have come; what came up to their end.
  std::string ReadUntil(std::string_view wanted);
  // Whether the service has closed the connection.
  bool IsClosed();
  void HalfClose() { stream_->shutdownWrite(); }
  void WaitUntilSent();
  // Everything that was to be sent has been taken; the service takes no more.
  bool has_sent() const { return to_send_ == 0; }
  bool is_cut_off() const { return cut_off_; }

 private:
  bool Fill();
  std::string Take(size_t size);

  kj::Own<kj::AsyncIoStream> stream_;
  kj::WaitScope& scope_;
  kj::Promise<void> sending_;
  size_t to_send_ = 0;
  bool cut_off_ = false;
  std::string read_;
};

class HttpWorld {
 public:
  HttpWorld();
  ~HttpWorld() noexcept;

  // The service is made with the first connection: settings and routes come before it.
  Router router;
  ServiceSettings settings;
  struct Access {
    std::string method, route, path, source, id;
    int status;
    uint64_t bytes_in, bytes_out;
    int64_t duration_us;
  };
  std::vector<Access> accesses;
  std::vector<std::string> problems;

  void Get(std::string_view pattern, Response (*answer)(Request&), RouteOptions options = {});
  void Post(std::string_view pattern, Response (*answer)(Request&), RouteOptions options = {});
  void Add(Method method, std::string_view pattern, Handler handler, RouteOptions options = {}) {
    router.Add(method, pattern, std::move(handler), std::move(options));
  }

  Service& service();
  // Over a pipe without a buffer, or over `ends`.
  std::unique_ptr<WireClient> Connect();
  std::unique_ptr<WireClient> Connect(kj::TwoWayPipe ends);
  kj::Own<kj::AsyncIoStream> ConnectStream();
  // "GET /path", with lines of more fields, on a connection of its own.
  Received Ask(std::string_view head, std::string_view fields = "", std::string_view body = "");

  void Pass(kj::Duration time);
  void Run() { scope.poll(); }
  kj::Timer& timer() { return timer_; }

 private:
  kj::TimerImpl timer_;
  kj::EventLoop loop_;

 public:
  kj::WaitScope scope;

 private:
  std::unique_ptr<Service> service_;
  std::vector<kj::Promise<void>> connections_;
};

// A request's bytes, with Host and the body's length.
std::string Wire(std::string_view head, std::string_view fields = "", std::string_view body = "");

}  // namespace stele::server::http
