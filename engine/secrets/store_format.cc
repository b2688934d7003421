#include "engine/secrets/store_format.h"

#include <fmt/format.h>
#include <sodium.h>

#include "base/check.h"
#include "engine/secrets/limits.h"
#include "engine/secrets/secrets.h"

namespace stele::secrets {

namespace {

constexpr std::string_view kMagic = "STELESEC";
constexpr uint32_t kVersion = 1;
constexpr size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr size_t kMacBytes = 32;

static_assert(kNonceBytes == 24 && kTagBytes == 16, "the format says so");

const uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}
uint8_t* Bytes(std::string& text) {
  return reinterpret_cast<uint8_t*>(text.data());
}

template <class Number>
void Append(std::string& out, Number number) {
  for (size_t i = 0; i < sizeof number; ++i)
    out += static_cast<char>(static_cast<uint64_t>(number) >> (8 * i) & 0xFF);
}

// Takes bytes from the front; from the first that is missing on, nothing but emptiness.
class Reader {
 public:
  explicit Reader(std::string_view rest) : rest_(rest) {}

  std::string_view Take(size_t size) {
    if (size > rest_.size()) {
      short_ = true;
      rest_ = {};
      return {};
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  template <class Number>
  Number Get() {
    const std::string_view taken = Take(sizeof(Number));
    uint64_t number = 0;
    for (size_t i = 0; i < taken.size(); ++i)
      number |= uint64_t{static_cast<uint8_t>(taken[i])} << (8 * i);
    return static_cast<Number>(number);
  }
  bool is_short() const { return short_; }
  bool is_at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool short_ = false;
};

class DerivedKey {
 public:
  DerivedKey(const SecretKey& key, Purpose purpose) {
    Derive(key, purpose, bytes_.data(), bytes_.size());
  }
  ~DerivedKey() { sodium_memzero(bytes_.data(), bytes_.size()); }
  DerivedKey(const DerivedKey&) = delete;
  DerivedKey& operator=(const DerivedKey&) = delete;
  const uint8_t* get() const { return bytes_.data(); }

 private:
  std::array<uint8_t, 32> bytes_;
};

std::string Mac(const SecretKey& key, std::string_view bytes) {
  const DerivedKey derived(key, Purpose::kAuthenticate);
  std::string mac(kMacBytes, '\0');
  crypto_generichash(Bytes(mac), mac.size(), Bytes(bytes), bytes.size(), derived.get(), 32);
  return mac;
}

// What stands before the nonce.
std::string HeadOf(std::string_view name, const SealedEntry& entry) {
  std::string head;
  Append(head, static_cast<uint16_t>(name.size()));
  head += name;
  Append(head, entry.created.value);
  Append(head, entry.changed.value);
  return head;
}

std::unexpected<Error> Damaged(const std::string& path, std::string_view found) {
  return Fail(ErrorCode::kSecretStoreDamaged,
              fmt::format("Expected {} to be a store of secrets but found {}", path, found));
}

Status CheckKey(const StoreFile& file, const std::string& path, const SecretKey& key) {
  if (key.Id() == file.key_id) return {};
  return Fail(ErrorCode::kSecretKey,
              fmt::format("Expected the key with the id {} for {} but found a key with the id {}",
                          ToHex(file.key_id), path, ToHex(key.Id())));
}

bool ReadEntry(Reader& reader, StoreFile& file) {
  const std::string name(reader.Take(reader.Get<uint16_t>()));
  SealedEntry entry;
  entry.created = TimeUs(reader.Get<int64_t>());
  entry.changed = TimeUs(reader.Get<int64_t>());
  entry.nonce = reader.Take(kNonceBytes);
  entry.sealed = reader.Take(reader.Get<uint32_t>());
  const bool good = !reader.is_short() && CheckName(name).has_value() &&
                    entry.sealed.size() >= kTagBytes && entry.value_bytes() <= kMaxValueBytes &&
                    (file.entries.empty() || file.entries.rbegin()->first < name);
  if (good) file.entries.emplace_hint(file.entries.end(), name, std::move(entry));
  return good;
}

}  // namespace

size_t SealedEntry::value_bytes() const {
  return sealed.size() - kTagBytes;
}

Result<StoreFile> DecodeStore(std::string_view bytes, const std::string& path,
                              const SecretKey* key) {
  if (!bytes.starts_with(kMagic)) return Damaged(path, "another kind of file");
  const std::string_view body = bytes.substr(0, bytes.size() - std::min(bytes.size(), kMacBytes));
  Reader reader(body);
  reader.Take(kMagic.size());
  const auto version = reader.Get<uint32_t>();
  if (!reader.is_short() && version != kVersion)
    return Fail(
        ErrorCode::kUnsupported,
        fmt::format("Expected version {} of the store {} but found {}", kVersion, path, version));
  StoreFile file;
  const std::string_view id = reader.Take(kKeyIdBytes);
  std::ranges::copy(id, file.key_id.begin());
  const auto count = reader.Get<uint32_t>();
  if (reader.is_short()) return Damaged(path, "only its beginning");
  // The key first: with another one nothing else can be told.
  if (key != nullptr) {
    STELE_RETURN_IF_ERROR(CheckKey(file, path, *key));
    const std::string mac = Mac(*key, body);
    if (sodium_memcmp(mac.data(), bytes.data() + body.size(), kMacBytes) != 0)
      return Damaged(path, "that it was altered or cut after it was written");
  }
  for (uint32_t i = 0; i < count; ++i) {
    if (!ReadEntry(reader, file)) return Damaged(path, fmt::format("a broken entry {}", i + 1));
  }
  if (!reader.is_at_end()) return Damaged(path, "more bytes than its entries have");
  return file;
}

std::string EncodeStore(const StoreFile& file, const SecretKey& key) {
  std::string bytes(kMagic);
  Append(bytes, kVersion);
  const KeyId id = key.Id();
  bytes.append(id.begin(), id.end());
  Append(bytes, static_cast<uint32_t>(file.entries.size()));
  for (const auto& [name, entry] : file.entries) {
    bytes += HeadOf(name, entry);
    bytes += entry.nonce;
    Append(bytes, static_cast<uint32_t>(entry.sealed.size()));
    bytes += entry.sealed;
  }
  return bytes + Mac(key, bytes);
}

SealedEntry Seal(const SecretKey& key, std::string_view name, std::string_view value,
                 TimeUs created, TimeUs changed) {
  SealedEntry entry{created, changed, std::string(kNonceBytes, '\0'),
                    std::string(value.size() + kTagBytes, '\0')};
  randombytes_buf(entry.nonce.data(), entry.nonce.size());
  const DerivedKey derived(key, Purpose::kEncrypt);
  const std::string head = HeadOf(name, entry);
  crypto_aead_xchacha20poly1305_ietf_encrypt(Bytes(entry.sealed), nullptr, Bytes(value),
                                             value.size(), Bytes(head), head.size(), nullptr,
                                             Bytes(entry.nonce), derived.get());
  return entry;
}

Result<std::string> OpenSealed(const SecretKey& key, std::string_view name,
                               const SealedEntry& entry) {
  CHECK(entry.nonce.size() == kNonceBytes && entry.sealed.size() >= kTagBytes);
  const DerivedKey derived(key, Purpose::kEncrypt);
  const std::string head = HeadOf(name, entry);
  std::string value(entry.value_bytes(), '\0');
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          Bytes(value), nullptr, nullptr, Bytes(std::string_view(entry.sealed)),
          entry.sealed.size(), Bytes(head), head.size(), Bytes(std::string_view(entry.nonce)),
          derived.get()) != 0)
    return Fail(ErrorCode::kSecretStoreDamaged,
                fmt::format("Expected the value of \"{}\" but found that it was altered", name));
  return value;
}

}  // namespace stele::secrets
