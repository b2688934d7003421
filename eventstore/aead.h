// AES-256-GCM (NIST SP 800-38D) by OpenSSL: keys, random bytes, and sealing in place.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct evp_cipher_ctx_st;

namespace stele::eventstore {

inline constexpr size_t kKeyBytes = 32;
inline constexpr size_t kNonceBytes = 12;
inline constexpr size_t kTagBytes = 16;

// Wiped when it ends.
class CipherKey {
 public:
  CipherKey() = default;
  static CipherKey Generate();
  // REQUIRES: kKeyBytes of them.
  explicit CipherKey(std::string_view bytes);
  CipherKey(const CipherKey&) = default;
  CipherKey& operator=(const CipherKey&) = default;
  ~CipherKey();

  const uint8_t* bytes() const { return bytes_.data(); }
  std::string_view view() const {
    return {reinterpret_cast<const char*>(bytes_.data()), kKeyBytes};
  }

 private:
  std::array<uint8_t, kKeyBytes> bytes_{};
};

// Overwrites bytes so that the compiler does not leave it out.
void Wipe(std::span<char> bytes);

// From the system's generator. Our own fault when it has none.
void FillRandom(std::span<char> bytes);

// One message after the other: Begin, AddData and Crypt in any number, then Seal or Check. Used by
// one thread at a time.
class Aead {
 public:
  Aead();
  ~Aead();
  Aead(const Aead&) = delete;
  Aead& operator=(const Aead&) = delete;

  // REQUIRES: the nonce has kNonceBytes, and never served this key before when it is to encrypt.
  void Begin(const CipherKey& key, std::string_view nonce, bool encrypt);
  // Bytes that stay readable and are authenticated. REQUIRES: before the first Crypt.
  void AddData(std::string_view data);
  // In place.
  void Crypt(char* bytes, size_t size);
  // Writes kTagBytes. REQUIRES: it encrypts.
  void Seal(char* tag);
  // Whether everything is as it was sealed. REQUIRES: it decrypts.
  bool Check(std::string_view tag);

 private:
  struct FreeContext {
    void operator()(evp_cipher_ctx_st* context) const;
  };
  std::unique_ptr<evp_cipher_ctx_st, FreeContext> context_;
  bool encrypt_ = false;
};

// A short secret under a key: random nonce, ciphertext, tag.
std::string SealSecret(Aead& aead, const CipherKey& key, std::string_view data,
                       std::string_view secret);
// False when it was not sealed with the key, or not for `data`.
bool OpenSecret(Aead& aead, const CipherKey& key, std::string_view data, std::string_view sealed,
                std::string* secret);

}  // namespace stele::eventstore
