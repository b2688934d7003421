// A served engine that listens at a Unix socket, or over TCP with TLS, and workers that run on
// threads of their own.
#pragma once

#include <gtest/gtest.h>
#include <uv.h>

#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/requests/operators.h"
#include "server/auth/source.h"
#include "server/loop/listener.h"
#include "server/loop/tls.h"
#include "server/rpc/server.h"
#include "stele/worker.h"
#include "tests/server/loop/certificates.h"
#include "tests/server/support/served_world.h"

namespace stele::sdk {

class WorkerWorld : public testing::Test {
 protected:
  WorkerWorld() {
    uv_async_init(world_.turns().uv(), &wake_, [](uv_async_t*) {});
    world_.Get(world_.definitions().RegisterType(Admin(), "resize",
                                                 Object{{"schema", Object()}, {"worker", true}}));
    world_.Register("album", "{id: small, type: 'custom:resize', config: {width: 3}}",
                    "outputs: {size: steps.small.output.size}");
  }
  ~WorkerWorld() noexcept override {
    EndWorkers();
    Close();
    uv_close(reinterpret_cast<uv_handle_t*>(&wake_), nullptr);
    world_.turns().Settle();
  }

  static server::Caller Admin() { return server::ServedWorld::Somebody(server::Role::kAdmin); }

  // The server comes up; it goes down at once, with all connections.
  void Listen() {
    server_.emplace(server::Operations{world_.desk(), world_.instances(), world_.definitions(),
                                       world_.triggers(), world_.questions(), world_.histories(),
                                       world_.events(), world_.worker_operations(), world_.forks()},
                    server::rpc::RpcOptions{.program = "stele test"});
    auto listener = server::Listen(world_.loop(), address_);
    ASSERT_TRUE(listener.has_value()) << listener.error().ToString();
    listener_ = kj::mv(*listener);
    address_ = listener_->address();
    accepting_ = Accept().eagerlyEvaluate([](kj::Exception&&) {});
  }
  void Close() {
    accepting_ = nullptr;
    serving_.clear();
    listener_ = nullptr;
    server_.reset();
  }

  // From the next Listen on: over TCP, with TLS, by certificates of one authority.
  void UseTls(server::ClientCertificate clients) {
    authority_.Write(CaFile(), folder_ / "ca-key.pem");
    server::Certificate("localhost", &authority_).Write(folder_ / "s.pem", folder_ / "s-key.pem");
    server::Certificate("press-1", &authority_).Write(folder_ / "w.pem", folder_ / "w-key.pem");
    server::Certificate("press-1", &stranger_).Write(folder_ / "f.pem", folder_ / "f-key.pem");
    auto tls = server::TlsServer::Create({.certificate_file = folder_ / "s.pem",
                                          .key_file = folder_ / "s-key.pem",
                                          .ca_file = CaFile(),
                                          .client_certificate = clients});
    ASSERT_TRUE(tls.has_value()) << tls.error().ToString();
    tls_.emplace(*std::move(tls));
    address_ = "127.0.0.1:0";
  }
  std::string CaFile() const { return folder_ / "ca.pem"; }
  // As a worker with a certificate has it.
  Tls WorkerTls() const {
    return {.ca_file = CaFile(),
            .certificate_file = folder_ / "w.pem",
            .key_file = folder_ / "w-key.pem",
            .server_name = "localhost"};
  }

  // As one has it whose certificate somebody else has signed.
  Tls ForgedTls() const {
    return {.ca_file = CaFile(),
            .certificate_file = folder_ / "f.pem",
            .key_file = folder_ / "f-key.pem",
            .server_name = "localhost"};
  }

  WorkerOptions Options() {
    WorkerOptions options{.address = address_, .name = "anna", .slots = 2};
    options.first_retry = std::chrono::milliseconds(1);
    options.last_retry = std::chrono::milliseconds(2);
    options.note = [this](std::string_view what) {
      {
        const std::lock_guard lock(mutex_);
        notes_.emplace_back(what);
      }
      uv_async_send(&wake_);
    };
    return options;
  }
  // Runs it until the test ends.
  void Run(Worker& worker) {
    Running& running = running_.emplace_back();
    running.worker = &worker;
    running.thread = std::thread([this, &running] {
      running.how = running.worker->Run();
      running.over = true;
      uv_async_send(&wake_);
    });
  }
  // Before any of them is gone.
  void EndWorkers() {
    for (Running& each : running_) {
      if (!each.over) each.worker->Stop();
      world_.Until([&] { return each.over.load(); });
      each.thread.join();
    }
    running_.clear();
  }
  // How the last one that was run has ended.
  std::expected<void, std::string> End() {
    Running& running = running_.back();
    world_.Until([&] { return running.over.load(); });
    return running.how;
  }
  void UntilJoined() {
    world_.Until([&] { return world_.workers().figures().workers == 1; });
  }
  void UntilNoted(const std::string& what) {
    world_.Until([&] {
      const std::lock_guard lock(mutex_);
      for (const std::string& note : notes_)
        if (note.find(what) != std::string::npos) return true;
      return false;
    });
  }
  // Something that a handler's thread brings about.
  void Wake() { uv_async_send(&wake_); }

  InstanceId Start() { return world_.Start("album"); }
  server::InstanceStatus Ended(InstanceId instance) {
    return world_.Get(world_.instances().Wait(Admin(), instance, 60'000'000));
  }
  std::string StatusOf(InstanceId instance) {
    world_.Settle();
    return world_.Get(world_.instances().Get(Admin(), instance)).status;
  }

  server::ServedWorld world_;

 private:
  struct Running {
    Worker* worker = nullptr;
    std::thread thread;
    std::atomic<bool> over = false;
    std::expected<void, std::string> how;
  };

  kj::Promise<void> Accept() {
    return listener_->accept().then([this](kj::Own<kj::AsyncIoStream> stream) {
      serving_.push_back(ServeOne(kj::mv(stream)).eagerlyEvaluate([](kj::Exception&&) {}));
      return Accept();
    });
  }
  kj::Promise<void> ServeOne(kj::Own<kj::AsyncIoStream> stream) {
    if (!tls_.has_value()) return server_->Serve(kj::mv(stream), "unix");
    return tls_->Accept(kj::mv(stream)).then([this](server::TlsStream accepted) {
      return server_->Serve(kj::mv(accepted.stream),
                            server::SourceOf("127.0.0.1", accepted.common_name));
    });
  }

  server::TempFolder folder_;
  const server::Certificate authority_{"authority"};
  const server::Certificate stranger_{"stranger"};
  std::optional<server::TlsServer> tls_;
  std::string address_ = "unix:" + (folder_ / "rpc.sock");
  std::optional<server::rpc::RpcServer> server_;
  kj::Own<server::Listener> listener_;
  kj::Promise<void> accepting_ = nullptr;
  std::vector<kj::Promise<void>> serving_;
  uv_async_t wake_;
  std::list<Running> running_;
  std::mutex mutex_;
  std::vector<std::string> notes_;
};

}  // namespace stele::sdk
