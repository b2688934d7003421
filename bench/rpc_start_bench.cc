// Durable starts through RPC: connections that each keep so many starts under way, and how long
// each start takes from its call to its answer; then one client that starts and waits for the end.
//
//     rpc_start_bench --address ADDRESS [--connections N] [--pipelined N] [--seconds N]
//
// ADDRESS is the RPC edge of a server that somebody runs with --dev: what is measured is two
// processes on one machine, everything synced. Beside the figures stands what a sync of the current
// directory's disk takes, in the same run.
#include <capnp/rpc-twoparty.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <kj/async-io.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "bench/measuring.h"
#include "schemas/api.capnp.h"
#include "schemas/definitions.capnp.h"

namespace stele {
namespace {

using bench::SecondsSince;
using bench::Steady;

constexpr std::string_view kDefinition = R"({"name": "bench-nothing", "steps": [
    {"id": "act", "type": "start"}]})";

struct Options {
  std::string address;
  uint64_t connections = 16;
  uint64_t pipelined = 64;
  uint64_t seconds = 5;
};

// A connection with a session of its own.
struct Client {
  Client(kj::AsyncIoProvider& io, const std::string& address, kj::WaitScope& scope)
      : stream(io.getNetwork().parseAddress(address.c_str()).wait(scope)->connect().wait(scope)),
        network(*stream, capnp::rpc::twoparty::Side::CLIENT),
        system(capnp::makeRpcClient(network)),
        session(nullptr),
        instances(nullptr) {
    capnp::MallocMessageBuilder message(8);
    auto id = message.initRoot<capnp::rpc::twoparty::VatId>();
    id.setSide(capnp::rpc::twoparty::Side::SERVER);
    session = system.bootstrap(id).castAs<api::Gate>().anonymousRequest().send().getSession();
    instances = session.instancesRequest().send().getInstances();
  }

  kj::Own<kj::AsyncIoStream> stream;
  capnp::TwoPartyVatNetwork network;
  capnp::RpcSystem<capnp::rpc::twoparty::VatId> system;
  api::Session::Client session;
  api::Instances::Client instances;
};

struct Figures {
  std::vector<double> seconds;  // of each start
  bool over = false;
};

// Starts one after the other, until the time is over.
kj::Promise<void> StartOn(Client& client, Figures& figures) {
  const auto began = Steady::now();
  auto request = client.instances.startRequest();
  request.setDefinition("bench-nothing");
  return request.send().ignoreResult().then([&client, &figures, began]() -> kj::Promise<void> {
    figures.seconds.push_back(SecondsSince(began));
    if (figures.over) return kj::READY_NOW;
    return StartOn(client, figures);
  });
}

double Percentile(std::vector<double>& sorted, double fraction) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1,
                         static_cast<size_t>(fraction * static_cast<double>(sorted.size())))];
}

void Print(std::string_view what, Figures& figures, double took) {
  std::ranges::sort(figures.seconds);
  fmt::print("{:<28}{:>9.0f}/s   p50 {:.3f} ms   p99 {:.3f} ms   p99.9 {:.3f} ms   ({} starts)\n",
             what, static_cast<double>(figures.seconds.size()) / took,
             Percentile(figures.seconds, 0.5) * 1e3, Percentile(figures.seconds, 0.99) * 1e3,
             Percentile(figures.seconds, 0.999) * 1e3, figures.seconds.size());
}

void Register(Client& client, kj::WaitScope& scope) {
  auto definitions = client.session.definitionsRequest().send().getDefinitions();
  auto request = definitions.registerRequest();
  request.initText().setText(kj::StringPtr(kDefinition.data(), kDefinition.size()));
  request.getText().setSyntax(api::Syntax::JSON);
  request.send().wait(scope);
}

// What a sync of 4 KiB takes: the median of so many.
double SyncSeconds() {
  const char* const path = "rpc_start_bench.sync";
  const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  CHECK(file >= 0, "{} cannot be made", path);
  std::vector<double> seconds;
  const std::string bytes(4'096, 'x');
  for (int i = 0; i < 200; ++i) {
    const auto began = Steady::now();
    CHECK(write(file, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    CHECK(fdatasync(file) == 0);
    seconds.push_back(SecondsSince(began));
  }
  close(file);
  unlink(path);
  return bench::Median(std::move(seconds));
}

void Pipelined(kj::AsyncIoContext& io, const Options& options) {
  std::vector<kj::Own<Client>> clients;
  for (size_t i = 0; i < options.connections; ++i)
    clients.push_back(kj::heap<Client>(*io.provider, options.address, io.waitScope));
  Register(*clients.front(), io.waitScope);
  Figures figures;
  const auto began = Steady::now();
  kj::Vector<kj::Promise<void>> running;
  for (kj::Own<Client>& client : clients)
    for (size_t i = 0; i < options.pipelined; ++i) running.add(StartOn(*client, figures));
  auto all = kj::joinPromises(running.releaseAsArray());
  auto over = io.provider->getTimer()
                  .afterDelay(options.seconds * kj::SECONDS)
                  .then([&figures] { figures.over = true; })
                  .eagerlyEvaluate(nullptr);
  all.wait(io.waitScope);
  Print(fmt::format("{} x {} starts", options.connections, options.pipelined), figures,
        SecondsSince(began));
}

void StartToEnd(kj::AsyncIoContext& io, const Options& options) {
  Client client(*io.provider, options.address, io.waitScope);
  Figures figures;
  const auto began = Steady::now();
  while (SecondsSince(began) < static_cast<double>(options.seconds)) {
    const auto one = Steady::now();
    auto request = client.instances.startRequest();
    request.setDefinition("bench-nothing");
    auto wait = request.send().getInstance().waitRequest();
    wait.setPatience(10'000'000);
    const auto status = wait.send().wait(io.waitScope);
    CHECK(status.getStatus().getEnded() != 0, "an instance did not end");
    figures.seconds.push_back(SecondsSince(one));
  }
  Print("one client, start to end", figures, SecondsSince(began));
}

int Main(int count, char** words) {
  Options options;
  bench::ReadArguments(count, words, "--address ADDRESS, --connections, --pipelined or --seconds N",
                       {{"--address",
                         [&](const std::string& text) {
                           options.address = text;
                           return !text.empty();
                         }},
                        {"--connections", bench::Into(options.connections)},
                        {"--pipelined", bench::Into(options.pipelined)},
                        {"--seconds", bench::Into(options.seconds)}});
  if (options.address.empty()) {
    fmt::print("no --address of a server's RPC edge (stele serve --dev), nothing to measure\n");
    return 0;
  }
  auto io = kj::setupAsyncIo();
  fmt::print("a sync of 4 KiB: {:.3f} ms\n", SyncSeconds() * 1e3);
  Pipelined(io, options);
  StartToEnd(io, options);
  fmt::print("a sync of 4 KiB: {:.3f} ms\n", SyncSeconds() * 1e3);
  return 0;
}

}  // namespace
}  // namespace stele

int main(int count, char** words) {
  return stele::Main(count, words);
}
