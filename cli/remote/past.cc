// An instance's past at a server: past/past.h.
#include "cli/past/past.h"

#include <fmt/format.h>

#include "base/json.h"
#include "cli/remote/remote.h"
#include "server/rpc/text.h"

namespace stele::cli {

namespace {

class RemotePast final : public Past {
 public:
  RemotePast(std::unique_ptr<Remote> server, InstanceId instance)
      : server_(std::move(server)), instance_(instance) {}

  Result<Value> State(const replay::When& when) override {
    auto request = Instance().stateAtRequest();
    Put(when, request.initMoment());
    return Read(request.send(), [](auto& answer) { return answer.getState(); });
  }
  Result<Value> Difference(const replay::When& from, const replay::When& to) override {
    auto request = Instance().diffRequest();
    Put(from, request.initFrom());
    Put(to, request.initTo());
    return Read(request.send(), [](auto& answer) { return answer.getDiff(); });
  }
  Result<Value> Bisection(std::string_view expression, bool exact) override {
    auto request = Instance().bisectRequest();
    request.setExpression(server::rpc::TextOf(std::string(expression)));
    request.setExact(exact);
    return Read(request.send(), [](auto& answer) { return answer.getFound(); });
  }
  Result<Value> Timeline(size_t limit) override {
    auto request = Instance().timelineRequest();
    request.setLimit(static_cast<uint32_t>(limit));
    return Read(request.send(), [](auto& answer) { return answer.getTimeline(); });
  }

 private:
  api::Instance::Client Instance() {
    auto get = server_->session().instancesRequest().send().getInstances().getRequest();
    get.setId(instance_.value);
    return get.send().getInstance();
  }
  // Neither: now, which is a seq of 0 there.
  static void Put(const replay::When& when, api::Moment::Builder to) {
    if (when.time) {
      to.setTime(when.time.value);
    } else {
      to.setSeq(when.seq.value);
    }
  }
  template <class Promise, class Get>
  Result<Value> Read(Promise promise, Get get) {
    auto answer = server_->Wait(kj::mv(promise));
    if (!answer.has_value()) return std::unexpected(answer.error());
    const auto text = get(*answer);
    auto document = ParseJson({text.begin(), text.size()}, nullptr, kWrittenJson);
    if (document.has_value()) return document;
    return Fail(ErrorCode::kUnreachable, fmt::format("Expected JSON from the server but found: {}",
                                                     document.error().message));
  }

  const std::unique_ptr<Remote> server_;
  const InstanceId instance_;
};

}  // namespace

Result<std::unique_ptr<Past>> OpenPastAtServer(const Arguments& arguments, InstanceId instance) {
  auto server = Remote::Open(arguments);
  if (!server.has_value()) return std::unexpected(server.error());
  return std::make_unique<RemotePast>(*std::move(server), instance);
}

}  // namespace stele::cli
