#include "eventstore/master_row.h"

#include <fmt/format.h>

#include <cstring>

#include "eventstore/durable_files.h"

namespace stele::eventstore {
namespace {

constexpr char kRowVersion = 1;
constexpr size_t kIdBytes = 8;
constexpr size_t kHeadBytes = 1 + kIdBytes;
constexpr size_t kRowBytes = kHeadBytes + kNonceBytes + 2 * kKeyBytes + kTagBytes;
constexpr std::string_view kIdDomain = "stele master key id";
constexpr std::string_view kSealDomain = "stele log keys";

// The first bytes of SHA-256(domain, key).
std::string IdBytes(const CipherKey& master) {
  std::string text(kIdDomain);
  text += master.view();
  const Hash hash = Sha256(text);
  Wipe(text);
  return {reinterpret_cast<const char*>(hash.data()), kIdBytes};
}

std::string HexOf(std::string_view bytes) {
  std::string hex;
  for (const char byte : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return hex;
}

}  // namespace

std::string MasterKeyId(const CipherKey& master) {
  return HexOf(IdBytes(master));
}

std::string SealLogKeys(const CipherKey& master, const LogKeys& keys) {
  std::string both(keys.payload_keys.view());
  both += keys.files.view();
  const std::string head = kRowVersion + IdBytes(master);
  Aead aead;
  std::string row = head + SealSecret(aead, master, std::string(kSealDomain) + head, both);
  Wipe(both);
  return row;
}

Result<std::string> MasterKeyIdOf(std::string_view row, std::string_view where) {
  if (!row.empty() && row[0] != kRowVersion)
    return Fail(ErrorCode::kStoreUnknownFormat,
                fmt::format("Expected keys of {} in format {} but found {}.", where,
                            static_cast<int>(kRowVersion), static_cast<int>(row[0])));
  if (row.size() != kRowBytes)
    return Fail(ErrorCode::kStoreCorrupt,
                fmt::format("Expected {} bytes for the keys of {} but found {}.", kRowBytes, where,
                            row.size()));
  return HexOf(row.substr(1, kIdBytes));
}

Result<LogKeys> OpenLogKeys(const CipherKey& master, std::string_view row, std::string_view where) {
  const auto id = MasterKeyIdOf(row, where);
  if (!id) return std::unexpected(id.error());
  if (*id != MasterKeyId(master))
    return Fail(ErrorCode::kMasterKey, fmt::format("Expected the master key {} for {} but found {}",
                                                   *id, where, MasterKeyId(master)));
  std::string both;
  Aead aead;
  if (!OpenSecret(aead, master, std::string(kSealDomain).append(row.substr(0, kHeadBytes)),
                  row.substr(kHeadBytes), &both))
    return Fail(ErrorCode::kStoreCorrupt,
                fmt::format("Expected the keys of {} as the master key {} sealed them but found "
                            "other bytes.",
                            where, *id));
  const std::string_view bytes = both;
  LogKeys keys{CipherKey(bytes.substr(0, kKeyBytes)), CipherKey(bytes.substr(kKeyBytes))};
  Wipe(both);
  return keys;
}

}  // namespace stele::eventstore
