#include "server/rpc/call_meter.h"

namespace stele::server::rpc {

namespace {

constexpr uint32_t kUnknownMethod = UINT32_MAX;

// "Instances.start"; "unknown" when there is no such method.
std::string NameOf(capnp::InterfaceSchema schema, uint64_t interface, uint32_t method) {
  KJ_IF_MAYBE (found, schema.findSuperclass(interface)) {
    const auto methods = found->getMethods();
    if (method >= methods.size()) return "unknown";
    const std::string_view file_and_name = found->getProto().getDisplayName().cStr();
    std::string name(file_and_name.substr(file_and_name.rfind(':') + 1));
    return name.append(".").append(methods[method].getProto().getName().cStr());
  }
  return "unknown";
}

}  // namespace

CallMeter::Method& CallMeter::Find(capnp::InterfaceSchema schema, uint64_t interface,
                                   uint16_t method) {
  if (const auto found = methods_.find({interface, method}); found != methods_.end())
    return *found->second;
  std::string name = NameOf(schema, interface, method);
  const bool known = name != "unknown";
  const auto key = known ? std::pair(interface, uint32_t{method}) : std::pair(0ul, kUnknownMethod);
  std::unique_ptr<Method>& place = methods_[key];
  if (place == nullptr) {
    place = std::make_unique<Method>();
    place->name = std::move(name);
  }
  return *place;
}

std::map<std::string, CallFigures> CallMeter::Read() const {
  std::map<std::string, CallFigures> figures;
  for (const auto& [key, method] : methods_)
    figures[method->name] = {.results = method->results, .us = method->us.Read()};
  return figures;
}

// A call that is under way. Counted when it is answered, or when it goes without an answer: so a
// refusal is passed on as it is, and not caught, which would cost as much as the call.
class CallMeter::UnderWay {
 public:
  UnderWay(const kj::Timer& timer, Method& method)
      : timer_(timer), method_(&method), begun_(timer.now()) {}
  UnderWay(UnderWay&& other) noexcept
      : timer_(other.timer_),
        method_(std::exchange(other.method_, nullptr)),
        begun_(other.begun_) {}
  UnderWay& operator=(UnderWay&&) = delete;
  ~UnderWay() { Count(1); }

  void operator()() { Count(0); }

 private:
  void Count(size_t result) {
    Method* const method = std::exchange(method_, nullptr);
    if (method == nullptr) return;
    ++method->results[result];
    method->us.Add(static_cast<uint64_t>((timer_.now() - begun_) / kj::MICROSECONDS));
  }

  const kj::Timer& timer_;
  Method* method_;  // null: it was counted, or moved from
  kj::TimePoint begun_;
};

kj::Promise<void> CallMeter::Watch(kj::Promise<void> call, Method& method) {
  return call.then(UnderWay(timer_, method));
}

}  // namespace stele::server::rpc
