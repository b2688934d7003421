#include "server/loop/carrier.h"

#include <kj/debug.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "server/loop/crossing.h"
#include "server/loop/welcome.h"

namespace stele::server {
namespace {

std::string Why(const kj::Exception& exception) {
  return exception.getDescription().cStr();
}

// On its way, and while nobody reads it, it costs what it holds.
Block Trimmed(Block block) {
  if (block.size > block.room / 2) return block;
  Block trimmed(block.size);
  std::memcpy(trimmed.bytes.get(), block.bytes.get(), block.size);
  trimmed.size = block.size;
  return trimmed;
}

}  // namespace

Carrier::~Carrier() {
  home_.Post([crossing = crossing_] { crossing->OnGone(); });
}

kj::Promise<void> Carrier::Run(KjLoop& loop, int fd, PeerEnd peer_end, const TlsAcceptor& tls) {
  loop_ = &loop;
  fd_ = fd;
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
  Block block(room);
  std::byte* const to = block.bytes.get();
  return stream_->tryRead(to, 1, room)
      .then([this, block = std::move(block)](size_t size) mutable -> kj::Promise<void> {
        if (size == 0) {
          home_.Post([crossing = crossing_] { crossing->OnEnd(); });
          return kj::READY_NOW;
        }
        // A connection that is idle waits with a small block.
        block_bytes_ = size == block.room ? kBusyBlockBytes : kIdleBlockBytes;
        unread_ += size;
        block.size = size;
        home_.Post([crossing = crossing_, block = Trimmed(std::move(block)),
                    passed_on = std::exchange(passed_on_, 0)]() mutable {
          crossing->OnBytes(std::move(block), passed_on);
        });
        return ReadOn();
      });
}

void Carrier::AbortRead() {
  KJ_IF_MAYBE (fault, kj::runCatchingExceptions([this] { stream_->abortRead(); })) {
    home_.Post([crossing = crossing_, why = Why(*fault)] { crossing->OnReadFault(why); });
  }
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
  writing_ = WriteOn().eagerlyEvaluate([this](kj::Exception&& fault) {
    GiveUpWriting(fault);
    AfterWrites();
  });
}

void Carrier::GiveUpWriting(const kj::Exception& fault) {
  deaf_ = true;
  to_send_.clear();
  home_.Post([crossing = crossing_, why = Why(fault)] { crossing->OnWriteFault(why); });
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
  EndHalf();
  if (dropped_) Finish();
}

void Carrier::ShutdownWrite() {
  shut_ = true;
  EndHalf();
}

void Carrier::EndHalf() {
  if (!shut_ || writes_ || deaf_) return;
  KJ_IF_MAYBE (fault, kj::runCatchingExceptions([this] { stream_->shutdownWrite(); }))
    GiveUpWriting(*fault);
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
  // The writes fail then, and the stream has nothing left to linger for.
  lingering_ = loop_->timer()
                   .afterDelay(static_cast<int64_t>(linger_ms_) * kj::MILLISECONDS)
                   .then([this] { ::shutdown(fd_, SHUT_RDWR); })
                   .eagerlyEvaluate(nullptr);
}

}  // namespace stele::server
