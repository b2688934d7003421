#include "eventstore/aead.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <cstring>

#include "base/check.h"

namespace stele::eventstore {
namespace {

const uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}
uint8_t* Bytes(char* text) {
  return reinterpret_cast<uint8_t*>(text);
}

}  // namespace

CipherKey CipherKey::Generate() {
  CipherKey key;
  CHECK(RAND_priv_bytes(key.bytes_.data(), kKeyBytes) == 1, "no random bytes for a key");
  return key;
}

CipherKey::CipherKey(std::string_view bytes) {
  CHECK(bytes.size() == kKeyBytes, "a key of {} bytes", bytes.size());
  std::memcpy(bytes_.data(), bytes.data(), kKeyBytes);
}

CipherKey::~CipherKey() {
  OPENSSL_cleanse(bytes_.data(), kKeyBytes);
}

void Wipe(std::span<char> bytes) {
  OPENSSL_cleanse(bytes.data(), bytes.size());
}

void FillRandom(std::span<char> bytes) {
  CHECK(RAND_bytes(Bytes(bytes.data()), static_cast<int>(bytes.size())) == 1, "no random bytes");
}

void Aead::FreeContext::operator()(evp_cipher_ctx_st* context) const {
  EVP_CIPHER_CTX_free(context);
}

// The algorithm is looked up once: a look-up costs more than sealing a small record.
Aead::Aead() : context_(EVP_CIPHER_CTX_new()) {
  CHECK(context_ != nullptr, "no memory for a cipher");
  EVP_CIPHER* cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  CHECK(cipher != nullptr, "OpenSSL without AES-256-GCM");
  const int begun = EVP_CipherInit_ex2(context_.get(), cipher, nullptr, nullptr, 1, nullptr);
  EVP_CIPHER_free(cipher);
  CHECK(begun == 1, "AES-256-GCM does not begin");
}

Aead::~Aead() = default;

void Aead::Begin(const CipherKey& key, std::string_view nonce, bool encrypt) {
  CHECK(nonce.size() == kNonceBytes, "a nonce of {} bytes", nonce.size());
  encrypt_ = encrypt;
  CHECK(EVP_CipherInit_ex2(context_.get(), nullptr, key.bytes(), Bytes(nonce), encrypt ? 1 : 0,
                           nullptr) == 1,
        "AES-256-GCM takes no key");
}

void Aead::AddData(std::string_view data) {
  if (data.empty()) return;
  int ignored = 0;
  CHECK(EVP_CipherUpdate(context_.get(), nullptr, &ignored, Bytes(data),
                         static_cast<int>(data.size())) == 1,
        "AES-256-GCM takes no data");
}

void Aead::Crypt(char* bytes, size_t size) {
  int done = 0;
  CHECK(EVP_CipherUpdate(context_.get(), Bytes(bytes), &done, Bytes(bytes),
                         static_cast<int>(size)) == 1 &&
            static_cast<size_t>(done) == size,
        "AES-256-GCM gave {} bytes for {}", done, size);
}

void Aead::Seal(char* tag) {
  CHECK(encrypt_);
  int ignored = 0;
  uint8_t none[16];
  CHECK(EVP_CipherFinal_ex(context_.get(), none, &ignored) == 1 &&
            EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG, kTagBytes, tag) == 1,
        "AES-256-GCM gives no tag");
}

bool Aead::Check(std::string_view tag) {
  CHECK(!encrypt_ && tag.size() == kTagBytes);
  char copy[kTagBytes];
  std::memcpy(copy, tag.data(), sizeof copy);
  CHECK(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, kTagBytes, copy) == 1);
  int ignored = 0;
  uint8_t none[16];
  return EVP_CipherFinal_ex(context_.get(), none, &ignored) == 1;
}

std::string SealSecret(Aead& aead, const CipherKey& key, std::string_view data,
                       std::string_view secret) {
  std::string sealed(kNonceBytes + secret.size() + kTagBytes, '\0');
  FillRandom({sealed.data(), kNonceBytes});
  std::memcpy(sealed.data() + kNonceBytes, secret.data(), secret.size());
  aead.Begin(key, std::string_view(sealed).substr(0, kNonceBytes), true);
  aead.AddData(data);
  aead.Crypt(sealed.data() + kNonceBytes, secret.size());
  aead.Seal(sealed.data() + kNonceBytes + secret.size());
  return sealed;
}

bool OpenSecret(Aead& aead, const CipherKey& key, std::string_view data, std::string_view sealed,
                std::string* secret) {
  if (sealed.size() < kNonceBytes + kTagBytes) return false;
  *secret = sealed.substr(kNonceBytes, sealed.size() - kNonceBytes - kTagBytes);
  aead.Begin(key, sealed.substr(0, kNonceBytes), false);
  aead.AddData(data);
  aead.Crypt(secret->data(), secret->size());
  if (aead.Check(sealed.substr(sealed.size() - kTagBytes))) return true;
  Wipe(*secret);
  return false;
}

}  // namespace stele::eventstore
