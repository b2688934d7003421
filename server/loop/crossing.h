// The end of a connection at which it is served, where its socket lives on another loop.
//
//     socket ── TLS ── Carrier ══ letters ══ Crossing ── kj::AsyncIoStream
//     └────── on the connection's loop ┘      └ on the loop that serves
//
// At most kReadBufferBytes that the peer sent, and kWriteBufferBytes for it, are on their way: who
// has sent as much waits until the other says that they were passed on: with the next bytes, when
// half of them are, or when a reader waits for what would not fit.
//
// Thread: the loop's that serves. What the Carrier says comes through that loop's Inbox.
#pragma once

#include <kj/async-io.h>
#include <kj/async.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/loop/inbox.h"
#include "server/loop/kj_loop.h"
#include "server/loop/pieces.h"
#include "server/loop/welcome.h"

namespace stele::server {

class Carrier;

// Bytes that came in one piece.
struct Block {
  Block() = default;
  explicit Block(size_t room)
      : bytes(std::make_unique_for_overwrite<std::byte[]>(room)), room(room) {}

  std::unique_ptr<std::byte[]> bytes;
  size_t room = 0;
  size_t size = 0;
};

// Owned by itself: it ends when the Carrier has ended, which it does when the stream was dropped.
class Crossing final : private KjLoop::Flushable {
 public:
  // REQUIRES: `there`, the other loop's inbox, and the loops outlive it.
  Crossing(KjLoop& loop, Inbox& there);
  Crossing(const Crossing&) = delete;
  Crossing& operator=(const Crossing&) = delete;

  // Once. The promise fails as DISCONNECTED if the connection ends before it is ready; dropping it
  // ends the connection. `gone` is called at the very end.
  kj::Promise<Arrival> Await(Carrier* carrier, std::function<void()> gone);

  // What the Carrier says.
  void OnReady(std::string peer, std::string common_name);
  void OnRefused(const std::string& why);
  void OnBytes(Block block, size_t passed_on);
  void OnPassedOn(size_t size);
  void OnEnd();
  void OnReadFault(std::string why);
  void OnWriteFault(std::string why);
  void OnPeerGone();
  void OnGone();

  // The stream's. A read of more than kReadBufferBytes at least is served straight into its
  // reader's memory: one that is dropped has lost what came for it.
  kj::Promise<size_t> Read(void* to, size_t min, size_t max);
  // `first` goes before `rest`.
  kj::Promise<void> Write(kj::ArrayPtr<const kj::byte> first, Pieces rest);
  kj::Promise<void> WhenDisconnected();
  void ShutdownWrite();
  void AbortRead();
  void SetOption(int level, int option, const void* value, size_t length);
  // The stream is gone; what it had taken is sent still, for kLingerMs.
  void Drop();

 private:
  class Awaited;
  struct Reading {
    kj::Own<kj::PromiseFulfiller<size_t>> done;
    std::byte* to;
    size_t min;
    size_t max;
    size_t filled;  // so much of it has been given
  };
  struct Writing {
    kj::Own<kj::PromiseFulfiller<void>> done;
    PiecesLeft left;
  };

  ~Crossing() = default;
  void Flush() override;
  void FlushSoon();
  void TellSoon();
  size_t Take(std::byte* to, size_t max);
  void Keep(Block block);
  void ServeReader();
  void ServeWriter();
  size_t room() const;

  KjLoop& loop_;
  Inbox& there_;
  Carrier* carrier_ = nullptr;
  std::function<void()> gone_;
  const KjLoop::KeepAlive keep_alive_;
  Awaited* awaited_ = nullptr;  // null: it has come, or will not
  bool dropped_ = false;

  std::deque<Block> came_;
  size_t begin_ = 0;      // of the first block: so much was read
  size_t buffered_ = 0;   // in all blocks
  size_t passed_on_ = 0;  // read, and the Carrier was not told
  std::optional<Reading> reading_;
  bool ended_ = false;
  std::string read_fault_;  // empty: none

  std::vector<std::byte> taken_;  // goes out at the end of the turn
  size_t on_the_way_ = 0;         // and was not passed on, as far as is known
  std::optional<Writing> writing_;
  bool flush_soon_ = false;
  bool tells_ = false;  // how much was read, whether or not bytes go with it
  bool shut_ = false;
  std::string write_fault_;  // empty: none

  bool disconnected_ = false;
  kj::Own<kj::PromiseFulfiller<void>> on_disconnected_;
  kj::Maybe<kj::ForkedPromise<void>> when_disconnected_;
};

}  // namespace stele::server
