#include "engine/secrets/secret_key.h"

#include <fmt/format.h>
#include <sodium.h>

#include <cstdlib>

#include "base/check.h"
#include "engine/secrets/limits.h"
#include "engine/secrets/private_file.h"

namespace stele::secrets {

namespace {

constexpr char kContext[crypto_kdf_CONTEXTBYTES + 1] = "stelesec";
constexpr size_t kHexDigits = 2 * kKeyBytes;

static_assert(kKeyBytes == crypto_kdf_KEYBYTES);
static_assert(kKeyIdBytes >= crypto_kdf_BYTES_MIN);

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

bool DecodeBase64(std::string_view text, uint8_t* out) {
  for (const int variant :
       {sodium_base64_VARIANT_ORIGINAL, sodium_base64_VARIANT_ORIGINAL_NO_PADDING,
        sodium_base64_VARIANT_URLSAFE, sodium_base64_VARIANT_URLSAFE_NO_PADDING}) {
    size_t size = 0;
    const char* end = nullptr;
    if (sodium_base642bin(out, kKeyBytes, text.data(), text.size(), nullptr, &size, &end,
                          variant) == 0 &&
        size == kKeyBytes && end == text.data() + text.size())
      return true;
  }
  return false;
}

bool DecodeHex(std::string_view text, uint8_t* out) {
  size_t size = 0;
  return text.size() == kHexDigits &&
         sodium_hex2bin(out, kKeyBytes, text.data(), text.size(), nullptr, &size, nullptr) == 0 &&
         size == kKeyBytes;
}

}  // namespace

SecretKey::SecretKey() {
  CHECK(sodium_init() >= 0, "libsodium cannot be used here");
}

SecretKey::SecretKey(SecretKey&& other) noexcept : bytes_(other.bytes_) {
  sodium_memzero(other.bytes_.data(), kKeyBytes);
}

SecretKey::~SecretKey() {
  sodium_memzero(bytes_.data(), kKeyBytes);
}

SecretKey SecretKey::Generate() {
  SecretKey key;
  crypto_kdf_keygen(key.bytes_.data());
  return key;
}

Result<SecretKey> SecretKey::Parse(std::string_view text, std::string_view where) {
  SecretKey key;
  const std::string_view trimmed = Trim(text);
  if (DecodeHex(trimmed, key.bytes_.data()) || DecodeBase64(trimmed, key.bytes_.data())) return key;
  return Fail(ErrorCode::kSecretKey,
              fmt::format("Expected a key in {}: 32 bytes in base64 or as 64 hexadecimal digits, "
                          "but found a text of {} bytes that is neither",
                          where, trimmed.size()));
}

Result<SecretKey> SecretKey::ReadFile(const std::string& path) {
  Result<std::optional<std::string>> text = ReadPrivateFile(path, kMaxKeyTextBytes);
  if (!text.has_value()) return std::unexpected(text.error());
  if (!text->has_value())
    return Fail(ErrorCode::kSecretKey,
                fmt::format("Expected the key file {} but found no such file", path));
  const WipeAtEnd wipe(**text);
  if ((*text)->size() == kKeyBytes) {
    SecretKey key;
    std::copy((*text)->begin(), (*text)->end(), key.bytes_.begin());
    return key;
  }
  return Parse(**text, path);
}

Result<SecretKey> SecretKey::FromProcess() {
  const char* text = std::getenv("STELE_SECRETS_KEY");
  if (text != nullptr && *text != '\0') return Parse(text, "STELE_SECRETS_KEY");
  const char* path = std::getenv("STELE_SECRETS_KEY_FILE");
  if (path != nullptr && *path != '\0') return ReadFile(path);
  return Fail(ErrorCode::kSecretKey,
              "Expected a key in STELE_SECRETS_KEY, or in a file that STELE_SECRETS_KEY_FILE "
              "names, but found neither; \"stele secrets keygen\" makes one");
}

KeyId SecretKey::Id() const {
  KeyId id;
  Derive(*this, Purpose::kName, id.data(), id.size());
  return id;
}

std::string SecretKey::ToText() const {
  std::string text(sodium_base64_ENCODED_LEN(kKeyBytes, sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes_.data(), kKeyBytes,
                    sodium_base64_VARIANT_ORIGINAL);
  text.pop_back();  // the zero at its end
  return text;
}

void Derive(const SecretKey& key, Purpose purpose, uint8_t* out, size_t size) {
  CHECK(crypto_kdf_derive_from_key(out, size, static_cast<uint64_t>(purpose), kContext,
                                   key.bytes()) == 0);
}

std::string ToHex(const KeyId& id) {
  std::string text;
  for (const uint8_t byte : id) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace stele::secrets
