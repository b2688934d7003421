// How often each method was called, what came of it, and how long it took.
//
//     kj::heap<Measured<InstancesServer>>(meter, access)
//
// Thread: the loop's.
#pragma once

#include <capnp/capability.h>
#include <capnp/schema.h>
#include <kj/async.h>
#include <kj/timer.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "eventstore/doubling_counts.h"

namespace stele::server::rpc {

// "failed": refused, broken, or given up by whoever made it.
inline constexpr std::array<std::string_view, 2> kCallResults = {"ok", "failed"};

struct CallFigures {
  std::array<uint64_t, kCallResults.size()> results{};
  eventstore::DoublingCounts::Reading us;
};

class CallMeter {
 public:
  struct Method {
    std::string name;  // "Instances.start"
    std::array<uint64_t, kCallResults.size()> results{};
    eventstore::DoublingCounts us;
  };

  // REQUIRES: it outlives this.
  explicit CallMeter(const kj::Timer& timer) : timer_(timer) {}
  CallMeter(const CallMeter&) = delete;
  CallMeter& operator=(const CallMeter&) = delete;

  // Methods that this program does not have are one, whatever their numbers.
  Method& Find(capnp::InterfaceSchema schema, uint64_t interface, uint16_t method);
  // The same promise; what it comes to is counted.
  kj::Promise<void> Watch(kj::Promise<void> call, Method& method);

  // By the method's name.
  std::map<std::string, CallFigures> Read() const;

 private:
  class UnderWay;

  const kj::Timer& timer_;
  std::map<std::pair<uint64_t, uint32_t>, std::unique_ptr<Method>> methods_;
};

// A server of an interface whose calls are counted.
template <class Server>
class Measured final : public Server {
 public:
  // `meter` may be null. REQUIRES: it outlives this, and the calls.
  template <class... Arguments>
  explicit Measured(CallMeter* meter, Arguments&&... arguments)
      : Server(std::forward<Arguments>(arguments)...), meter_(meter) {}

  capnp::Capability::Server::DispatchCallResult dispatchCall(
      uint64_t interface, uint16_t method,
      capnp::CallContext<capnp::AnyPointer, capnp::AnyPointer> context) override {
    auto result = Server::dispatchCall(interface, method, context);
    if (meter_ == nullptr) return result;
    CallMeter::Method& called =
        meter_->Find(capnp::Schema::from<typename Server::Serves>(), interface, method);
    result.promise = meter_->Watch(kj::mv(result.promise), called);
    return result;
  }

 private:
  CallMeter* const meter_;
};

}  // namespace stele::server::rpc
