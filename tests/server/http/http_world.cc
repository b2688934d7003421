#include "tests/server/http/http_world.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace stele::server::http {

void WireClient::Send(std::string bytes) {
  auto held = kj::heap<std::string>(std::move(bytes));
  ++to_send_;
  sending_ =
      sending_.then([this, &bytes = *held]() { return stream_->write(bytes.data(), bytes.size()); })
          .attach(kj::mv(held))
          .then([this]() { --to_send_; }, [this](kj::Exception&&) { cut_off_ = true; })
          .eagerlyEvaluate(nullptr);
}

void WireClient::WaitUntilSent() {
  sending_.wait(scope_);
  sending_ = kj::READY_NOW;
}

bool WireClient::Fill() {
  std::array<char, 4096> piece;
  size_t size = 0;
  // A reset is an end, too.
  KJ_IF_MAYBE (fault, kj::runCatchingExceptions([&]() {
                 size = stream_->tryRead(piece.data(), 1, piece.size()).wait(scope_);
               })) {
    if (fault->getType() != kj::Exception::Type::DISCONNECTED)
      kj::throwFatalException(kj::mv(*fault));
  }
  read_.append(piece.data(), size);
  return size > 0;
}

std::string WireClient::Take(size_t size) {
  std::string taken = read_.substr(0, size);
  read_.erase(0, size);
  return taken;
}

std::string WireClient::ReadUntil(std::string_view wanted) {
  while (!read_.contains(wanted))
    if (!Fill()) return Take(read_.size());
  return Take(read_.find(wanted) + wanted.size());
}

Received WireClient::Receive(bool to_head) {
  const std::string head = ReadUntil("\r\n\r\n");
  Received received;
  if (head.size() < 12) {
    received.cut = true;
    return received;
  }
  std::from_chars(head.data() + 9, head.data() + 12, received.status);
  for (size_t at = head.find("\r\n") + 2; at + 2 < head.size();) {
    const size_t end = head.find("\r\n", at), colon = head.find(": ", at);
    received.headers.Add(head.substr(at, colon - at), head.substr(colon + 2, end - colon - 2));
    at = end + 2;
  }
  if (to_head || received.status == 204 || received.status == 304 || received.status < 200)
    return received;
  if (received.headers.Get("Transfer-Encoding") == "chunked") {
    while (true) {
      const std::string line = ReadUntil("\r\n");
      size_t size = 0;
      std::from_chars(line.data(), line.data() + line.size(), size, 16);
      received.cut = !line.ends_with("\r\n");
      while (!received.cut && read_.size() < size + 2) received.cut = !Fill();
      received.body += Take(size);
      Take(2);
      if (size == 0 || received.cut) return received;
    }
  }
  const std::string length(received.headers.Get("Content-Length"));
  const size_t size = std::stoul(length.empty() ? "0" : length);
  while (!received.cut && read_.size() < size) received.cut = !Fill();
  received.body = Take(size);
  return received;
}

std::string WireClient::ReadSome() {
  std::array<char, 65536> piece;
  auto reading = stream_->tryRead(piece.data(), 1, piece.size());
  if (reading.poll(scope_)) read_.append(piece.data(), reading.wait(scope_));
  return Take(read_.size());
}

bool WireClient::IsClosed() {
  std::array<char, 4096> piece;
  // A reset is thrown at once.
  auto reading = kj::evalNow([&]() {
                   return stream_->tryRead(piece.data(), 1, piece.size());
                 }).catch_([](kj::Exception&& fault) -> kj::Promise<size_t> {
    if (fault.getType() == kj::Exception::Type::DISCONNECTED) return size_t{0};
    return kj::mv(fault);
  });
  if (!reading.poll(scope_)) return false;
  const size_t size = reading.wait(scope_);
  read_.append(piece.data(), size);
  return size == 0;
}

HttpWorld::HttpWorld() : timer_(kj::origin<kj::TimePoint>()), scope(loop_) {}
HttpWorld::~HttpWorld() noexcept {
  connections_.clear();
}

void HttpWorld::Get(std::string_view pattern, Response (*answer)(Request&), RouteOptions options) {
  Add(
      Method::kGet, pattern, [answer](Request& r) -> kj::Promise<Response> { return answer(r); },
      std::move(options));
}

void HttpWorld::Post(std::string_view pattern, Response (*answer)(Request&), RouteOptions options) {
  Add(
      Method::kPost, pattern, [answer](Request& r) -> kj::Promise<Response> { return answer(r); },
      std::move(options));
}

Service& HttpWorld::service() {
  if (service_ == nullptr)
    service_ = std::make_unique<Service>(
        timer_, router, settings,
        ServiceHooks{[this](const AccessRecord& r) {
                       accesses.push_back({std::string(r.method), std::string(r.route),
                                           std::string(r.path), std::string(r.source),
                                           std::string(r.id), r.status, r.bytes_in, r.bytes_out,
                                           r.duration_us});
                     },
                     [this](std::string_view id, std::string_view what) {
                       problems.push_back(fmt::format("{}: {}", id, what));
                     }});
  return *service_;
}

std::unique_ptr<WireClient> HttpWorld::Connect() {
  return Connect(kj::newTwoWayPipe());
}

std::unique_ptr<WireClient> HttpWorld::Connect(kj::TwoWayPipe ends) {
  connections_.push_back(service()
                             .Serve(kj::mv(ends.ends[0]), "192.0.2.7")
                             .catch_([](kj::Exception&&) {})
                             .eagerlyEvaluate(nullptr));
  return std::make_unique<WireClient>(kj::mv(ends.ends[1]), scope);
}

kj::Own<kj::AsyncIoStream> HttpWorld::ConnectStream() {
  kj::TwoWayPipe ends = kj::newTwoWayPipe();
  connections_.push_back(service()
                             .Serve(kj::mv(ends.ends[0]), "192.0.2.7")
                             .catch_([](kj::Exception&&) {})
                             .eagerlyEvaluate(nullptr));
  return kj::mv(ends.ends[1]);
}

Received HttpWorld::Ask(std::string_view head, std::string_view fields, std::string_view body) {
  const auto client = Connect();
  client->Send(Wire(head, fields, body));
  Received received = client->Receive(head.starts_with("HEAD "));
  Run();
  return received;
}

void HttpWorld::Pass(kj::Duration time) {
  scope.poll();
  timer_.advanceTo(timer_.now() + time);
  scope.poll();
}

std::string Wire(std::string_view head, std::string_view fields, std::string_view body) {
  std::string length;
  if (!body.empty()) length = fmt::format("Content-Length: {}\r\n", body.size());
  return fmt::format("{} HTTP/1.1\r\nHost: here.example\r\n{}{}\r\n{}", head, fields, length, body);
}

}  // namespace stele::server::http
