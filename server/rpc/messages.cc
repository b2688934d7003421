#include "server/rpc/messages.h"

#include <algorithm>

#include "server/rpc/limits.h"

namespace stele::server::rpc {

namespace {

// MessageReader::sizeInWords of 0.9.2 must not be asked before the root is.
uint64_t WordsOf(capnp::MessageReader& message) {
  uint64_t words = 0;
  for (unsigned id = 0;; ++id) {
    const kj::ArrayPtr<const capnp::word> segment = message.getSegment(id);
    if (segment.begin() == nullptr) return words;
    words += segment.size();
  }
}

}  // namespace

bool BoundedMessages::IsFull() const {
  return network_ != nullptr && network_->getCurrentQueueSize() > kMaxUnsentBytes;
}

kj::Promise<kj::Maybe<capnp::MessageReaderAndFds>> BoundedMessages::tryReadMessage(
    kj::ArrayPtr<kj::AutoCloseFd> fds, capnp::ReaderOptions options,
    kj::ArrayPtr<capnp::word> scratch) {
  if (IsFull()) {
    auto room = kj::newPromiseAndFulfiller<void>();
    room_ = kj::mv(room.fulfiller);
    return room.promise.then([this, fds, options, scratch] {
      // Whoever counts what is queued hears of the end of a write behind us.
      return kj::evalLater(
          [this, fds, options, scratch] { return tryReadMessage(fds, options, scratch); });
    });
  }
  if (connected_.admitted) return messages_.tryReadMessage(fds, options, scratch);
  options.traversalLimitInWords =
      std::min(options.traversalLimitInWords, kWordsBeforeLogin - words_before_login_);
  return messages_.tryReadMessage(fds, options, scratch)
      .then([this](kj::Maybe<capnp::MessageReaderAndFds> message) {
        KJ_IF_MAYBE (read, message) {
          words_before_login_ =
              std::min(kWordsBeforeLogin, words_before_login_ + WordsOf(*read->reader) + 1);
        }
        return message;
      });
}

void BoundedMessages::TellRoom() {
  if (room_.get() != nullptr) room_->fulfill();
}

kj::Promise<void> BoundedMessages::writeMessage(
    kj::ArrayPtr<const int> fds, kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>> segments) {
  // What has filled the queue is behind the write that had begun, so that it tells: when it begins,
  // or when it ends.
  const bool full = IsFull();
  if (!full) TellRoom();
  auto written = messages_.writeMessage(fds, segments);
  if (!full) return written;
  return written.then([this] { TellRoom(); });
}

kj::Promise<void> BoundedMessages::writeMessages(
    kj::ArrayPtr<kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>>> messages) {
  return messages_.writeMessages(messages);
}

}  // namespace stele::server::rpc
