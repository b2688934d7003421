// The messages of a connection, read and written within bounds.
//
// No more is read while the peer does not read what it has asked for, and of somebody who is not
// known only so much (limits.h); RpcSystem itself bounds the calls that are not answered yet.
//
// Thread: the loop's.
#pragma once

#include <capnp/rpc-twoparty.h>
#include <capnp/serialize-async.h>

#include "server/rpc/access.h"

namespace stele::server::rpc {

class BoundedMessages final : public capnp::MessageStream {
 public:
  // REQUIRES: both outlive it.
  BoundedMessages(kj::AsyncIoStream& stream, const Connected& connected)
      : messages_(stream), connected_(connected) {}

  // Whose answers it writes. REQUIRES: it is destroyed before this.
  void Watch(capnp::TwoPartyVatNetwork* network) { network_ = network; }

  kj::Promise<kj::Maybe<capnp::MessageReaderAndFds>> tryReadMessage(
      kj::ArrayPtr<kj::AutoCloseFd> fds, capnp::ReaderOptions options,
      kj::ArrayPtr<capnp::word> scratch) override;
  kj::Promise<void> writeMessage(
      kj::ArrayPtr<const int> fds,
      kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>> segments) override;
  kj::Promise<void> writeMessages(
      kj::ArrayPtr<kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>>> messages) override;
  kj::Maybe<int> getSendBufferSize() override { return messages_.getSendBufferSize(); }
  kj::Promise<void> end() override { return messages_.end(); }

 private:
  bool IsFull() const;
  // A reader that waits looks again.
  void TellRoom();

  capnp::AsyncIoMessageStream messages_;
  const Connected& connected_;
  capnp::TwoPartyVatNetwork* network_ = nullptr;
  uint64_t words_before_login_ = 0;
  kj::Own<kj::PromiseFulfiller<void>> room_;  // of the reader that waits, or has waited
};

}  // namespace stele::server::rpc
