// The end of a server: what was asked is answered, and read.
#include <future>
#include <latch>

#include "tests/server/rpc/rpc_world.h"

namespace stele::server::rpc {
namespace {

// A stream whose owner reads nothing before it is let.
class HeldStream final : public kj::AsyncIoStream {
 public:
  HeldStream(kj::Own<kj::AsyncIoStream> stream, kj::Promise<void> let)
      : stream_(kj::mv(stream)), let_(let.fork()) {}

  kj::Promise<size_t> tryRead(void* buffer, size_t least, size_t most) override {
    return let_.addBranch().then(
        [this, buffer, least, most] { return stream_->tryRead(buffer, least, most); });
  }
  kj::Promise<void> write(const void* buffer, size_t size) override {
    return stream_->write(buffer, size);
  }
  kj::Promise<void> write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) override {
    return stream_->write(pieces);
  }
  kj::Promise<void> whenWriteDisconnected() override { return stream_->whenWriteDisconnected(); }
  void shutdownWrite() override { stream_->shutdownWrite(); }

 private:
  kj::Own<kj::AsyncIoStream> stream_;
  kj::ForkedPromise<void> let_;
};

class RpcDrain : public RpcWorld {
 protected:
  ~RpcDrain() noexcept override = default;

  // Closes as an edge does; what was asked before is asked.
  void Drain() {
    world_.Settle();
    world_.desk().Close();
    draining_ = server_->Drain().then([this] { has_drained_ = true; }).eagerlyEvaluate(nullptr);
    world_.turns().Settle();
  }

  bool has_drained_ = false;
  kj::Promise<void> draining_ = nullptr;
};

TEST_F(RpcDrain, WaitsForNobody) {
  Session();
  Drain();
  world_.Until([&] { return has_drained_; });
}

TEST_F(RpcDrain, WaitsForQuestionsThatAreBeingRead) {
  std::promise<void> door;
  const std::shared_future<void> opened = door.get_future().share();
  std::latch begun(kReadingThreads);
  std::vector<kj::Promise<Result<int>>> before;
  for (size_t i = 0; i < kReadingThreads; ++i)
    before.push_back(world_.desk()
                         .Read([&begun, opened] {
                           begun.count_down();
                           opened.wait();
                           return Result<int>(1);
                         })
                         .eagerlyEvaluate(nullptr));
  begun.wait();
  bool answered = false;
  auto asked = Session()
                   .viewsRequest()
                   .send()
                   .getViews()
                   .instancesRequest()
                   .send()
                   .then([&](auto&&) { answered = true; })
                   .eagerlyEvaluate(nullptr);
  Drain();
  EXPECT_FALSE(has_drained_);
  door.set_value();
  world_.Until([&] { return has_drained_; });
  world_.Until([&] { return answered; });
}

TEST_F(RpcDrain, WaitsForThoseWhoReadSlowly) {
  world_.Register("long", "{id: hang, type: script}");
  const uint64_t id = Started("long", "{\"text\":\"" + std::string(3u << 20, 'x') + "\"}");
  auto let = kj::newPromiseAndFulfiller<void>();
  Client client(kj::heap<HeldStream>(Dial(), kj::mv(let.promise)));
  auto status = InstanceOf(client, id).statusRequest().send();
  Drain();
  EXPECT_FALSE(has_drained_);
  let.fulfiller->fulfill();
  EXPECT_GT(Await(kj::mv(status)).getStatus().getInput().size(), 3u << 20);
  world_.Until([&] { return has_drained_; });
}

}  // namespace
}  // namespace stele::server::rpc
