#include "server/loop/carrier.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "server/loop/crossing.h"
#include "server/loop/welcome.h"

namespace stele::server {
namespace {

std::string Why(const kj::Exception& exception) {
  return exception.getDescription().cStr();
}

}  // namespace

Carrier::~Carrier() {
  home_.Post([crossing = crossing_] { crossing->OnGone(); });
}

kj::Promise<void> Carrier::Run(KjLoop& loop, int fd, PeerEnd peer_end, const TlsAcceptor& tls) {
  loop_ = &loop;
  auto finished = kj::newPromiseAndFulfiller<void>();
  finished_ = kj::mv(finished.fulfiller);
  opening_ = Open(fd, peer_end, tls).eagerlyEvaluate([this](kj::Exception&& exception) {
    home_.Post([crossing = crossing_, why = Why(exception)] { crossing->OnRefused(why); });
  });
  return kj::mv(finished.promise);
}

kj::Promise<void> Carrier::Open(int fd, PeerEnd peer_end, const TlsAcceptor& tls) {
  return Welcome(*loop_, fd, peer_end, tls).then([this](Arrival arrival) {
    stream_ = kj::mv(arrival.stream);
    home_.Post([crossing = crossing_, peer = std::move(arrival.peer),
                name = std::move(arrival.common_name)]() mutable {
      crossing->OnReady(std::move(peer), std::move(name));
    });
    watching_ =
        stream_->whenWriteDisconnected()
            .then([this] { home_.Post([crossing = crossing_] { crossing->OnPeerGone(); }); })
            .eagerlyEvaluate([](kj::Exception&&) {});
    reading_ = ReadOn().eagerlyEvaluate([this](kj::Exception&& exception) {
      home_.Post([crossing = crossing_, why = Why(exception)] { crossing->OnReadFault(why); });
    });
  });
}

// ---- From the peer

kj::Promise<void> Carrier::ReadOn() {
  if (unread_ >= kReadBufferBytes) {
    auto again = kj::newPromiseAndFulfiller<void>();
    read_again_ = kj::mv(again.fulfiller);
    return again.promise.then([this] { return ReadOn(); });
  }
  const size_t room = std::min(block_bytes_, kReadBufferBytes - unread_);
  auto bytes = std::make_unique<std::byte[]>(room);
  std::byte* const to = bytes.get();
  return stream_->tryRead(to, 1, room)
      .then([this, room, bytes = std::move(bytes)](size_t size) mutable -> kj::Promise<void> {
        if (size == 0) {
          home_.Post([crossing = crossing_] { crossing->OnEnd(); });
          return kj::READY_NOW;
        }
        // A connection that is idle waits with a small block.
        block_bytes_ = size == room ? kBusyBlockBytes : kIdleBlockBytes;
        unread_ += size;
        home_.Post([crossing = crossing_, block = Block{std::move(bytes), size},
                    passed_on = std::exchange(passed_on_, 0)]() mutable {
          crossing->OnBytes(std::move(block), passed_on);
        });
        return ReadOn();
      });
}

void Carrier::AbortRead() {
  stream_->abortRead();
}

// ---- To the peer

void Carrier::Send(std::vector<std::byte> bytes, size_t passed_on) {
  unread_ -= passed_on;
  if (read_again_.get() != nullptr && unread_ < kReadBufferBytes) {
    auto again = kj::mv(read_again_);
    again->fulfill();
  }
  if (deaf_ || bytes.empty()) return;
  to_send_.push_back(std::move(bytes));
  if (writes_) return;
  writes_ = true;
  writing_ = WriteOn().eagerlyEvaluate([this](kj::Exception&& exception) {
    deaf_ = true;
    to_send_.clear();
    home_.Post([crossing = crossing_, why = Why(exception)] { crossing->OnWriteFault(why); });
    AfterWrites();
  });
}

kj::Promise<void> Carrier::WriteOn() {
  if (to_send_.empty()) {
    AfterWrites();
    return kj::READY_NOW;
  }
  const std::vector<std::byte>& bytes = to_send_.front();
  return stream_->write(bytes.data(), bytes.size()).then([this] {
    passed_on_ += to_send_.front().size();
    to_send_.pop_front();
    // Otherwise with the next bytes.
    if (passed_on_ >= kWriteBufferBytes / 2)
      home_.Post([crossing = crossing_, size = std::exchange(passed_on_, 0)] {
        crossing->OnPassedOn(size);
      });
    return WriteOn();
  });
}

void Carrier::AfterWrites() {
  writes_ = false;
  if (shut_ && !deaf_) stream_->shutdownWrite();
  if (dropped_) Finish();
}

void Carrier::ShutdownWrite() {
  shut_ = true;
  if (!writes_ && !deaf_) stream_->shutdownWrite();
}

void Carrier::SetOption(int level, int option, const std::vector<std::byte>& value) {
  // One that a socket does not know changes nothing.
  const auto unknown = kj::runCatchingExceptions([&] {
    stream_->setsockopt(level, option, value.data(), static_cast<kj::uint>(value.size()));
  });
}

void Carrier::Drop() {
  dropped_ = true;
  opening_ = nullptr;
  reading_ = nullptr;
  watching_ = nullptr;
  if (!writes_) {
    Finish();
    return;
  }
  lingering_ = loop_->timer()
                   .afterDelay(kLingerMs * kj::MILLISECONDS)
                   .then([this] { Finish(); })
                   .eagerlyEvaluate(nullptr);
}

}  // namespace stele::server
