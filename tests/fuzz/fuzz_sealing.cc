// Any bytes as what stands on a disk of sealed payloads: the row of the log's keys, the row of a
// payload's key, a sealed frame, and as a body that is to be sealed. An error that says where, or
// what was sealed. The first byte chooses.

#include <cstring>
#include <optional>
#include <string>

#include "base/check.h"
#include "engine/model/payload_spans.h"
#include "eventstore/format.h"
#include "eventstore/limits.h"
#include "eventstore/master_row.h"
#include "eventstore/payload_keys.h"
#include "eventstore/record_cipher.h"

using stele::Error;
using stele::ErrorCode;
using stele::InstanceId;
using stele::Position;
using stele::Result;
using stele::Seq;
using stele::ShardId;
using stele::model::RecordPayloads;
using namespace stele::eventstore;  // NOLINT

namespace {

constexpr ShardId kShard(0);
constexpr Position kPosition(1);
constexpr size_t kKeyRowBytes = 2 + kNonceBytes + kKeyBytes + kTagBytes;
const PayloadKeyId kKeyId{kShard, InstanceId(7), Position()};

CipherKey KeyOf(char byte) {
  return CipherKey(std::string(kKeyBytes, byte));
}

const std::shared_ptr<const RecordPayloads>& Finder() {
  static const auto finder = std::make_shared<const RecordPayloads>();
  return finder;
}

// Keys of which there is this one row.
PayloadKeys KeysWith(std::optional<std::string> row) {
  return {KeyOf('k'), Finder(), [row = std::move(row)](std::string_view name) {
            return Result<std::optional<std::string>>(name == kKeyId.Name() ? row : std::nullopt);
          }};
}

void CheckPlace(const Error& error, std::string_view place) {
  CHECK(error.message.starts_with("Expected"), "{}", error.message);
  CHECK(error.message.find(place) != std::string::npos, "{}", error.message);
}

void ReadMasterRow(std::string_view row) {
  const auto id = MasterKeyIdOf(row, "the fuzzed log");
  const auto keys = OpenLogKeys(KeyOf('m'), row, "the fuzzed log");
  if (!id) {
    CheckPlace(id.error(), "the fuzzed log");
    CHECK(!keys.has_value());
    return;
  }
  if (!keys) {
    CheckPlace(keys.error(), "the fuzzed log");
    CHECK((keys.error().code == ErrorCode::kMasterKey) == (*id != MasterKeyId(KeyOf('m'))));
    return;
  }
  const auto again = OpenLogKeys(KeyOf('m'), SealLogKeys(KeyOf('m'), *keys), "it");
  CHECK(again.has_value() && again->files.view() == keys->files.view());
}

void ReadKeyRow(std::string_view row) {
  PayloadKeys keys = KeysWith(std::string(row));
  const auto key = keys.ToOpen(kKeyId);
  if (!key) {
    CHECK(key.error().code == ErrorCode::kStoreCorrupt);
    CheckPlace(key.error(), "instance 7 of shard 0");
    return;
  }
  CHECK(key->has_value() != IsDestroyedKeyRow(row));
}

// Opens the frame, with the key of the row, and where the key is destroyed.
void ReadFrame(std::string_view row, std::string_view bytes) {
  RecordView view;
  size_t size = 0;
  Error error{};
  // As in a block: its body begins at a multiple of 8.
  auto frame = std::make_unique<uint64_t[]>(bytes.size() / 8 + 1);
  char* const begin = reinterpret_cast<char*>(frame.get());
  for (const bool destroyed : {false, true}) {
    std::memcpy(begin, bytes.data(), bytes.size());
    if (!DecodeFrame({begin, bytes.size()}, kShard, kPosition, &view, &size, &error)) {
      CheckPlace(error, "position 1 of shard 0");
      return;
    }
    if (view.seal.empty()) return;
    PayloadKeys keys = KeysWith(destroyed ? DestroyedKeyRow() : std::string(row));
    RecordCipher cipher(keys);
    const auto opened = cipher.Open(begin, &view);
    if (!opened) {
      CHECK(opened.error().code == ErrorCode::kStoreCorrupt);
      CHECK(opened.error().message.find("of shard 0") != std::string::npos, "{}",
            opened.error().message);
      continue;
    }
    const bool of_instance = view.header.instance == kKeyId.instance;
    CHECK(view.erased == (of_instance && (destroyed || IsDestroyedKeyRow(row))));
  }
}

// What can be sealed can be opened again, and is not seen in between.
void SealBody(std::string_view bytes) {
  std::string body(bytes);
  body.resize(PaddedSize(body.size()));
  std::string frame, sealed;
  AppendFrame({.instance = kKeyId.instance, .first_seq = Seq(1), .event_count = 1}, body, &frame);
  PayloadKeys keys = KeysWith(std::nullopt);
  RecordCipher cipher(keys);
  std::vector<KeyRow> rows;
  const auto done = cipher.Seal(kShard, kPosition, frame, &sealed, &rows);
  std::vector<stele::PayloadSpan> spans;
  const bool found = Finder()->Find(body, &spans);
  CHECK(done.has_value() == found);
  if (!found) return CheckPlace(done.error(), "position 1 of shard 0");
  if (spans.empty()) {
    CHECK(sealed == frame && rows.empty());
    return;
  }
  CHECK(rows.size() == 1 && sealed.size() == frame.size() + kSealBytes);
  keys.Written(rows);
  RecordView view;
  size_t size = 0;
  Error error{};
  CHECK(DecodeFrame(sealed, kShard, kPosition, &view, &size, &error), "{}", error.message);
  CHECK(view.seal.size() == kSealBytes && view.body.size() == body.size());
  for (const stele::PayloadSpan& span : spans)
    CHECK(span.size < 16 || view.body.substr(span.begin, span.size) !=
                                std::string_view(body).substr(span.begin, span.size));
  const auto opened = cipher.Open(sealed.data(), &view);
  CHECK(opened.has_value(), "{}", opened.error().message);
  CHECK(view.body == body && !view.erased);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      ReadMasterRow(bytes);
      return 0;
    case 1:
      ReadKeyRow(bytes);
      return 0;
    case 2:
      if (bytes.size() > kKeyRowBytes)
        ReadFrame(bytes.substr(0, kKeyRowBytes), bytes.substr(kKeyRowBytes));
      return 0;
    case 3:
      SealBody(bytes);
      return 0;
  }
  return 0;
}
