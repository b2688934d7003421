// A served engine with the native interface, and clients of it over sockets.
#pragma once

#include <capnp/rpc-twoparty.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "schemas/api.capnp.h"
#include "server/rpc/errors.h"
#include "server/rpc/limits.h"
#include "server/rpc/server.h"
#include "tests/server/support/served_world.h"

namespace stele::server::rpc {

inline constexpr char kPassword[] = "correct horse battery staple";

class RpcWorld : public testing::Test {
 protected:
  // A connection of a client's, which ends with it.
  struct Client {
    explicit Client(kj::Own<kj::AsyncIoStream> connected)
        : stream(kj::mv(connected)), rpc(*stream), gate(rpc.bootstrap().castAs<api::Gate>()) {}
    kj::Own<kj::AsyncIoStream> stream;
    capnp::TwoPartyClient rpc;
    api::Gate::Client gate;
  };

  RpcWorld() : RpcWorld(RpcOptions{.program = "stele test"}) {}
  explicit RpcWorld(RpcOptions options, ServedData place = {})
      : world_({}, std::move(place)),
        server_(std::in_place, AllOperations(), WithAlerts(std::move(options))) {}
  ~RpcWorld() override {
    client_.reset();
    for (auto& each : serving_) each = nullptr;
    server_.reset();
  }

  Operations AllOperations() {
    return {world_.desk(),        world_.instances(),         world_.definitions(),
            world_.triggers(),    world_.questions(),         world_.histories(),
            world_.events(),      world_.worker_operations(), world_.forks(),
            &world_.maintenance()};
  }

  // The raw end of a connection that the server serves; `source` as server/auth/source.h has it.
  kj::Own<kj::AsyncIoStream> Dial(std::string source = "127.0.0.1") {
    auto [ours, theirs] = world_.turns().Pair();
    ended_.push_back(false);
    serving_.push_back(server_->Serve(kj::mv(theirs), std::move(source))
                           .then([this, index = ended_.size() - 1] { ended_[index] = true; })
                           .eagerlyEvaluate(nullptr));
    return kj::mv(ours);
  }
  std::unique_ptr<Client> Connect(std::string source = "127.0.0.1") {
    return std::make_unique<Client>(Dial(std::move(source)));
  }
  // Whether the server is done with the connection that was dialled at that place.
  bool HasEnded(size_t index) const { return ended_[index]; }

  // The session of a server that asks nobody, over a connection that lasts as long as the test.
  api::Session::Client Session() {
    if (client_ == nullptr) client_ = Connect();
    return client_->gate.anonymousRequest().send().getSession();
  }
  api::Session::Client Narrowed(const std::string& role) {
    auto request = Session().narrowRequest();
    request.setRole(role);
    return request.send().getSession();
  }
  api::Instances::Client Instances() { return Session().instancesRequest().send().getInstances(); }
  api::Instance::Client Instance(uint64_t id) {
    auto request = Instances().getRequest();
    request.setId(id);
    return request.send().getInstance();
  }

  // Over another connection than the test's own.
  static api::Instance::Client InstanceOf(Client& client, uint64_t id) {
    auto request = client.gate.anonymousRequest()
                       .send()
                       .getSession()
                       .instancesRequest()
                       .send()
                       .getInstances()
                       .getRequest();
    request.setId(id);
    return request.send().getInstance();
  }
  // A type of tasks that workers do.
  void RegisterWorkerType(const std::string& name) {
    auto type = Session().definitionsRequest().send().getDefinitions().registerTypeRequest();
    type.setName(name);
    type.setDocument(R"({"schema":{},"worker":true})");
    Do(type.send());
  }

  auto Starting(const std::string& definition, const std::string& input = "") {
    auto request = Instances().startRequest();
    request.setDefinition(definition);
    if (!input.empty()) request.setInput(input);
    return request;
  }
  // The number of one that was started.
  uint64_t Started(const std::string& definition, const std::string& input = "") {
    return world_.Await(Starting(definition, input).send()).getStarted().getId();
  }

  template <class T>
  auto Await(T promise) {
    return world_.Await(kj::mv(promise));
  }
  // What the call was refused with; a failure of the test when it was not.
  template <class T>
  Error ErrorOfCall(T promise) {
    std::optional<kj::Exception> fault = world_.turns().FaultOf(kj::mv(promise));
    if (fault.has_value()) return ErrorOf(*fault);
    ADD_FAILURE() << "nothing was refused";
    return {ErrorCode::kIo, ""};
  }
  template <class T>
  ErrorCode CodeOf(T promise) {
    return ErrorOfCall(kj::mv(promise)).code;
  }

  // A command's record is durable: it has a position.
  template <class T>
  void Do(T promise) {
    EXPECT_GT(Await(kj::mv(promise)).getPosition(), 0u);
  }
  std::string StatusOf(uint64_t id) {
    return Await(Instance(id).statusRequest().send()).getStatus().getStatus().cStr();
  }
  // The status with which it has ended.
  std::string EndOf(uint64_t id) {
    auto request = Instance(id).waitRequest();
    request.setPatience(kMaxPatienceUs);
    return Await(request.send()).getStatus().getStatus().cStr();
  }

  ServedWorld world_;
  alerts::Alerts alerts_{world_.desk(), [](const std::string&, const std::string&) {}};
  std::optional<RpcServer> server_;

 private:
  RpcOptions WithAlerts(RpcOptions options) {
    options.alerts = &alerts_;
    return options;
  }

  std::unique_ptr<Client> client_;
  std::vector<bool> ended_;
  std::vector<kj::Promise<void>> serving_;
};

}  // namespace stele::server::rpc
