#include "server/vat/message_network.h"

#include <kj/debug.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace stele::server {

namespace {

using capnp::word;

// What is read at once from a peer that says little, and from one that has filled that.
constexpr size_t kFewWords = 512;        // 4 KiB
constexpr size_t kManyWords = 8u << 10;  // 64 KiB
// As capnp itself has it.
constexpr uint32_t kMaxSegments = 512;
// What stays of a buffer of what was said.
constexpr size_t kKeptBytes = 256u << 10;
// What is written at once: smaller than what the kernel holds, so that it is seen when a peer
// reads.
constexpr size_t kPieceBytes = 64u << 10;
// Of calls that stream: bytes that are under way.
constexpr size_t kStreamWindowBytes = 256u << 10;

uint32_t NumberAt(const kj::byte* bytes, size_t index) {
  uint32_t number = 0;
  std::memcpy(&number, bytes + index * sizeof number, sizeof number);
  return number;
}

void AppendNumber(std::vector<kj::byte>& to, uint32_t number) {
  const auto* bytes = reinterpret_cast<const kj::byte*>(&number);
  to.insert(to.end(), bytes, bytes + sizeof number);
}

size_t BytesOfTable(uint32_t segments) {
  return (segments / 2 + 1) * sizeof(word);
}

}  // namespace

class MessageNetwork::Outgoing final : public capnp::OutgoingRpcMessage {
 public:
  Outgoing(MessageNetwork& network, unsigned first_segment_words)
      : network_(network),
        first_(kj::addRef(*network.buffers_)),
        message_(first_segment_words > kWordsOfBuffer
                     ? capnp::MallocMessageBuilder(first_segment_words)
                     : capnp::MallocMessageBuilder(first_.words)) {}

  capnp::AnyPointer::Builder getBody() override { return message_.getRoot<capnp::AnyPointer>(); }
  void send() override {
    const size_t words = message_.sizeInWords();
    KJ_REQUIRE(words <= network_.options_.max_message_words,
               "Expected a message within bounds but found a larger one", words);
    network_.Say(message_.getSegmentsForOutput());
  }
  size_t sizeInWords() override { return message_.sizeInWords(); }

 private:
  // The builder leaves its first segment zeroed.
  struct First {
    explicit First(kj::Own<MessageBuffers> from) : buffers(kj::mv(from)), words(buffers->Take()) {}
    ~First() { buffers->GiveBack(kj::mv(words)); }
    First(const First&) = delete;
    First& operator=(const First&) = delete;
    kj::Own<MessageBuffers> buffers;
    kj::Array<word> words;
  };

  MessageNetwork& network_;
  First first_;
  capnp::MallocMessageBuilder message_;
};

class MessageNetwork::Incoming final : public capnp::IncomingRpcMessage {
 public:
  Incoming(kj::Array<word> words, const capnp::ReaderOptions& options)
      : words_(kj::mv(words)), reader_(words_, options) {}
  capnp::AnyPointer::Reader getBody() override { return reader_.getRoot<capnp::AnyPointer>(); }
  size_t sizeInWords() override { return words_.size(); }

 private:
  kj::Array<word> words_;
  capnp::FlatArrayMessageReader reader_;
};

void MessageNetwork::Holders::disposeImpl(void* pointer) const {
  if (--count == 0) gone->fulfill();
}

MessageNetwork::MessageNetwork(kj::AsyncIoStream& stream, kj::Own<MessageBuffers> buffers,
                               Options options)
    : stream_(stream),
      buffers_(kj::mv(buffers)),
      options_(options),
      peer_id_(4),
      may_say_(nullptr),
      when_disconnected_(nullptr) {
  using capnp::rpc::twoparty::Side;
  peer_id_.initRoot<capnp::rpc::twoparty::VatId>().setSide(
      options.side == Side::CLIENT ? Side::SERVER : Side::CLIENT);
  auto gone = kj::newPromiseAndFulfiller<void>();
  holders_.gone = kj::mv(gone.fulfiller);
  when_disconnected_ = gone.promise.fork();
}

MessageNetwork::~MessageNetwork() noexcept(false) = default;

kj::Own<capnp::TwoPartyVatNetworkBase::Connection> MessageNetwork::AsConnection() {
  ++holders_.count;
  return {this, holders_};
}

kj::Maybe<kj::Own<capnp::TwoPartyVatNetworkBase::Connection>> MessageNetwork::connect(
    capnp::rpc::twoparty::VatId::Reader peer) {
  // It is itself whom it asks for.
  if (peer.getSide() == options_.side) return nullptr;
  return AsConnection();
}

kj::Promise<kj::Own<capnp::TwoPartyVatNetworkBase::Connection>> MessageNetwork::accept() {
  if (options_.side == capnp::rpc::twoparty::Side::SERVER && !std::exchange(accepted_, true))
    return AsConnection();
  // There is one connection.
  auto never = kj::newPromiseAndFulfiller<kj::Own<capnp::TwoPartyVatNetworkBase::Connection>>();
  no_more_ = kj::mv(never.fulfiller);
  return kj::mv(never.promise);
}

capnp::rpc::twoparty::VatId::Reader MessageNetwork::getPeerVatId() {
  return peer_id_.getRoot<capnp::rpc::twoparty::VatId>();
}

kj::Own<capnp::RpcFlowController> MessageNetwork::newStream() {
  return capnp::RpcFlowController::newFixedWindowController(kStreamWindowBytes);
}

// ---- Out ----

kj::Own<capnp::OutgoingRpcMessage> MessageNetwork::newOutgoingMessage(
    unsigned first_segment_words) {
  return kj::heap<Outgoing>(*this, first_segment_words);
}

void MessageNetwork::Say(kj::ArrayPtr<const kj::ArrayPtr<const word>> segments) {
  if (shut_ || failure_ != nullptr) return;
  AppendNumber(said_, static_cast<uint32_t>(segments.size() - 1));
  for (const auto& segment : segments) AppendNumber(said_, static_cast<uint32_t>(segment.size()));
  if (segments.size() % 2 == 0) AppendNumber(said_, 0);
  for (const auto& segment : segments) {
    const auto bytes = segment.asBytes();
    said_.insert(said_.end(), bytes.begin(), bytes.end());
  }
  if (std::exchange(writes_, true)) return;
  // With all that is said by those whose turn comes before.
  writing_ = kj::evalLater([this] { return WriteOn(); }).eagerlyEvaluate([this](auto&& exception) {
    Fail(kj::mv(exception));
  });
}

kj::Promise<void> MessageNetwork::WriteOn() {
  if (said_.empty()) {
    AfterWrites();
    return kj::READY_NOW;
  }
  std::swap(said_, being_written_);
  return WritePiece();
}

kj::Promise<void> MessageNetwork::WritePiece() {
  const size_t size = std::min(kPieceBytes, being_written_.size() - taken_);
  return stream_.write(being_written_.data() + taken_, size).then([this, size] {
    taken_ += size;
    sent_bytes_ += size;
    const bool is_done = taken_ == being_written_.size();
    if (is_done) {
      being_written_.clear();
      taken_ = 0;
      if (being_written_.capacity() > kKeptBytes) being_written_.shrink_to_fit();
    }
    TellRoom();
    return is_done ? WriteOn() : WritePiece();
  });
}

void MessageNetwork::TellRoom() {
  if (room_.get() != nullptr && unsent_bytes() <= options_.max_unsent_bytes) room_->fulfill();
  if (say_.get() == nullptr || !HasRoom()) return;
  auto say = kj::mv(say_);
  say->fulfill();
}

kj::Promise<void> MessageNetwork::WhenRoom() {
  if (HasRoom()) return kj::READY_NOW;
  if (say_.get() == nullptr) {
    auto room = kj::newPromiseAndFulfiller<void>();
    say_ = kj::mv(room.fulfiller);
    may_say_ = room.promise.fork();
  }
  return may_say_.addBranch();
}

void MessageNetwork::AfterWrites() {
  writes_ = false;
  if (written_.get() == nullptr) return;
  stream_.shutdownWrite();
  written_->fulfill();
}

void MessageNetwork::Fail(kj::Exception&& exception) {
  said_.clear();
  being_written_.clear();
  taken_ = 0;
  reading_.cancel(exception);
  TellRoom();
  failure_ = kj::mv(exception);
  if (written_.get() != nullptr) written_->fulfill();
}

kj::Promise<void> MessageNetwork::shutdown() {
  shut_ = true;
  if (failure_ != nullptr) return kj::READY_NOW;
  if (!writes_) {
    stream_.shutdownWrite();
    return kj::READY_NOW;
  }
  auto written = kj::newPromiseAndFulfiller<void>();
  written_ = kj::mv(written.fulfiller);
  return kj::mv(written.promise);
}

// ---- In ----

uint64_t MessageNetwork::MaxWords() const {
  if (options_.known == nullptr || *options_.known) return options_.max_message_words;
  const uint64_t left = options_.max_words_unknown - words_received_;
  return std::min(left, options_.max_message_words);
}

kj::Maybe<uint64_t> MessageNetwork::SizeOfNext(size_t& table_bytes) const {
  if (read_bytes() < sizeof(word)) return nullptr;
  const kj::byte* const bytes = read_data();
  const uint64_t segments = uint64_t{NumberAt(bytes, 0)} + 1;
  KJ_REQUIRE(segments < kMaxSegments, "Expected a message of few segments but found many",
             segments);
  table_bytes = BytesOfTable(static_cast<uint32_t>(segments));
  if (read_bytes() < table_bytes) return nullptr;
  uint64_t words = 0;
  for (size_t i = 1; i <= segments; ++i) words += NumberAt(bytes, i);
  KJ_REQUIRE(words <= MaxWords(), "Expected a message within bounds but found a larger one", words);
  return words;
}

kj::Own<capnp::IncomingRpcMessage> MessageNetwork::Make(kj::Array<word> words) {
  capnp::ReaderOptions options;
  options.traversalLimitInWords = MaxWords();
  if (options_.known != nullptr && !*options_.known)
    words_received_ = std::min(options_.max_words_unknown, words_received_ + words.size());
  return kj::heap<Incoming>(kj::mv(words), options);
}

kj::Promise<MessageNetwork::Received> MessageNetwork::receiveIncomingMessage() {
  KJ_IF_MAYBE (failure, failure_) return kj::cp(*failure);
  if (unsent_bytes() > options_.max_unsent_bytes) {
    auto room = kj::newPromiseAndFulfiller<void>();
    room_ = kj::mv(room.fulfiller);
    return room.promise.then([this] { return receiveIncomingMessage(); });
  }
  size_t table_bytes = sizeof(word);
  KJ_IF_MAYBE (words, SizeOfNext(table_bytes)) {
    const size_t bytes = table_bytes + *words * sizeof(word);
    if (bytes > kManyWords * sizeof(word)) return ReadLarge(bytes);
    if (read_bytes() < bytes) return ReadMore(bytes);
    auto message = kj::heapArray<word>(bytes / sizeof(word));
    std::memcpy(message.begin(), read_data(), bytes);
    read_begin_ += bytes;
    return Received(Make(kj::mv(message)));
  }
  return ReadMore(table_bytes);
}

kj::Promise<MessageNetwork::Received> MessageNetwork::ReadMore(size_t wanted_bytes) {
  const size_t held = read_bytes();
  // Who says little is kept little for.
  const bool says_much = held > 0 || read_end_ >= kFewWords * sizeof(word);
  const size_t least = (wanted_bytes + sizeof(word) - 1) / sizeof(word);
  const size_t words = std::max(least, says_much ? kManyWords : kFewWords);
  if (words > read_.size() || (!says_much && read_.size() > words)) {
    auto other = kj::heapArray<word>(words);
    if (held > 0) std::memcpy(other.begin(), read_data(), held);
    read_ = kj::mv(other);
  } else if (held > 0) {
    std::memmove(read_.begin(), read_data(), held);
  }
  read_begin_ = 0;
  read_end_ = held;
  auto bytes = read_.asBytes();
  return reading_
      .wrap(stream_.tryRead(bytes.begin() + held, wanted_bytes - held, bytes.size() - held))
      .then([this, held, wanted_bytes](size_t size) -> kj::Promise<Received> {
        read_end_ = held + size;
        if (read_end_ >= wanted_bytes) return receiveIncomingMessage();
        if (read_end_ == 0) return Received(nullptr);
        return KJ_EXCEPTION(DISCONNECTED, "Expected the rest of a message but found the end");
      });
}

kj::Promise<MessageNetwork::Received> MessageNetwork::ReadLarge(size_t bytes) {
  auto words = kj::heapArray<word>(bytes / sizeof(word));
  kj::byte* const begin = words.asBytes().begin();
  const size_t held = std::min(bytes, read_bytes());
  if (held > 0) std::memcpy(begin, read_data(), held);
  read_begin_ += held;
  if (held == bytes) return Received(Make(kj::mv(words)));
  return reading_.wrap(stream_.read(begin + held, bytes - held))
      .then([this, words = kj::mv(words)]() mutable { return Received(Make(kj::mv(words))); });
}

}  // namespace stele::server
