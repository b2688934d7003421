// The messages of Cap'n Proto RPC over one stream, many at a time: what is said in one turn of the
// loop goes out as one write, and what has come in one read is handed on without going back to the
// stream. It does what capnp::TwoPartyVatNetwork does, within bounds, for a fraction of the work:
// no promise and no fresh 8 KiB for each message. The framing is that of
// https://capnproto.org/encoding.html ("Serialization Over a Stream").
//
// No more is read while the peer does not read what it has asked for, and of a peer that is not
// known only so much (Options).
//
// Thread: the loop's.
#pragma once

#include <capnp/rpc-twoparty.h>
#include <capnp/serialize.h>
#include <kj/async-io.h>

#include <cstdint>
#include <vector>

#include "server/vat/message_buffers.h"

namespace stele::server {

class MessageNetwork final : public capnp::TwoPartyVatNetworkBase,
                             private capnp::TwoPartyVatNetworkBase::Connection {
 public:
  struct Options {
    capnp::rpc::twoparty::Side side = capnp::rpc::twoparty::Side::CLIENT;
    // A message, in both directions, and what may be read of it: pointers may overlap.
    uint64_t max_message_words = kMaxWordsOfMessage;
    // Bytes that the peer has not read: nothing more is read at so many.
    size_t max_unsent_bytes = SIZE_MAX;
    // The same: at more there is no room for what is said without being asked (WhenRoom).
    size_t max_unasked_bytes = SIZE_MAX;
    // Whether it is known who the peer is, and what it may send in all before; null: anything.
    const bool* known = nullptr;
    uint64_t max_words_unknown = 0;
  };

  // REQUIRES: the stream and Options::known outlive it.
  MessageNetwork(kj::AsyncIoStream& stream, kj::Own<MessageBuffers> buffers, Options options);
  MessageNetwork(const MessageNetwork&) = delete;
  MessageNetwork& operator=(const MessageNetwork&) = delete;
  ~MessageNetwork() noexcept(false);

  // When the RPC system is done with the connection: the peer has gone, or is to.
  kj::Promise<void> onDisconnect() { return when_disconnected_.addBranch(); }
  // Bytes that were said and not taken by the stream, and those that were taken in all: a peer that
  // reads, however slowly, moves them.
  size_t unsent_bytes() const { return said_.size() + being_written_.size() - taken_; }
  uint64_t sent_bytes() const { return sent_bytes_; }
  // Whether something may be said that nobody has asked for. Whoever does so looks, and waits while
  // there is no room. Many are told at once that there is: each looks again, as those before it may
  // have filled it.
  bool HasRoom() const { return unsent_bytes() <= options_.max_unasked_bytes; }
  kj::Promise<void> WhenRoom();

  kj::Maybe<kj::Own<capnp::TwoPartyVatNetworkBase::Connection>> connect(
      capnp::rpc::twoparty::VatId::Reader peer) override;
  kj::Promise<kj::Own<capnp::TwoPartyVatNetworkBase::Connection>> accept() override;

 private:
  class Outgoing;
  class Incoming;
  using Received = kj::Maybe<kj::Own<capnp::IncomingRpcMessage>>;

  // Tells when nobody holds the connection any more.
  class Holders final : public kj::Disposer {
   public:
    void disposeImpl(void* pointer) const override;
    mutable size_t count = 0;
    mutable kj::Own<kj::PromiseFulfiller<void>> gone;
  };

  kj::Own<capnp::TwoPartyVatNetworkBase::Connection> AsConnection();

  capnp::rpc::twoparty::VatId::Reader getPeerVatId() override;
  kj::Own<capnp::RpcFlowController> newStream() override;
  kj::Own<capnp::OutgoingRpcMessage> newOutgoingMessage(unsigned first_segment_words) override;
  kj::Promise<Received> receiveIncomingMessage() override;
  kj::Promise<void> shutdown() override;

  // ---- Out ----
  void Say(kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>> segments);
  kj::Promise<void> WriteOn();
  kj::Promise<void> WritePiece();
  void TellRoom();
  void AfterWrites();
  void Fail(kj::Exception&& exception);

  // ---- In ----
  // The words of the next message behind its table, when that is there.
  kj::Maybe<uint64_t> SizeOfNext(size_t& table_bytes) const;
  uint64_t MaxWords() const;
  size_t read_bytes() const { return read_end_ - read_begin_; }
  const kj::byte* read_data() const { return read_.asBytes().begin() + read_begin_; }
  kj::Promise<Received> ReadMore(size_t wanted_bytes);
  kj::Promise<Received> ReadLarge(size_t bytes);
  kj::Own<capnp::IncomingRpcMessage> Make(kj::Array<capnp::word> words);

  kj::AsyncIoStream& stream_;
  kj::Own<MessageBuffers> buffers_;
  const Options options_;
  capnp::MallocMessageBuilder peer_id_;
  bool accepted_ = false;
  kj::Own<kj::PromiseFulfiller<kj::Own<capnp::TwoPartyVatNetworkBase::Connection>>> no_more_;

  std::vector<kj::byte> said_;
  std::vector<kj::byte> being_written_;
  size_t taken_ = 0;  // of what is being written
  uint64_t sent_bytes_ = 0;
  bool writes_ = false;
  bool shut_ = false;
  kj::Maybe<kj::Exception> failure_;             // of a write: nothing is read any more either
  kj::Own<kj::PromiseFulfiller<void>> written_;  // of shutdown
  kj::Own<kj::PromiseFulfiller<void>> room_;     // of a reader that waits, or has waited
  // Of those that wait to say something; null: none has asked since the last ones were told.
  kj::Own<kj::PromiseFulfiller<void>> say_;
  kj::ForkedPromise<void> may_say_;
  kj::Canceler reading_;

  kj::Array<capnp::word> read_;
  size_t read_begin_ = 0;
  size_t read_end_ = 0;
  uint64_t words_received_ = 0;  // while nobody was known

  Holders holders_;
  kj::ForkedPromise<void> when_disconnected_;
  kj::Promise<void> writing_ = kj::READY_NOW;
};

}  // namespace stele::server
