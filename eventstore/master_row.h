// The log's own keys, as they stand in its database: wrapped by the master key. Another master key
// wraps the same ones anew, so that changing it writes this row alone.
//
//   version (1: 1), id of the master key (8), nonce (12), both keys sealed (64), tag (16)
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "eventstore/aead.h"

namespace stele::eventstore {

// The row's key in the family `meta`.
inline constexpr std::string_view kMasterRowName = "encryption";

struct LogKeys {
  CipherKey payload_keys;  // wraps the keys of payloads
  CipherKey files;         // encrypts files of what is derived from the log

  static LogKeys Generate() { return {CipherKey::Generate(), CipherKey::Generate()}; }
};

// 16 hexadecimal digits that tell nothing else about the key.
std::string MasterKeyId(const CipherKey& master);

std::string SealLogKeys(const CipherKey& master, const LogKeys& keys);
// kMasterKey for another master key, kStoreUnknownFormat, kStoreCorrupt. `where` names the log.
Result<LogKeys> OpenLogKeys(const CipherKey& master, std::string_view row, std::string_view where);
// Of the master key that the row was made with. kStoreUnknownFormat, kStoreCorrupt.
Result<std::string> MasterKeyIdOf(std::string_view row, std::string_view where);

}  // namespace stele::eventstore
