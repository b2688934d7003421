// The key of the store: 32 random bytes that are kept apart from it.
//
// Thread: any.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace stele::secrets {

inline constexpr size_t kKeyBytes = 32;
inline constexpr size_t kKeyIdBytes = 16;
using KeyId = std::array<uint8_t, kKeyIdBytes>;

// Wiped when it ends.
class SecretKey {
 public:
  static SecretKey Generate();
  // 64 hexadecimal digits, or base64 (either alphabet, with padding or without) of 32 bytes; blanks
  // around it do not count. `where` names the place in the error, kSecretKey, which never holds
  // the text.
  static Result<SecretKey> Parse(std::string_view text, std::string_view where);
  // From a file that is closed to others: such a text, or the 32 bytes themselves.
  static Result<SecretKey> ReadFile(const std::string& path);
  // STELE_SECRETS_KEY, else the file that STELE_SECRETS_KEY_FILE names.
  static Result<SecretKey> FromProcess();

  SecretKey(SecretKey&& other) noexcept;
  SecretKey& operator=(SecretKey&&) = delete;
  ~SecretKey();

  const uint8_t* bytes() const { return bytes_.data(); }
  // A name of the key that tells nothing about it.
  KeyId Id() const;
  // Base64, as Parse takes it.
  std::string ToText() const;

 private:
  SecretKey();
  std::array<uint8_t, kKeyBytes> bytes_{};
};

// A key for one purpose, derived from the key of the store (libsodium's crypto_kdf, BLAKE2b).
enum class Purpose : uint64_t { kEncrypt = 1, kAuthenticate = 2, kName = 3 };
void Derive(const SecretKey& key, Purpose purpose, uint8_t* out, size_t size);

std::string ToHex(const KeyId& id);

}  // namespace stele::secrets
