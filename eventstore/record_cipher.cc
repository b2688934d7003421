#include "eventstore/record_cipher.h"

#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "base/check.h"
#include "eventstore/format.h"
#include "eventstore/little_endian.h"

namespace stele::eventstore {
namespace {

// Asking the generator costs more than its bytes.
constexpr size_t kNoncesAtOnce = 64;

std::unexpected<Error> Corrupt(ShardId shard, Position position, std::string_view expected,
                               std::string_view found) {
  return Fail(ErrorCode::kStoreCorrupt,
              fmt::format("Expected {} at position {} of shard {} but found {}.", expected,
                          position.value, shard.value, found));
}

}  // namespace

void RecordCipher::Authenticate(ShardId shard, Position position, std::string_view head,
                                std::string_view body) {
  char place[4 + 8];
  StoreLittle(shard.value, place);
  StoreLittle(position.value, place + 4);
  rest_.assign(place, sizeof place).append(head);
  size_t at = 0;
  for (const PayloadSpan& span : spans_) {
    rest_.append(body.substr(at, span.begin - at));
    at = span.begin + span.size;
  }
  rest_.append(body.substr(at));
  aead_.AddData(rest_);
}

void RecordCipher::Blank(char* body) const {
  for (const PayloadSpan& span : spans_) std::memset(body + span.begin, 0, span.size);
  for (const PayloadSpan& span : spans_) std::memset(body + span.reference, 0, 8);
}

Status RecordCipher::Seal(ShardId shard, Position position, std::string_view frame,
                          std::string* frames, std::vector<KeyRow>* rows) {
  RecordView view;
  size_t size = 0;
  Error error{};
  if (!DecodeFrame(frame, shard, position, &view, &size, &error)) return std::unexpected(error);
  if (!view.seal.empty()) {
    frames->append(frame);
    return {};
  }
  if (!keys_.finder().Find(view.body, &spans_))
    return Corrupt(shard, position, "a record whose payloads can be found", "other bytes");
  if (spans_.empty()) {
    frames->append(frame);
    return {};
  }
  auto key = keys_.ToSeal(PayloadKeyId::Of(shard, view.header.instance, position), rows);
  if (!key) return std::unexpected(std::move(key).error());
  if (!*key) {
    frames->append(frame);
    Blank(frames->data() + frames->size() - view.body.size());
    return {};
  }
  const size_t begin = frames->size();
  const size_t seal_at = AppendSealedFrame(frame, frames);
  char* seal = frames->data() + seal_at;
  if (nonces_.empty()) {
    nonces_.resize(kNoncesAtOnce * kNonceBytes);
    FillRandom(nonces_);
  }
  std::memcpy(seal, nonces_.data() + nonces_.size() - kNonceBytes, kNonceBytes);
  nonces_.resize(nonces_.size() - kNonceBytes);
  aead_.Begin(**key, {seal, kNonceBytes}, true);
  const char* head = frames->data() + begin;
  Authenticate(shard, position, {head, static_cast<size_t>(seal + kSealTagAt - head)}, view.body);
  char* body = seal + kSealBytes;
  for (const PayloadSpan& span : spans_) aead_.Crypt(body + span.begin, span.size);
  aead_.Seal(seal + kSealTagAt);
  return {};
}

Status RecordCipher::Open(char* frame, RecordView* view) {
  CHECK(view->seal.size() == kSealBytes, "a seal of {} bytes", view->seal.size());
  const ShardId shard = view->shard;
  const Position position = view->position;
  if (!keys_.finder().Find(view->body, &spans_) || spans_.empty())
    return Corrupt(shard, position, "a record with sealed payloads", "none that can be found");
  auto key = keys_.ToOpen(PayloadKeyId::Of(shard, view->header.instance, position));
  if (!key) return std::unexpected(std::move(key).error());
  char* seal = frame + FrameBodyAt(frame);
  char* body = seal + kSealBytes;
  const std::string_view sealed = std::exchange(view->seal, {});
  if (!*key) {
    Blank(body);
    view->erased = true;
    return {};
  }
  aead_.Begin(**key, sealed.substr(0, kNonceBytes), false);
  Authenticate(shard, position, {frame, static_cast<size_t>(seal + kSealTagAt - frame)},
               view->body);
  for (const PayloadSpan& span : spans_) aead_.Crypt(body + span.begin, span.size);
  if (aead_.Check(sealed.substr(kSealTagAt))) return {};
  view->body = {};
  return Corrupt(shard, position, "sealed payloads", "bytes that are not what was sealed");
}

}  // namespace stele::eventstore
