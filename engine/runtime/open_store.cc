#include "engine/runtime/open_store.h"

#include "engine/model/payload_spans.h"
#include "engine/secrets/private_file.h"

namespace stele::runtime {

Result<eventstore::CipherKey> ReadMasterKey(const secrets::KeySource& source) {
  const Result<secrets::SecretKey> key = secrets::ReadKey(source);
  if (!key.has_value()) return std::unexpected(key.error());
  return eventstore::CipherKey({reinterpret_cast<const char*>(key->bytes()), secrets::kKeyBytes});
}

Result<eventstore::HeadSigning> ReadHeadSigning(const AuditSource& source) {
  eventstore::HeadSigning signing{
      .signer = nullptr, .records = source.records, .time_us = source.time_us};
  if (source.key.empty()) return signing;
  auto text = secrets::ReadKeyText(source.key, ErrorCode::kAuditKey);
  if (!text.has_value()) return std::unexpected(text.error());
  const secrets::WipeAtEnd wipe(*text);
  auto signer = eventstore::NoteSigner::Parse(*text, secrets::PlaceOf(source.key));
  if (!signer.has_value()) return std::unexpected(signer.error());
  signing.signer = std::make_shared<const eventstore::NoteSigner>(*std::move(signer));
  return signing;
}

Result<std::unique_ptr<eventstore::EventStore>> OpenStore(const std::string& data,
                                                          eventstore::RocksDbOptions options,
                                                          const secrets::KeySource& key) {
  if (!key.empty()) {
    auto master = ReadMasterKey(key);
    if (!master.has_value()) return std::unexpected(master.error());
    options.master_key = *std::move(master);
    options.payloads = std::make_shared<model::RecordPayloads>();
  }
  return eventstore::OpenRocksDbStore(data, options);
}

}  // namespace stele::runtime
