// Messages over a stream, against capnp's own end and against bytes that nobody should send.
#include "server/vat/message_network.h"

#include <capnp/rpc-twoparty.h>
#include <capnp/serialize.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "schemas/workers.capnp.h"
#include "server/vat/vat_client.h"
#include "tests/server/loop/loop_world.h"

namespace stele::server {
namespace {

using capnp::rpc::twoparty::Side;

// Says what it is asked, as the output of a task.
class Echo final : public api::Worker::Server {
 public:
  kj::Promise<void> run(RunContext context) override {
    const auto task = context.getParams().getTask();
    if (task.getType() == "never") return kj::NEVER_DONE;
    context.getResults().initResult().setOutput(task.getInput());
    return kj::READY_NOW;
  }
};

// Hands on what is written in pieces of so many bytes, each in a turn of its own.
class Pieces final : public kj::AsyncIoStream {
 public:
  Pieces(kj::Own<kj::AsyncIoStream> stream, size_t size) : stream_(kj::mv(stream)), size_(size) {}
  kj::Promise<size_t> tryRead(void* buffer, size_t least, size_t most) override {
    return stream_->tryRead(buffer, least, std::min(most, std::max(least, size_)));
  }
  kj::Promise<void> write(const void* buffer, size_t size) override {
    const size_t piece = std::min(size, size_);
    return stream_->write(buffer, piece).then([this, buffer, size, piece]() -> kj::Promise<void> {
      if (piece == size) return kj::READY_NOW;
      return kj::evalLater([this, buffer, size, piece] {
        return write(static_cast<const char*>(buffer) + piece, size - piece);
      });
    });
  }
  kj::Promise<void> write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) override {
    if (pieces.size() == 0) return kj::READY_NOW;
    return write(pieces.front().begin(), pieces.front().size()).then([this, pieces] {
      return write(pieces.slice(1, pieces.size()));
    });
  }
  kj::Promise<void> whenWriteDisconnected() override { return stream_->whenWriteDisconnected(); }
  void shutdownWrite() override { stream_->shutdownWrite(); }

 private:
  kj::Own<kj::AsyncIoStream> stream_;
  const size_t size_;
};

class Network : public testing::Test {
 protected:
  ~Network() noexcept override = default;

  // One end, with what it offers.
  struct Server {
    Server(kj::Own<kj::AsyncIoStream> over, MessageNetwork::Options options)
        : stream(kj::mv(over)),
          network(*stream, kj::refcounted<MessageBuffers>(), options),
          rpc(capnp::makeRpcServer(network, kj::heap<Echo>())) {}
    kj::Own<kj::AsyncIoStream> stream;
    MessageNetwork network;
    capnp::RpcSystem<capnp::rpc::twoparty::VatId> rpc;
  };
  struct Client {
    explicit Client(kj::Own<kj::AsyncIoStream> over)
        : stream(kj::mv(over)), vat(*stream), worker(vat.Bootstrap().castAs<api::Worker>()) {}
    kj::Own<kj::AsyncIoStream> stream;
    VatClient vat;
    api::Worker::Client worker;
  };

  kj::Own<kj::AsyncIoStream> Serve(MessageNetwork::Options options = {.side = Side::SERVER}) {
    auto [ours, theirs] = loop_.Pair();
    server_ = kj::heap<Server>(kj::mv(theirs), options);
    return kj::mv(ours);
  }
  std::string Said(api::Worker::Client& worker, const std::string& text) {
    return loop_.Await(Asked(worker, text));
  }
  static kj::Promise<std::string> Asked(api::Worker::Client& worker, const std::string& text) {
    auto request = worker.runRequest();
    request.initTask().setInput(text);
    return request.send().then([](capnp::Response<api::Worker::RunResults>&& answer) {
      return std::string(answer.getResult().getOutput().cStr());
    });
  }
  // The server is done with the connection.
  bool HasEnded() { return !loop_.FaultOf(server_->network.onDisconnect()).has_value(); }
  void Send(kj::AsyncIoStream& raw, std::initializer_list<uint32_t> numbers) {
    const std::vector<uint32_t> words(numbers);
    loop_.Await(raw.write(words.data(), words.size() * sizeof(uint32_t)));
  }

  LoopWorld loop_;
  kj::Own<Server> server_;
};

TEST_F(Network, CarriesCallsBothWays) {
  Client client(Serve());
  EXPECT_EQ(Said(client.worker, "a"), "a");
  EXPECT_EQ(Said(client.worker, ""), "");
}

TEST_F(Network, IsUnderstoodByTheLibrarysOwn) {
  auto stream = Serve();
  capnp::TwoPartyClient client(*stream);
  auto worker = client.bootstrap().castAs<api::Worker>();
  EXPECT_EQ(Said(worker, "a"), "a");
  const std::string large(3u << 20, 'x');
  EXPECT_EQ(Said(worker, large), large);
}

TEST_F(Network, CarriesManyAtATimeInTheirOrder) {
  Client client(Serve());
  std::vector<std::string> answers;
  std::vector<kj::Promise<void>> calls;
  for (int i = 0; i < 2'000; ++i)
    calls.push_back(Asked(client.worker, std::to_string(i))
                        .then([&](std::string said) { answers.push_back(std::move(said)); })
                        .eagerlyEvaluate(nullptr));
  loop_.Until([&] { return answers.size() == calls.size(); });
  for (size_t i = 0; i < answers.size(); ++i) EXPECT_EQ(answers[i], std::to_string(i));
  EXPECT_EQ(client.vat.unsent_bytes(), 0u);
}

TEST_F(Network, CarriesMessagesOfAnySize) {
  Client client(Serve());
  for (size_t size = 1; size < 6'000'000; size = size * 5 / 2 + 7) {
    const std::string text(size, static_cast<char>('a' + size % 26));
    EXPECT_EQ(Said(client.worker, text), text) << size;
    EXPECT_EQ(Said(client.worker, "b"), "b");
  }
}

TEST_F(Network, DoesNotMindWhereTheBytesAreCut) {
  for (const size_t size : {1u, 3u, 8u, 21u, 4'096u}) {
    Client client(kj::heap<Pieces>(Serve(), size));
    auto one = Asked(client.worker, "one");
    auto large = Asked(client.worker, std::string(size * 100, 'x'));
    auto other = Asked(client.worker, "other");
    EXPECT_EQ(loop_.Await(kj::mv(one)), "one") << size;
    EXPECT_EQ(loop_.Await(kj::mv(large)).size(), size * 100);
    EXPECT_EQ(loop_.Await(kj::mv(other)), "other") << size;
  }
}

TEST_F(Network, EndsWhenThePeerDoes) {
  {
    Client client(Serve());
    EXPECT_EQ(Said(client.worker, "a"), "a");
  }
  EXPECT_TRUE(HasEnded());
}

TEST_F(Network, FailsWhatIsAskedWhenThePeerEnds) {
  Client client(Serve());
  EXPECT_EQ(Said(client.worker, "a"), "a");
  auto request = client.worker.runRequest();
  request.initTask().setType("never");
  auto asked = request.send().ignoreResult();
  loop_.Settle();
  server_ = nullptr;
  EXPECT_TRUE(loop_.IsDisconnected(kj::mv(asked)));
}

TEST_F(Network, RefusesWhatIsNoMessage) {
  const auto ends_after = [&](std::initializer_list<uint32_t> numbers) {
    auto raw = Serve({.side = Side::SERVER, .max_message_words = 1'000});
    Send(*raw, numbers);
    return HasEnded();
  };
  EXPECT_TRUE(ends_after({0, 1'001})) << "too large";
  EXPECT_TRUE(ends_after({2, 500, 500, 1})) << "too large in all";
  EXPECT_TRUE(ends_after({1, 0xffffffff, 0xffffffff, 0})) << "more than can be counted in 32 bits";
  EXPECT_TRUE(ends_after({511, 0})) << "too many segments";
  EXPECT_TRUE(ends_after({0xffffffff, 0})) << "segments beyond 32 bits";
  EXPECT_TRUE(ends_after({0, 0})) << "nothing in it";
}

TEST_F(Network, EndsWithAPeerThatEndsInAMessage) {
  for (const size_t numbers : {1u, 2u, 3u, 4u}) {
    auto raw = Serve();
    const uint32_t cut[] = {0, 2, 0, 0};
    loop_.Await(raw->write(cut, numbers * sizeof cut[0]));
    raw->shutdownWrite();
    EXPECT_TRUE(HasEnded());
  }
}

TEST_F(Network, TakesLittleBeforeThePeerIsKnown) {
  bool known = false;
  const MessageNetwork::Options options{
      .side = Side::SERVER, .known = &known, .max_words_unknown = 1'000};
  {
    Client client(Serve(options));
    EXPECT_EQ(Said(client.worker, "a"), "a");
    EXPECT_TRUE(loop_.IsDisconnected(Asked(client.worker, std::string(10'000, 'x'))));
  }
  Client patient(Serve(options));
  const std::string text(1'000, 'x');
  EXPECT_EQ(Said(patient.worker, text), text);
  known = true;
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Said(patient.worker, text), text);
  known = false;
  server_ = nullptr;
}

TEST_F(Network, ReadsNoMoreFromAPeerThatDoesNotRead) {
  auto raw = Serve({.side = Side::SERVER, .max_unsent_bytes = 100'000});
  // Calls are written as a client would, and the answers are left unread.
  auto [near, far] = loop_.Pair();
  Client client(kj::mv(near));
  std::vector<kj::Promise<std::string>> calls;
  for (int i = 0; i < 2'000; ++i) calls.push_back(Asked(client.worker, std::string(1'000, 'x')));
  bool all_taken = false;
  auto pumped =
      far->pumpTo(*raw).then([&](uint64_t) { all_taken = true; }).eagerlyEvaluate(nullptr);
  loop_.Settle(200);
  EXPECT_GT(server_->network.unsent_bytes(), 100'000u);
  EXPECT_LT(server_->network.unsent_bytes(), 1'000'000u);
  // Once they are read, all of them come.
  auto back = raw->pumpTo(*far).eagerlyEvaluate([](kj::Exception&&) { return uint64_t{0}; });
  for (auto& call : calls) EXPECT_EQ(loop_.Await(kj::mv(call)).size(), 1'000u);
  EXPECT_FALSE(all_taken);
}

TEST_F(Network, TellsThoseWhoWaitWhenThereIsRoom) {
  auto raw = Serve({.side = Side::SERVER, .max_unasked_bytes = 100'000});
  auto [near, far] = loop_.Pair();
  Client client(kj::mv(near));
  auto pumped = far->pumpTo(*raw).eagerlyEvaluate(nullptr);
  MessageNetwork& network = server_->network;
  EXPECT_TRUE(network.HasRoom());
  loop_.Await(network.WhenRoom());
  auto asked = Asked(client.worker, std::string(2u << 20, 'x'));
  loop_.Until([&] { return !network.HasRoom(); });
  loop_.Settle(200);
  int told = 0;
  const auto wait = [&] {
    return network.WhenRoom().then([&told] { ++told; }).eagerlyEvaluate(nullptr);
  };
  auto one = wait();
  auto gone = wait();
  auto other = wait();
  gone = nullptr;
  loop_.Settle(200);
  EXPECT_EQ(told, 0);
  auto back = raw->pumpTo(*far).eagerlyEvaluate([](kj::Exception&&) { return uint64_t{0}; });
  EXPECT_EQ(loop_.Await(kj::mv(asked)).size(), 2u << 20);
  loop_.Settle();
  EXPECT_EQ(told, 2);
  EXPECT_TRUE(network.HasRoom());
  // The next ones to wait are told as well.
  auto again = Asked(client.worker, std::string(2u << 20, 'x'));
  loop_.Until([&] { return !network.HasRoom(); });
  auto third = wait();
  EXPECT_EQ(loop_.Await(kj::mv(again)).size(), 2u << 20);
  loop_.Settle();
  EXPECT_EQ(told, 3);
}

TEST_F(Network, TellsHowMuchAPeerHasTaken) {
  auto raw = Serve();
  auto [near, far] = loop_.Pair();
  Client client(kj::mv(near));
  auto pumped = far->pumpTo(*raw).eagerlyEvaluate(nullptr);
  auto asked = Asked(client.worker, std::string(4u << 20, 'x'));
  MessageNetwork& network = server_->network;
  loop_.Until([&] { return network.unsent_bytes() > (3u << 20); });
  loop_.Settle(200);
  // The socket holds some, and no more while nobody reads.
  const uint64_t sent = network.sent_bytes();
  const size_t unsent = network.unsent_bytes();
  EXPECT_LT(sent, 3u << 20);
  loop_.Settle(200);
  EXPECT_EQ(network.sent_bytes(), sent);
  // A part of the message is enough to see that somebody reads.
  std::vector<char> some(512u << 10);
  loop_.Await(raw->read(some.data(), some.size(), some.size()).ignoreResult());
  loop_.Until([&] { return network.sent_bytes() > sent; });
  EXPECT_EQ(network.sent_bytes() - sent, unsent - network.unsent_bytes());
  EXPECT_GT(network.unsent_bytes(), 0u);
}

}  // namespace
}  // namespace stele::server
