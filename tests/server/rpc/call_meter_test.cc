#include "server/rpc/call_meter.h"

#include <numeric>

#include "tests/server/rpc/rpc_world.h"

namespace stele::server::rpc {
namespace {

// Outlives the server and its calls.
struct Metered {
  std::optional<CallMeter> meter;
};

class MeteredCalls : protected Metered, public RpcWorld {
 protected:
  MeteredCalls() {
    meter.emplace(world_.timer());
    server_.emplace(AllOperations(), RpcOptions{.program = "stele test", .calls = &*meter});
    world_.Register("quick", "{id: a, type: script}");
    world_.Register("long", "{id: hang, type: script}");
  }

  CallFigures Of(const std::string& method) {
    auto figures = meter->Read();
    EXPECT_TRUE(figures.contains(method)) << method;
    return figures[method];
  }
  static uint64_t Answered(const CallFigures& figures) {
    return std::accumulate(figures.us.counts.begin(), figures.us.counts.end(), uint64_t{0});
  }
};

TEST_F(MeteredCalls, AreCountedByMethodAndResult) {
  for (int i = 0; i < 3; ++i) Started("quick");
  EXPECT_EQ(CodeOf(Starting("none").send()), ErrorCode::kUnknownDefinition);
  const CallFigures starts = Of("Instances.start");
  EXPECT_EQ(starts.results[0], 3u);
  EXPECT_EQ(starts.results[1], 1u);
  EXPECT_EQ(Answered(starts), 4u);
  EXPECT_EQ(Of("Gate.anonymous").results[0], 4u);
  EXPECT_EQ(Of("Session.instances").results[0], 4u);
}

TEST_F(MeteredCalls, ThatAreGivenUpAreFailed) {
  const uint64_t id = Started("long");
  {
    auto request = Instance(id).waitRequest();
    request.setPatience(kMaxPatienceUs);
    auto waiting = request.send();
    world_.turns().Settle();
    EXPECT_EQ(Answered(Of("Instance.wait")), 0u) << "it is under way";
  }
  world_.turns().Settle();
  EXPECT_EQ(Of("Instance.wait").results[1], 1u);
}

}  // namespace
}  // namespace stele::server::rpc
