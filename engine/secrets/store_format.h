// The bytes of the store `secrets.stele`, version 1. Numbers are little-endian.
//
//    0   8  "STELESEC"
//    8   4  version, 1
//   12  16  id of the key: crypto_kdf of it with the number 3
//   28   4  number of entries
//   32      entries, names ascending:
//             2  length of the name, then the name
//             8  time when it was first set, microseconds since 1970
//             8  time when it was set last
//            24  nonce, random
//             4  length of what follows: the value's and 16
//                the value, crypto_aead_xchacha20poly1305_ietf with the key's number 1; the
//                entry's bytes before the nonce are its associated data
//   end 32  BLAKE2b (crypto_generichash) of all before, with the key's number 2
//
// Names, sizes and times are readable without the key; nothing can be changed, taken away or put in
// another place without it. Putting back a whole older file is not noticed.
//
// Source of the algorithms: libsodium's documentation; draft-irtf-cfrg-xchacha.
//
// Thread: any.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/ids.h"
#include "engine/secrets/secret_key.h"

namespace stele::secrets {

struct SealedEntry {
  TimeUs created;
  TimeUs changed;
  std::string nonce;
  std::string sealed;  // the value, encrypted, with its tag
  size_t value_bytes() const;
};

struct StoreFile {
  KeyId key_id{};
  std::map<std::string, SealedEntry, std::less<>> entries;
};

// Of an untouched file. Errors: kSecretStoreDamaged with `path`, kUnsupported for another version.
// Without a key only the form is checked; with one kSecretKey when it is another than the file's,
// and the whole file is authenticated.
Result<StoreFile> DecodeStore(std::string_view bytes, const std::string& path,
                              const SecretKey* key);
// REQUIRES: every entry was sealed with `key`.
std::string EncodeStore(const StoreFile& file, const SecretKey& key);

// A nonce of its own each time.
SealedEntry Seal(const SecretKey& key, std::string_view name, std::string_view value,
                 TimeUs created, TimeUs changed);
// kSecretStoreDamaged.
Result<std::string> OpenSealed(const SecretKey& key, std::string_view name,
                               const SealedEntry& entry);

}  // namespace stele::secrets
