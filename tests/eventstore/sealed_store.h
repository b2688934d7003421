// Builders for the tests of encryption: bodies with payloads in a form of their own, keys, stores
// that seal.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "eventstore/rocksdb_store.h"
#include "tests/eventstore/records.h"

namespace stele::eventstore {

// A body is payloads one after the other: 8 bytes that say how many bytes it has, the bytes, zeros
// up to a multiple of 8. A size of zero ends it.
class TestPayloads final : public PayloadFinder {
 public:
  bool Find(std::string_view body, std::vector<PayloadSpan>* spans) const override {
    spans->clear();
    for (size_t at = 0; at + 8 <= body.size();) {
      uint64_t size = 0;
      std::memcpy(&size, body.data() + at, 8);
      if (size == 0) break;
      if (size > body.size() - at - 8) return false;
      spans->push_back(
          {static_cast<uint32_t>(at), static_cast<uint32_t>(at + 8), static_cast<uint32_t>(size)});
      at += 8 + (size + 7) / 8 * 8;
    }
    return true;
  }
};

inline std::string BodyOf(const std::vector<std::string>& payloads) {
  std::string body;
  for (const std::string& payload : payloads) {
    const uint64_t size = payload.size();
    body.append(reinterpret_cast<const char*>(&size), 8).append(payload);
    body.resize((body.size() + 7) / 8 * 8);
  }
  return body;
}

// The payloads of a body; nothing where they were blanked.
inline std::vector<std::string> PayloadsOf(std::string_view body) {
  std::vector<PayloadSpan> spans;
  EXPECT_TRUE(TestPayloads().Find(body, &spans));
  std::vector<std::string> payloads;
  for (const PayloadSpan& span : spans) payloads.emplace_back(body.substr(span.begin, span.size));
  return payloads;
}

inline CipherKey KeyOf(char byte) {
  return CipherKey(std::string(kKeyBytes, byte));
}

inline RocksDbOptions Sealed(char key = 'k') {
  RocksDbOptions options;
  options.master_key = KeyOf(key);
  options.payloads = std::make_shared<TestPayloads>();
  options.index_chunk_records = 40;  // so that the index lies in memory and on the disk
  options.archive_segment_bytes = 2000;
  return options;
}

inline std::unique_ptr<EventStore> OpenOk(const std::string& path, const RocksDbOptions& options) {
  auto store = OpenRocksDbStore(path, options);
  EXPECT_TRUE(store) << store.error().ToString();
  return store ? std::move(*store) : nullptr;
}

// "secret 7 of 3": the text of an instance's record, which no file may show.
inline std::string SecretOf(uint64_t instance, uint64_t seq) {
  return fmt::format("secret-{}-of-{}-{}", seq, instance, std::string(30, 's'));
}

inline void AddSecret(Batch* batch, uint64_t instance, uint64_t seq) {
  batch->Add(HeaderFor(instance, seq), BodyOf({SecretOf(instance, seq), "second"}));
}

inline void AppendSecrets(EventStore& store, uint64_t instances, uint64_t first_seq,
                          uint64_t seqs) {
  for (uint64_t seq = first_seq; seq < first_seq + seqs; ++seq) {
    Batch batch;
    for (uint64_t instance = 1; instance <= instances; ++instance) AddSecret(&batch, instance, seq);
    ASSERT_OK(AppendNext(store, batch));
  }
}

// Each record of the instance holds its secret, or nothing when it was erased.
inline void ExpectSecrets(const EventStore& store, uint64_t instance, uint64_t seqs,
                          bool erased = false) {
  auto cursor = store.ReadInstance(ShardId(), InstanceId(instance), Seq(1));
  ASSERT_OK(cursor);
  for (uint64_t seq = 1; seq <= seqs; ++seq) {
    const auto record = (*cursor)->Next();
    ASSERT_OK(record);
    ASSERT_TRUE(record->has_value()) << "instance " << instance << " seq " << seq;
    EXPECT_EQ((*record)->header.first_seq, Seq(seq));
    EXPECT_EQ((*record)->erased, erased);
    const auto payloads = PayloadsOf((*record)->body);
    if (erased)
      EXPECT_EQ(payloads, std::vector<std::string>());
    else
      EXPECT_EQ(payloads, (std::vector<std::string>{SecretOf(instance, seq), "second"}));
  }
  const auto end = (*cursor)->Next();
  ASSERT_OK(end);
  EXPECT_FALSE(end->has_value());
}

}  // namespace stele::eventstore
