#include "server/loop/crossing.h"

#include <kj/debug.h>
#include <kj/string.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "server/loop/carrier.h"
#include "server/loop/limits.h"

namespace stele::server {
namespace {

kj::Exception Ended(const std::string& why) {
  return kj::Exception(kj::Exception::Type::DISCONNECTED, __FILE__, __LINE__,
                       kj::heapString(why.c_str(), why.size()));
}

constexpr const char* kDropped = "Expected the connection to go on but it was dropped";

class CrossedStream final : public kj::AsyncIoStream {
 public:
  explicit CrossedStream(Crossing* crossing) : crossing_(crossing) {}
  KJ_DISALLOW_COPY(CrossedStream);
  ~CrossedStream() noexcept(false) { crossing_->Drop(); }

  kj::Promise<size_t> tryRead(void* buffer, size_t min, size_t max) override {
    return crossing_->Read(buffer, min, max);
  }
  kj::Promise<void> write(const void* buffer, size_t size) override {
    return crossing_->Write(kj::arrayPtr(static_cast<const kj::byte*>(buffer), size), nullptr);
  }
  kj::Promise<void> write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) override {
    return crossing_->Write(nullptr, pieces);
  }
  kj::Promise<void> whenWriteDisconnected() override { return crossing_->WhenDisconnected(); }
  void shutdownWrite() override { crossing_->ShutdownWrite(); }
  void abortRead() override { crossing_->AbortRead(); }
  void setsockopt(int level, int option, const void* value, kj::uint length) override {
    crossing_->SetOption(level, option, value, length);
  }

 private:
  Crossing* const crossing_;
};

}  // namespace

Crossing::Crossing(KjLoop& loop, Inbox& there) : loop_(loop), there_(there), keep_alive_(loop) {}

// Drops the connection if nobody waits for it any more.
class Crossing::Awaited {
 public:
  Awaited(kj::PromiseFulfiller<Arrival>& done, Crossing& crossing)
      : done_(done), crossing_(&crossing) {
    crossing.awaited_ = this;
  }
  Awaited(const Awaited&) = delete;
  Awaited& operator=(const Awaited&) = delete;
  ~Awaited() {
    if (crossing_ != nullptr) {
      crossing_->awaited_ = nullptr;
      crossing_->Drop();
    }
  }

  void Fulfill(Arrival arrival) {
    Detach();
    done_.fulfill(kj::mv(arrival));
  }
  void Reject(kj::Exception&& why) {
    Detach()->Drop();
    done_.reject(kj::mv(why));
  }

 private:
  Crossing* Detach() {
    crossing_->awaited_ = nullptr;
    return std::exchange(crossing_, nullptr);
  }

  kj::PromiseFulfiller<Arrival>& done_;
  Crossing* crossing_;
};

kj::Promise<Arrival> Crossing::Await(Carrier* carrier, std::function<void()> gone) {
  carrier_ = carrier;
  gone_ = std::move(gone);
  return kj::newAdaptedPromise<Arrival, Awaited>(*this);
}

void Crossing::OnReady(std::string peer, std::string common_name) {
  if (awaited_ == nullptr) return;
  awaited_->Fulfill({kj::heap<CrossedStream>(this), std::move(peer), std::move(common_name)});
}

void Crossing::OnRefused(const std::string& why) {
  if (awaited_ != nullptr) awaited_->Reject(Ended(why));
}

void Crossing::OnGone() {
  const std::function<void()> gone = std::move(gone_);
  delete this;
  gone();
}

// ---- What the peer sends

void Crossing::OnBytes(Block block, size_t passed_on) {
  OnPassedOn(passed_on);
  // Reading was given up.
  if (ended_) return;
  Keep(std::move(block));
  ServeReader();
}

// A peer that sends a byte at a time costs no more than others: all blocks but the last are at
// least half full.
void Crossing::Keep(Block block) {
  constexpr size_t kSmall = kIdleBlockBytes / 2;
  buffered_ += block.size;
  if (block.size > kSmall || came_.empty() || came_.back().size > kSmall) {
    came_.push_back(std::move(block));
    return;
  }
  Block& last = came_.back();
  if (last.room < kIdleBlockBytes) {
    Block larger(kIdleBlockBytes);
    std::memcpy(larger.bytes.get(), last.bytes.get(), last.size);
    larger.size = last.size;
    last = std::move(larger);
  }
  std::memcpy(last.bytes.get() + last.size, block.bytes.get(), block.size);
  last.size += block.size;
}

void Crossing::OnEnd() {
  ended_ = true;
  ServeReader();
}

void Crossing::OnReadFault(std::string why) {
  read_fault_ = std::move(why);
  ServeReader();
}

kj::Promise<size_t> Crossing::Read(void* to, size_t min, size_t max) {
  KJ_REQUIRE(!reading_.has_value() || !reading_->done->isWaiting(),
             "Expected one read of a stream at a time but found a second one");
  KJ_REQUIRE(min <= max, "Expected room for what is read at least but found less", min, max);
  if (max == 0) return size_t{0};
  auto* bytes = static_cast<std::byte*>(to);
  // Nothing is no news: the reader wants to know what comes.
  min = std::max<size_t>(min, 1);
  if (buffered_ >= min || ended_) return Take(bytes, max);
  if (!read_fault_.empty()) return Ended(read_fault_);
  auto done = kj::newPromiseAndFulfiller<size_t>();
  reading_ = Reading{kj::mv(done.fulfiller), bytes, min, max, 0};
  ServeReader();
  return kj::mv(done.promise);
}

// What was read is in the reader's memory before the promise is kept, and a reader that has gone
// has none: what it asked for is kept for the next one.
void Crossing::ServeReader() {
  if (!reading_.has_value()) return;
  if (!reading_->done->isWaiting()) {
    reading_.reset();
    return;
  }
  // One that asks for more than may be on the way is given it as it comes.
  if (reading_->min > kReadBufferBytes)
    reading_->filled += Take(reading_->to + reading_->filled, reading_->max - reading_->filled);
  const size_t lacks = reading_->min - std::min(reading_->filled, reading_->min);
  if (buffered_ < lacks && !ended_ && read_fault_.empty()) {
    // What it lacks must fit between what may be on the way and what the Carrier believes to be.
    if (buffered_ + passed_on_ + (lacks - buffered_) > kReadBufferBytes) TellSoon();
    return;
  }
  Reading served = *std::exchange(reading_, std::nullopt);
  if (buffered_ < lacks && !ended_) {
    served.done->reject(Ended(read_fault_));
  } else {
    served.done->fulfill(served.filled +
                         Take(served.to + served.filled, served.max - served.filled));
  }
}

size_t Crossing::Take(std::byte* to, size_t max) {
  size_t size = 0;
  while (size < max && !came_.empty()) {
    const Block& first = came_.front();
    const size_t part = std::min(first.size - begin_, max - size);
    std::memcpy(to + size, first.bytes.get() + begin_, part);
    size += part;
    begin_ += part;
    if (begin_ < first.size) break;
    came_.pop_front();
    begin_ = 0;
  }
  buffered_ -= size;
  passed_on_ += size;
  if (passed_on_ >= kReadBufferBytes / 2) TellSoon();
  return size;
}

void Crossing::AbortRead() {
  came_.clear();
  begin_ = buffered_ = 0;
  ended_ = true;
  ServeReader();
  there_.Post([carrier = carrier_] { carrier->AbortRead(); });
}

// ---- What is sent to the peer

kj::Promise<void> Crossing::Write(kj::ArrayPtr<const kj::byte> first, Pieces rest) {
  KJ_REQUIRE(!writing_.has_value() || !writing_->done->isWaiting(),
             "Expected one write of a stream at a time but found a second one");
  if (!write_fault_.empty()) return Ended(write_fault_);
  if (shut_) return Ended("Expected a stream that goes on but its half was ended");
  PiecesLeft left(first, rest);
  left.MoveTo(taken_, room());
  FlushSoon();
  if (left.empty()) return kj::READY_NOW;
  auto done = kj::newPromiseAndFulfiller<void>();
  writing_ = Writing{kj::mv(done.fulfiller), left};
  return kj::mv(done.promise);
}

size_t Crossing::room() const {
  return kWriteBufferBytes - std::min(kWriteBufferBytes, taken_.size() + on_the_way_);
}

void Crossing::OnPassedOn(size_t size) {
  on_the_way_ -= size;
  ServeWriter();
}

void Crossing::ServeWriter() {
  if (!writing_.has_value()) return;
  if (!writing_->done->isWaiting()) {
    writing_.reset();
    return;
  }
  if (!write_fault_.empty()) {
    std::exchange(writing_, std::nullopt)->done->reject(Ended(write_fault_));
    return;
  }
  if (room() == 0) return;
  writing_->left.MoveTo(taken_, room());
  FlushSoon();
  if (writing_->left.empty()) std::exchange(writing_, std::nullopt)->done->fulfill();
}

void Crossing::OnWriteFault(std::string why) {
  if (!write_fault_.empty()) return;
  write_fault_ = std::move(why);
  taken_ = {};
  ServeWriter();
  OnPeerGone();
}

void Crossing::ShutdownWrite() {
  shut_ = true;
  Flush();
  there_.Post([carrier = carrier_] { carrier->ShutdownWrite(); });
}

void Crossing::SetOption(int level, int option, const void* value, size_t length) {
  const auto* bytes = static_cast<const std::byte*>(value);
  there_.Post(
      [carrier = carrier_, level, option, copy = std::vector<std::byte>(bytes, bytes + length)]() {
        carrier->SetOption(level, option, copy);
      });
}

// How much was read: otherwise with the next bytes.
void Crossing::TellSoon() {
  if (passed_on_ == 0) return;
  tells_ = true;
  FlushSoon();
}

void Crossing::FlushSoon() {
  if (flush_soon_ || dropped_) return;
  flush_soon_ = true;
  loop_.FlushSoon(this);
}

void Crossing::Flush() {
  flush_soon_ = false;
  if (taken_.empty() && !tells_) return;
  tells_ = false;
  on_the_way_ += taken_.size();
  there_.Post([carrier = carrier_, bytes = std::exchange(taken_, {}),
               passed_on = std::exchange(passed_on_, 0)]() mutable {
    carrier->Send(std::move(bytes), passed_on);
  });
}

// ---- The end

void Crossing::OnPeerGone() {
  disconnected_ = true;
  if (on_disconnected_.get() != nullptr) on_disconnected_->fulfill();
}

kj::Promise<void> Crossing::WhenDisconnected() {
  if (disconnected_) return kj::READY_NOW;
  KJ_IF_MAYBE (fork, when_disconnected_) return fork->addBranch();
  auto pair = kj::newPromiseAndFulfiller<void>();
  on_disconnected_ = kj::mv(pair.fulfiller);
  return when_disconnected_.emplace(pair.promise.fork()).addBranch();
}

void Crossing::Drop() {
  Flush();
  dropped_ = true;
  loop_.Forget(this);
  if (reading_.has_value()) reading_->done->reject(Ended(kDropped));
  if (writing_.has_value()) writing_->done->reject(Ended(kDropped));
  reading_.reset();
  writing_.reset();
  when_disconnected_ = nullptr;
  on_disconnected_ = nullptr;
  came_.clear();
  there_.Post([carrier = carrier_] { carrier->Drop(); });
}

}  // namespace stele::server
