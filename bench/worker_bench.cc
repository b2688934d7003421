// Tasks a second through workers: instances of ten steps each, over a real log, done by a worker in
// the engine's own process, and by one of the SDK on a thread of its own, over a Unix socket.
//
//     worker_bench [INSTANCES [SLOTS]]
#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>

#include "server/loop/listener.h"
#include "server/rpc/server.h"
#include "stele/worker.h"
#include "tests/server/support/served_world.h"

namespace {

using namespace stele;

constexpr int kSteps = 10;

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

// Answers at once, with nothing between it and the pool.
class Direct final : public tasks::Worker {
 public:
  Direct(tasks::WorkerPool& pool, uint32_t slots) : pool_(pool) {
    id_ = pool.Join({.name = "direct", .types = {"resize"}, .slots = 0}, this);
    pool.SetSlots(id_, slots);
  }
  ~Direct() override { pool_.Lose(id_, "the end"); }
  void OnTask(const tasks::WorkerTask& task) override {
    (void)pool_.Complete(id_, task.lease, Object{{"size", 6}});
  }
  void OnCancel(tasks::LeaseId, std::string_view) override {}
  void OnLeaseEnded(tasks::LeaseId, std::string_view) override {}
  void OnLeft() override {}

 private:
  tasks::WorkerPool& pool_;
  tasks::WorkerId id_;
};

class Bench {
 public:
  Bench() {
    const server::Caller admin = server::ServedWorld::Somebody(server::Role::kAdmin);
    world_.Get(world_.definitions().RegisterType(admin, "resize",
                                                 Object{{"schema", Object()}, {"worker", true}}));
    std::string steps = "{id: s0, type: 'custom:resize', config: {width: 3}}";
    for (int i = 1; i < kSteps; ++i)
      steps += fmt::format(
          ", {{id: s{}, type: 'custom:resize', depends_on: [s{}], config: {{width: 3}}}}", i,
          i - 1);
    world_.Register("album", steps);
  }

  server::ServedWorld& world() { return world_; }

  // REQUIRES: so few that the views, which start anew, are not too far behind.
  void Measure(std::string_view name, int instances) {
    world_.CatchUp();
    const auto begin = std::chrono::steady_clock::now();
    const double cpu = CpuSeconds();
    std::optional<InstanceId> last;
    for (int i = 0; i < instances; ++i) {
      auto started = world_.instances().Start(server::ServedWorld::Somebody(server::Role::kAdmin),
                                              {.definition = "album"});
      if (i + 1 < instances) {
        pending_.push_back(started.then([](auto&&) {}).eagerlyEvaluate(nullptr));
      } else {
        last = world_.Get(kj::mv(started)).instance;
      }
    }
    const uint64_t all = handed_ + static_cast<uint64_t>(instances) * kSteps;
    world_.Until([&] { return world_.workers().figures().handed_out >= all; });
    handed_ = all;
    world_.Get(world_.instances().Wait(server::ServedWorld::Somebody(server::Role::kAdmin), *last,
                                       60'000'000));
    pending_.clear();
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    const double tasks = static_cast<double>(instances) * kSteps;
    fmt::print("{:<8} {:>9.0f} tasks/s {:>7.2f} us of CPU a task\n", name, tasks / seconds,
               (CpuSeconds() - cpu) * 1e6 / tasks);
  }

 private:
  server::ServedWorld world_;
  std::vector<kj::Promise<void>> pending_;
  uint64_t handed_ = 0;
};

// The native interface at a Unix socket, and a worker of it on a thread.
void MeasureRpc(Bench& bench, int instances, uint32_t slots) {
  server::ServedWorld& world = bench.world();
  const server::TempFolder folder;
  const std::string address = "unix:" + (folder / "rpc.sock");
  server::rpc::RpcServer server(
      server::Operations{world.desk(), world.instances(), world.definitions(), world.triggers(),
                         world.questions(), world.histories(), world.events(),
                         world.worker_operations()},
      {.program = "bench"});
  auto listener = server::Listen(world.loop(), address).value();
  auto serving = listener->accept()
                     .then([&](kj::Own<kj::AsyncIoStream> stream) {
                       return server.Serve(kj::mv(stream), "bench");
                     })
                     .eagerlyEvaluate(nullptr);
  sdk::Worker worker({.address = address, .name = "bench", .slots = slots, .threads = 0});
  worker.Handle("resize", [](const sdk::Task&) -> sdk::Result { return R"({"size":6})"; });
  std::thread thread([&] { (void)worker.Run(); });
  world.Until([&] { return world.workers().HasWorker("resize"); });
  bench.Measure("rpc", instances);
  worker.Stop();
  world.Until([&] { return world.workers().figures().workers == 0; });
  world.Settle();
  thread.join();
}

}  // namespace

int main(int count, char** arguments) {
  const int instances = count > 1 ? std::atoi(arguments[1]) : 5'000;
  const auto slots = static_cast<uint32_t>(count > 2 ? std::atoi(arguments[2]) : 1'000);
  Bench bench;
  {
    const Direct direct(bench.world().workers(), slots);
    bench.Measure("direct", instances);
  }
  MeasureRpc(bench, instances, slots);
  return 0;
}
