#include "eventstore/file_cipher.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <rocksdb/env.h>
#include <rocksdb/env_encryption.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/check.h"

namespace stele::eventstore {
namespace {

constexpr std::string_view kMagic = "STLFILE1";
constexpr size_t kPrefixBytes = 64;
constexpr size_t kBlockBytes = 16;
constexpr size_t kCounterAt = 8;
constexpr size_t kProofAt = kCounterAt + kBlockBytes;

struct FreeCipher {
  void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
};
struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER, FreeCipher>;

Cipher Fetch() {
  Cipher cipher(EVP_CIPHER_fetch(nullptr, "AES-256-CTR", nullptr));
  CHECK(cipher != nullptr, "OpenSSL without AES-256-CTR");
  return cipher;
}

// `counter` is 16 bytes, big-endian; the bytes are those from `offset` on.
void Crypt(const EVP_CIPHER* cipher, const CipherKey& key, const char* counter, uint64_t offset,
           char* bytes, size_t size) {
  uint8_t block[kBlockBytes];
  std::memcpy(block, counter, sizeof block);
  uint64_t carry = offset / kBlockBytes;
  for (size_t i = kBlockBytes; i-- > 0 && carry != 0;) {
    carry += block[i];
    block[i] = static_cast<uint8_t>(carry);
    carry >>= 8;
  }
  const std::unique_ptr<EVP_CIPHER_CTX, FreeContext> context(EVP_CIPHER_CTX_new());
  CHECK(context != nullptr &&
            EVP_EncryptInit_ex2(context.get(), cipher, key.bytes(), block, nullptr) == 1,
        "AES-256-CTR does not begin");
  int done = 0;
  uint8_t skipped[kBlockBytes] = {};
  const auto within = static_cast<int>(offset % kBlockBytes);
  CHECK(EVP_EncryptUpdate(context.get(), skipped, &done, skipped, within) == 1);
  // The length that OpenSSL takes is an int.
  constexpr size_t kAtOnce = 1u << 30;
  for (size_t at = 0; at < size; at += kAtOnce) {
    const auto part = static_cast<int>(std::min(kAtOnce, size - at));
    auto* out = reinterpret_cast<uint8_t*>(bytes + at);
    CHECK(EVP_EncryptUpdate(context.get(), out, &done, out, part) == 1 && done == part);
  }
}

// What only the key can make of a counter: key stream from behind all that a file can hold.
std::string ProofOf(const EVP_CIPHER* cipher, const CipherKey& key, const char* counter) {
  std::string proof(kBlockBytes, '\0');
  Crypt(cipher, key, counter, uint64_t{1} << 63, proof.data(), proof.size());
  return proof;
}

bool MadeWith(const EVP_CIPHER* cipher, const CipherKey& key, std::string_view prefix) {
  return prefix.size() >= kPrefixBytes && prefix.starts_with(kMagic) &&
         prefix.substr(kProofAt, kBlockBytes) == ProofOf(cipher, key, prefix.data() + kCounterAt);
}

// One open file.
class Stream final : public rocksdb::BlockAccessCipherStream {
 public:
  Stream(const EVP_CIPHER* cipher, const CipherKey& key, std::string_view counter)
      : cipher_(cipher), key_(key), counter_(counter) {}

  size_t BlockSize() override { return kBlockBytes; }
  rocksdb::Status Encrypt(uint64_t offset, char* data, size_t size) override {
    Crypt(cipher_, key_, counter_.data(), offset, data, size);
    return {};
  }
  rocksdb::Status Decrypt(uint64_t offset, char* data, size_t size) override {
    return Encrypt(offset, data, size);
  }

 protected:
  void AllocateScratch(std::string&) override {}
  rocksdb::Status EncryptBlock(uint64_t block, char* data, char*) override {
    return Encrypt(block * kBlockBytes, data, kBlockBytes);
  }
  rocksdb::Status DecryptBlock(uint64_t block, char* data, char*) override {
    return Encrypt(block * kBlockBytes, data, kBlockBytes);
  }

 private:
  const EVP_CIPHER* const cipher_;
  const CipherKey& key_;
  const std::string counter_;
};

class Provider final : public rocksdb::EncryptionProvider {
 public:
  explicit Provider(const CipherKey& key) : cipher_(Fetch()), key_(key) {}

  const char* Name() const override { return "stele"; }
  size_t GetPrefixLength() const override { return kPrefixBytes; }
  rocksdb::Status CreateNewPrefix(const std::string&, char* prefix, size_t size) const override {
    CHECK(size == kPrefixBytes);
    std::memset(prefix, 0, size);
    std::memcpy(prefix, kMagic.data(), kMagic.size());
    FillRandom({prefix + kCounterAt, kBlockBytes});
    const std::string proof = ProofOf(cipher_.get(), key_, prefix + kCounterAt);
    std::memcpy(prefix + kProofAt, proof.data(), proof.size());
    return {};
  }
  rocksdb::Status AddCipher(const std::string&, const char*, size_t, bool) override {
    return rocksdb::Status::NotSupported("the key is given once");
  }
  rocksdb::Status CreateCipherStream(
      const std::string& file, const rocksdb::EnvOptions&, rocksdb::Slice& prefix,
      std::unique_ptr<rocksdb::BlockAccessCipherStream>* stream) override {
    const std::string_view bytes(prefix.data(), prefix.size());
    if (!MadeWith(cipher_.get(), key_, bytes))
      return rocksdb::Status::Corruption(file + " was not encrypted with this log's key");
    *stream = std::make_unique<Stream>(cipher_.get(), key_, bytes.substr(kCounterAt, kBlockBytes));
    return {};
  }

 private:
  const Cipher cipher_;
  const CipherKey key_;
};

std::string PrefixOf(const std::string& file) {
  std::string prefix(kPrefixBytes, '\0');
  std::ifstream in(file, std::ios::binary);
  in.read(prefix.data(), static_cast<std::streamsize>(prefix.size()));
  prefix.resize(static_cast<size_t>(in.gcount()));
  return prefix;
}

}  // namespace

FileCipher::FileCipher(const CipherKey& key)
    : key_(key),
      env_(rocksdb::NewEncryptedEnv(rocksdb::Env::Default(), std::make_shared<Provider>(key))) {}

FileCipher::~FileCipher() = default;

bool FileCipher::Wrote(const std::string& file) const {
  return MadeWith(Fetch().get(), key_, PrefixOf(file));
}

namespace {

constexpr const char* kIdentity = "/IDENTITY";

// With a file IDENTITY that is not of this cipher the opening would end the process.
bool HasBadIdentity(const FileCipher& cipher, const std::string& directory) {
  std::error_code ignored;
  const std::string file = directory + kIdentity;
  return std::filesystem::exists(file, ignored) && !cipher.Wrote(file);
}

}  // namespace

bool IsWrittenBy(const FileCipher* cipher, const std::string& directory) {
  const std::string current = directory + "/CURRENT";
  std::error_code ignored;
  if (!std::filesystem::exists(current, ignored)) return true;
  const bool encrypted = PrefixOf(current).starts_with(kMagic);
  return cipher == nullptr ? !encrypted
                           : cipher->Wrote(current) && !HasBadIdentity(*cipher, directory);
}

Status RemoveUnlessWrittenBy(const FileCipher* cipher, const std::string& directory) {
  std::error_code failed;
  // Nobody asks for the name in it, and RocksDB makes a new one.
  if (cipher != nullptr && HasBadIdentity(*cipher, directory))
    std::filesystem::remove(directory + kIdentity, failed);
  if (IsWrittenBy(cipher, directory)) return {};
  std::filesystem::remove_all(directory, failed);
  if (!failed) return {};
  return Fail(ErrorCode::kIo, fmt::format("Expected to remove {}, to build it anew in another "
                                          "form, but found: {}.",
                                          directory, failed.message()));
}

}  // namespace stele::eventstore
