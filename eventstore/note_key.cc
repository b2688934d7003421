#include "eventstore/note_key.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>

#include "base/base64.h"
#include "base/check.h"
#include "base/utf8.h"
#include "eventstore/aead.h"

namespace stele::eventstore {
namespace {

using Bytes32 = std::array<uint8_t, 32>;

constexpr char kEd25519 = 0x01;
constexpr std::string_view kPrivatePrefix = "PRIVATE+KEY+";

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

const uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

Key PrivateKey(const Bytes32& seed) {
  Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
  CHECK(key != nullptr, "OpenSSL without Ed25519");
  return key;
}

Bytes32 PublicKey(const Bytes32& seed) {
  Bytes32 bytes;
  size_t size = bytes.size();
  CHECK(EVP_PKEY_get_raw_public_key(PrivateKey(seed).get(), bytes.data(), &size) == 1);
  return bytes;
}

uint32_t IdOf(std::string_view name, const Bytes32& key) {
  std::string text(name);
  text += '\n';
  text += kEd25519;
  text.append(reinterpret_cast<const char*>(key.data()), key.size());
  Bytes32 digest;
  SHA256(Bytes(text), text.size(), digest.data());
  return uint32_t{digest[0]} << 24 | uint32_t{digest[1]} << 16 | uint32_t{digest[2]} << 8 |
         uint32_t{digest[3]};
}

// Name, id and the 32 bytes behind the type; nothing when the text has another form.
struct Parts {
  std::string_view name;
  uint32_t id = 0;
  Bytes32 key{};
};
std::optional<Parts> Split(std::string_view text) {
  Parts parts;
  const size_t first = text.find('+');
  if (first == std::string_view::npos || text.size() < first + 10 || text[first + 9] != '+')
    return std::nullopt;
  parts.name = text.substr(0, first);
  const char* digits = text.data() + first + 1;
  const auto [end, error] = std::from_chars(digits, digits + 8, parts.id, 16);
  if (error != std::errc() || end != digits + 8 || !CheckKeyName(parts.name)) return std::nullopt;
  auto key = DecodeBase64(text.substr(first + 10));
  const bool good = key && key->size() == 33 && key->front() == kEd25519;
  if (good) std::copy_n(Bytes(*key) + 1, parts.key.size(), parts.key.begin());
  if (key) OPENSSL_cleanse(key->data(), key->size());
  return good ? std::optional(parts) : std::nullopt;
}

std::string KeyText(std::string_view name, uint32_t id, const Bytes32& key) {
  std::string bytes(1, kEd25519);
  bytes.append(reinterpret_cast<const char*>(key.data()), key.size());
  std::string text = fmt::format("{}+{:08x}+{}", name, id, Base64(bytes));
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return text;
}

std::string_view WithoutBlanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

}  // namespace

Status CheckKeyName(std::string_view name) {
  const auto is_bad = [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '+' || c == 0x7F;
  };
  // U+0085, U+00A0, U+1680, U+2000 to U+200A, U+2028, U+2029, U+202F, U+205F, U+3000.
  constexpr std::string_view kSpaces[] = {"\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80",
                                          "\xE2\x80\xA8", "\xE2\x80\xA9", "\xE2\x80\xAF",
                                          "\xE2\x81\x9F", "\xE3\x80\x80"};
  const auto holds_space = [name](std::string_view space) {
    return name.find(space) != std::string_view::npos;
  };
  bool narrow = false;
  for (size_t at = 0; (at = name.find("\xE2\x80", at)) != std::string_view::npos; at += 2)
    narrow |= at + 2 < name.size() && static_cast<unsigned char>(name[at + 2]) <= 0x8A;
  if (!name.empty() && name.size() <= kMaxKeyNameBytes && IsUtf8(name) &&
      std::ranges::none_of(name, is_bad) && std::ranges::none_of(kSpaces, holds_space) && !narrow)
    return {};
  return Fail(
      ErrorCode::kAuditKey,
      fmt::format("Expected the name of a key, 1 to {} bytes without blanks and '+' such as "
                  "\"bank.example/payments\", but found {}",
                  kMaxKeyNameBytes,
                  name.empty() ? "none" : fmt::format("one of {} bytes", name.size())));
}

NoteVerifier::NoteVerifier(std::string name, const Bytes32& key)
    : name_(std::move(name)), key_(key), id_(IdOf(name_, key)) {}

Result<NoteVerifier> NoteVerifier::Parse(std::string_view text) {
  text = WithoutBlanks(text);
  if (text.starts_with(kPrivatePrefix))
    return Fail(ErrorCode::kAuditKey,
                "Expected the public key that checks signatures but found the private one; keep "
                "that where nobody sees it");
  const auto parts = Split(text);
  if (!parts)
    return Fail(ErrorCode::kAuditKey,
                "Expected a public key as \"stele audit keygen\" prints it, "
                "NAME+HASH+BASE64, but found another text");
  NoteVerifier verifier(std::string(parts->name), parts->key);
  if (verifier.id() == parts->id) return verifier;
  return Fail(ErrorCode::kAuditKey,
              fmt::format("Expected the key {:08x} behind the name {} but found {:08x}", parts->id,
                          parts->name, verifier.id()));
}

std::string NoteVerifier::Title() const {
  return fmt::format("{}+{:08x}", name_, id_);
}

std::string NoteVerifier::ToText() const {
  return KeyText(name_, id_, key_);
}

bool NoteVerifier::Verifies(std::string_view text, std::string_view signature) const {
  const Key key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key_.data(), key_.size()));
  const Context context(EVP_MD_CTX_new());
  CHECK(key != nullptr && context != nullptr, "OpenSSL without Ed25519");
  return EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), Bytes(signature), signature.size(), Bytes(text),
                          text.size()) == 1;
}

NoteSigner::NoteSigner(std::string_view name, const Bytes32& seed)
    : seed_(seed), verifier_(std::string(name), PublicKey(seed)) {}

NoteSigner::NoteSigner(NoteSigner&& other) noexcept
    : seed_(other.seed_), verifier_(std::move(other.verifier_)) {
  OPENSSL_cleanse(other.seed_.data(), other.seed_.size());
}

NoteSigner::~NoteSigner() {
  OPENSSL_cleanse(seed_.data(), seed_.size());
}

NoteSigner NoteSigner::Generate(std::string_view name) {
  CHECK(CheckKeyName(name).has_value(), "a name of {} bytes", name.size());
  const CipherKey random = CipherKey::Generate();
  Bytes32 seed;
  std::copy_n(Bytes(random.view()), seed.size(), seed.begin());
  NoteSigner signer(name, seed);
  OPENSSL_cleanse(seed.data(), seed.size());
  return signer;
}

Result<NoteSigner> NoteSigner::Parse(std::string_view text, std::string_view where) {
  text = WithoutBlanks(text);
  const auto wrong = [&](std::string_view found) {
    return Fail(ErrorCode::kAuditKey,
                fmt::format("Expected in {} a private key as \"stele audit keygen\" makes it, "
                            "PRIVATE+KEY+NAME+HASH+BASE64, but found {}",
                            where, found));
  };
  if (!text.starts_with(kPrivatePrefix)) return wrong("another text");
  auto parts = Split(text.substr(kPrivatePrefix.size()));
  if (!parts) return wrong("one that is damaged");
  NoteSigner signer(parts->name, parts->key);
  OPENSSL_cleanse(parts->key.data(), parts->key.size());
  if (signer.verifier().id() != parts->id) return wrong("one whose hash is of another key");
  return signer;
}

std::string NoteSigner::ToText() const {
  return std::string(kPrivatePrefix) + KeyText(name(), verifier_.id(), seed_);
}

std::string NoteSigner::Sign(std::string_view text) const {
  const Key key = PrivateKey(seed_);
  const Context context(EVP_MD_CTX_new());
  CHECK(context != nullptr, "no memory for a signature");
  std::string signature(kSignatureBytes, '\0');
  size_t size = signature.size();
  CHECK(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1);
  CHECK(EVP_DigestSign(context.get(), reinterpret_cast<uint8_t*>(signature.data()), &size,
                       Bytes(text), text.size()) == 1 &&
        size == kSignatureBytes);
  return signature;
}

}  // namespace stele::eventstore
