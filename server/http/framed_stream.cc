#include "server/http/framed_stream.h"

#include <fmt/format.h>
#include <kj/debug.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "server/http/limits.h"

namespace stele::server::http {
namespace {

constexpr size_t kPiece = 4096;
// No read gives so many bytes.
constexpr size_t kLate = ~size_t{0};

kj::Promise<void> Drop(kj::AsyncInputStream& from, kj::ArrayPtr<char> room, size_t most) {
  return from.tryRead(room.begin(), 1, room.size())
      .then([&from, room, most](size_t size) -> kj::Promise<void> {
        if (size == 0 || size >= most) return kj::READY_NOW;
        return Drop(from, room, most - size);
      });
}

}  // namespace

FramedStream::FramedStream(kj::Own<kj::AsyncIoStream> connection, kj::Timer& timer, Times times,
                           Refusal refusal)
    : connection_(kj::mv(connection)),
      timer_(timer),
      times_(times),
      refusal_(std::move(refusal)),
      head_end_(timer.now() + times.head) {}

kj::Promise<size_t> FramedStream::tryRead(void* buffer, size_t min, size_t max) {
  const Room room{.to = static_cast<char*>(buffer), .min = min, .max = max, .done = 0};
  if (!passes_all_) return Read(room);
  return Read(room).then([this, room](size_t size) -> kj::Promise<size_t> {
    if (const char* fault = frames_.Next({room.to, size}); fault != nullptr)
      return KJ_EXCEPTION(FAILED, fault);
    return size;
  });
}

kj::Promise<size_t> FramedStream::Read(Room room) {
  HandOver(room);
  if (room.done >= room.min || ended_) return room.done;
  if (passes_all_ || pass_ > 0) return ReadStraight(room);
  if (framing_.fault().has_value()) return OnFault();
  // One request at a time, and none behind the last.
  if (between() && (room.done > 0 || last_)) return room.done;
  return between() && begin_ == end_ ? ReadHeadStraight(room) : ReadAhead(room);
}

void FramedStream::HandOver(Room& room) {
  while (room.left() > 0) {
    if (!instead_.empty()) {
      const size_t size = std::min(room.left(), instead_.size());
      std::memcpy(room.end(), instead_.data(), size);
      instead_.remove_prefix(size);
      room.done += size;
    } else if (const size_t size = Passing(std::min(room.left(), kept().size())); size > 0) {
      std::memcpy(room.end(), kept().data(), size);
      Passed(size);
      Take(size);
      room.done += size;
    } else {
      const bool at_end = between() && (room.done > 0 || last_);
      if (passes_all_ || pass_ > 0 || kept().empty() || at_end) return;
      const auto step = NextStep(kept());
      if (!step.has_value()) return;
      Take(step->drop);
      instead_ = step->instead;
      pass_ = step->pass;
    }
  }
}

std::optional<Framing::Step> FramedStream::NextStep(std::span<char> input) {
  const bool of_head = framing_.between();
  auto step = framing_.Next(input);
  if (of_head && step.has_value()) {
    facts_ = framing_.facts();
    last_ |= facts_.close;
    head_end_.reset();
  }
  return step;
}

kj::Promise<size_t> FramedStream::ReadStraight(Room room) {
  const size_t max = Passing(room.left());
  const size_t min = std::min(room.min - room.done, max);
  return connection_->tryRead(room.end(), min, max).then([this, room, min](size_t size) mutable {
    Passed(size);
    room.done += size;
    peer_ended_ = size < min;
    ended_ = peer_ended_;
    return Read(room);
  });
}

kj::Promise<size_t> FramedStream::ReadHeadStraight(Room room) {
  // Of the first head the time runs already.
  const kj::TimePoint end = head_end_.value_or(timer_.now() + times_.idle);
  return InTime(connection_->tryRead(room.to, 1, room.max), end)
      .then([this, room](size_t size) mutable -> kj::Promise<size_t> {
        if (size == 0) return OnEnd(room);
        if (size == kLate) {
          ended_ = true;
          return room.done;
        }
        const std::span<char> came(room.to, size);
        const auto step = NextStep(came);
        if (step.has_value() && step->drop == 0) {
          // The common case: the head is where it belongs, with as much of its body as came.
          pass_ = step->pass;
          room.done = Passing(size);
          Passed(room.done);
          Keep(came.subspan(room.done));
        } else {
          Keep(came.subspan(step.has_value() ? step->drop : 0));
          if (step.has_value()) pass_ = step->pass;
        }
        return Read(room);
      });
}

kj::Promise<size_t> FramedStream::ReadAhead(Room room) {
  const bool of_head = framing_.between();
  if (of_head && !head_end_.has_value()) head_end_ = timer_.now() + times_.head;
  const std::span<char> ahead = MakeRoom();
  auto read = connection_->tryRead(ahead.data(), 1, ahead.size());
  if (of_head) read = InTime(kj::mv(read), *head_end_);
  return read.then([this, room](size_t size) -> kj::Promise<size_t> {
    if (size == 0) return OnEnd(room);
    if (size == kLate)
      return Refuse(
          {.status = 408,
           .error = {ErrorCode::kTimeout,
                     fmt::format("Expected a whole head within {} s but found a part of it",
                                 times_.head / kj::SECONDS)}});
    end_ += size;
    return Read(room);
  });
}

kj::Promise<size_t> FramedStream::InTime(kj::Promise<size_t> read, kj::TimePoint end) {
  return read.exclusiveJoin(timer_.atTime(end).then([]() { return kLate; }));
}

kj::Promise<size_t> FramedStream::OnEnd(Room room) {
  peer_ended_ = true;
  ended_ = true;
  framing_.End(kept());
  if (fault().has_value()) return OnFault();
  return room.done;
}

// Whoever reads a body answers for it; between two requests nobody would.
kj::Promise<size_t> FramedStream::OnFault() {
  if (framing_.between()) return Refuse(*fault());
  return KJ_EXCEPTION(FAILED, fault()->error.message.c_str());
}

kj::Promise<size_t> FramedStream::Refuse(const FramingFault& fault) {
  ended_ = true;
  auto bytes = kj::heap<std::string>(refusal_(fault));
  auto sent = connection_->write(bytes->data(), bytes->size());
  return sent.attach(kj::mv(bytes)).then([]() { return size_t{0}; });
}

kj::Promise<void> FramedStream::Linger() {
  if (peer_ended_) return kj::READY_NOW;
  auto room = kj::heapArray<char>(kPiece);
  return kj::evalNow([&]() {
           shutdownWrite();
           return Drop(*connection_, room, kMaxDroppedBytes);
         })
      .attach(kj::mv(room))
      // It is broken: there is nobody to wait for.
      .catch_([](kj::Exception&&) {})
      .exclusiveJoin(timer_.afterDelay(kDropSeconds * kj::SECONDS));
}

void FramedStream::shutdownWrite() {
  if (!std::exchange(shut_, true)) connection_->shutdownWrite();
}

size_t FramedStream::Passing(size_t most) const {
  return passes_all_ ? most : static_cast<size_t>(std::min<uint64_t>(most, pass_));
}

void FramedStream::Passed(size_t size) {
  if (!passes_all_) pass_ -= size;
}

void FramedStream::Keep(std::span<const char> bytes) {
  kept_ = std::vector<char>(bytes.begin(), bytes.end());
  begin_ = 0;
  end_ = kept_.size();
}

void FramedStream::Take(size_t size) {
  begin_ += size;
  if (begin_ == end_) Keep({});
}

std::span<char> FramedStream::MakeRoom() {
  if (kept_.size() - end_ < kPiece / 2) {
    std::ranges::copy(kept(), kept_.begin());
    end_ -= std::exchange(begin_, 0);
    kept_.resize(std::max(kPiece, end_ + kPiece));
  }
  return std::span(kept_).subspan(end_);
}

}  // namespace stele::server::http
