// A connection whose reader, kj's HTTP server, sees rightly framed requests alone, one at a time,
// and the end of the input behind the last one. What is no such request is answered here.
//
// Reads go straight into the reader's memory where nothing has to be looked at, so a connection
// that is idle, and one whose requests come in one piece, keeps no bytes.
//
// Owner: the connection's promise; outlives its reader. Thread: the connection's.
#pragma once

#include <kj/async-io.h>
#include <kj/timer.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/frame_check.h"
#include "server/http/framing.h"

namespace stele::server::http {

class FramedStream final : public kj::AsyncIoStream {
 public:
  // The bytes of the response that refuses a request, the connection's last.
  using Refusal = std::function<std::string(const FramingFault& fault)>;

  struct Times {
    kj::Duration head;  // for a whole head, from its first byte, and for the first one from now
    kj::Duration idle;  // from one request's reading to the next head's first byte
  };

  // A head that is late is refused with 408; where nothing of it has come, the input ends.
  FramedStream(kj::Own<kj::AsyncIoStream> connection, kj::Timer& timer, Times times,
               Refusal refusal);
  KJ_DISALLOW_COPY(FramedStream);

  // Of the request whose head was read last.
  const HeadReader::Facts& facts() const { return facts_; }
  // What is wrong with its body, once a read has failed.
  const std::optional<FramingFault>& fault() const { return framing_.fault(); }
  // The input ends behind that request.
  bool ends_behind() const { return last_; }
  void EndBehind() { last_ = true; }
  // What follows are the frames of a WebSocket: they pass as they come. A read fails when there is
  // one among them that no client may send.
  void PassFrames() { passes_all_ = true; }

  // Ends our half and drops what comes still, within bounds, so that what was written reaches a
  // client that is still sending. REQUIRES: nobody reads or writes any more.
  kj::Promise<void> Linger();

  kj::Promise<size_t> tryRead(void* buffer, size_t min, size_t max) override;
  kj::Promise<void> write(const void* buffer, size_t size) override {
    return connection_->write(buffer, size);
  }
  kj::Promise<void> write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) override {
    return connection_->write(pieces);
  }
  kj::Promise<void> whenWriteDisconnected() override {
    return connection_->whenWriteDisconnected();
  }
  void shutdownWrite() override;
  void abortRead() override { connection_->abortRead(); }
  void getsockopt(int level, int option, void* value, kj::uint* length) override {
    connection_->getsockopt(level, option, value, length);
  }
  void setsockopt(int level, int option, const void* value, kj::uint length) override {
    connection_->setsockopt(level, option, value, length);
  }
  void getsockname(sockaddr* address, kj::uint* length) override {
    connection_->getsockname(address, length);
  }
  void getpeername(sockaddr* address, kj::uint* length) override {
    connection_->getpeername(address, length);
  }

 private:
  // A read: `done` bytes are in its memory.
  struct Room {
    char* to;
    size_t min;
    size_t max;
    size_t done;
    char* end() const { return to + done; }
    size_t left() const { return max - done; }
  };

  kj::Promise<size_t> Read(Room room);
  kj::Promise<size_t> ReadStraight(Room room);
  kj::Promise<size_t> ReadHeadStraight(Room room);
  kj::Promise<size_t> ReadAhead(Room room);
  kj::Promise<size_t> InTime(kj::Promise<size_t> read, kj::TimePoint end);
  kj::Promise<size_t> OnEnd(Room room);
  kj::Promise<size_t> OnFault();
  kj::Promise<size_t> Refuse(const FramingFault& fault);
  void HandOver(Room& room);
  std::optional<Framing::Step> NextStep(std::span<char> input);
  bool between() const { return framing_.between() && pass_ == 0 && instead_.empty(); }

  std::span<char> kept() { return {kept_.data() + begin_, end_ - begin_}; }
  // How many of so many bytes may pass, and that they did.
  size_t Passing(size_t most) const;
  void Passed(size_t size);
  void Keep(std::span<const char> bytes);
  void Take(size_t size);
  std::span<char> MakeRoom();

  kj::Own<kj::AsyncIoStream> connection_;
  kj::Timer& timer_;
  const Times times_;
  const Refusal refusal_;

  Framing framing_;
  HeadReader::Facts facts_;
  std::string_view instead_;  // the framing's, to be handed over
  uint64_t pass_ = 0;         // bytes that come next and are handed over as they are
  std::vector<char> kept_;    // those from begin_ to end_ have come and wait
  size_t begin_ = 0;
  size_t end_ = 0;
  std::optional<kj::TimePoint> head_end_;  // when the head must be there
  bool last_ = false;
  bool ended_ = false;  // nothing is handed over any more
  bool peer_ended_ = false;
  bool passes_all_ = false;
  FrameCheck frames_;
  bool shut_ = false;
};

}  // namespace stele::server::http
