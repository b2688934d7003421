// The end of a connection at which its socket lives, where it is served on another loop:
// crossing.h.
//
// Thread: the connection's loop's, but where it says otherwise.
#pragma once

#include <kj/async-io.h>
#include <kj/async.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "server/loop/inbox.h"
#include "server/loop/kj_loop.h"
#include "server/loop/limits.h"
#include "server/loop/stream.h"
#include "server/loop/tls.h"

namespace stele::server {

class Crossing;

class Carrier {
 public:
  // On any thread. `home`: the inbox of the loop that serves, where the crossing is. REQUIRES: it
  // outlives the carrier. `linger_ms`: how long one that was dropped goes on sending what was
  // given.
  Carrier(Inbox& home, Crossing* crossing, uint64_t linger_ms)
      : home_(home), crossing_(crossing), linger_ms_(linger_ms) {}
  Carrier(const Carrier&) = delete;
  Carrier& operator=(const Carrier&) = delete;
  // The crossing ends, too.
  ~Carrier();

  // Takes the socket over; kept when the connection was dropped and nothing is left to be sent.
  kj::Promise<void> Run(KjLoop& loop, int fd, PeerEnd peer_end, const TlsAcceptor& tls);

  // What the crossing says. Drop is the last of it.
  void Send(std::vector<std::byte> bytes, size_t passed_on);
  void ShutdownWrite();
  void AbortRead();
  void SetOption(int level, int option, const std::vector<std::byte>& value);
  void Drop();

 private:
  kj::Promise<void> Open(int fd, PeerEnd peer_end, const TlsAcceptor& tls);
  kj::Promise<void> ReadOn();
  kj::Promise<void> WriteOn();
  void GiveUpWriting(const kj::Exception& fault);
  void AfterWrites();
  void EndHalf();
  void Finish() { finished_->fulfill(); }

  Inbox& home_;
  Crossing* const crossing_;
  const uint64_t linger_ms_;
  KjLoop* loop_ = nullptr;
  int fd_ = -1;                        // the stream's
  kj::Own<kj::AsyncIoStream> stream_;  // null: not yet
  kj::Own<kj::PromiseFulfiller<void>> finished_;
  bool dropped_ = false;

  // What was read and not passed on, as far as is known.
  size_t unread_ = 0;
  size_t block_bytes_ = kIdleBlockBytes;            // of the next read
  kj::Own<kj::PromiseFulfiller<void>> read_again_;  // while too much is unread

  std::deque<std::vector<std::byte>> to_send_;
  bool writes_ = false;
  bool shut_ = false;
  bool deaf_ = false;     // the peer takes nothing any more
  size_t passed_on_ = 0;  // and the crossing was not told

  // Last: they use the rest.
  kj::Promise<void> opening_ = nullptr;
  kj::Promise<void> reading_ = nullptr;
  kj::Promise<void> writing_ = nullptr;
  kj::Promise<void> watching_ = nullptr;
  kj::Promise<void> lingering_ = nullptr;
};

}  // namespace stele::server
