#include "server/edge/doors.h"

#include "server/auth/source.h"

namespace stele::server {

namespace {

// Without the port, which is another one for each connection: what is counted by address is counted
// by this.
std::string HostOf(const std::string& address) {
  if (address.starts_with("unix:")) return "unix";
  const std::string host = address.substr(0, address.rfind(':'));
  return host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
}

}  // namespace

Status Doors::Listen(const std::vector<std::string>& addresses) {
  for (const std::string& address : addresses) {
    auto listener = server::Listen(loop_, address, options_);
    if (!listener.has_value()) return std::unexpected(listener.error());
    listeners_.push_back(*std::move(listener));
  }
  return {};
}

void Doors::Begin() {
  for (auto& listener : listeners_)
    accepting_.push_back(AcceptNext(*listener).eagerlyEvaluate([](kj::Exception&&) {}));
}

std::vector<std::string> Doors::addresses() const {
  std::vector<std::string> bound;
  for (const auto& listener : listeners_) bound.push_back(listener->address());
  return bound;
}

size_t Doors::connections() const {
  size_t count = 0;
  for (const auto& listener : listeners_) count += listener->connections();
  return count;
}

void Doors::Close() {
  accepting_.clear();
  for (auto& listener : listeners_) listener->Close();
}

kj::Promise<void> Doors::AcceptNext(Listener& listener) {
  return listener.AcceptSocket().then([this, &listener](AcceptedSocket socket) {
    tasks_->add(ServeOne(std::move(socket)));
    return AcceptNext(listener);
  });
}

kj::Promise<void> Doors::ServeOne(AcceptedSocket socket) {
  return loops_
      .Open(std::move(socket), options_.peer_end, tls_ == nullptr ? nullptr : tls_->Acceptor())
      .then([this](Arrival arrival) {
        return serve_(kj::mv(arrival.stream), SourceOf(HostOf(arrival.peer), arrival.common_name));
      });
}

}  // namespace stele::server
