#include "server/auth/passwords.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <cstring>
#include <optional>

#include "base/check.h"
#include "base/utf8.h"
#include "server/auth/limits.h"

namespace stele::server {
namespace {

constexpr size_t kSaltBytes = 16;
constexpr size_t kHashBytes = 32;
constexpr size_t kMinBesideName = 8;
// Rows of neighbours, each read round and round, forward and backward.
constexpr std::array<std::string_view, 3> kRows = {"0123456789", "abcdefghijklmnopqrstuvwxyz",
                                                   "qwertyuiopasdfghjklzxcvbnm"};

using HashText = std::array<char, crypto_pwhash_STRBYTES>;

// With the zeros behind it that libsodium looks for.
std::optional<HashText> AsHashText(std::string_view hash) {
  HashText text{};
  if (hash.size() >= text.size() || hash.contains('\0')) return std::nullopt;
  std::ranges::copy(hash, text.begin());
  return text;
}

void UseSodium() {
  CHECK(sodium_init() >= 0, "libsodium cannot be used here");
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

// Whether it is one piece again and again: "abcabcab".
bool IsRepeated(std::string_view text) {
  for (size_t period = 1; 2 * period <= text.size(); ++period)
    if (text.substr(period) == text.substr(0, text.size() - period)) return true;
  return false;
}

bool IsRunOf(std::string_view text, std::string_view row) {
  size_t at = row.find(text.front());
  if (at == std::string_view::npos || text.size() < 2) return false;
  const size_t step = text[1] == row[(at + 1) % row.size()] ? 1 : row.size() - 1;
  for (const char c : text.substr(1)) {
    at = (at + step) % row.size();
    if (c != row[at]) return false;
  }
  return true;
}

size_t DifferentBytes(std::string_view text) {
  std::bitset<256> seen;
  for (const char c : text) seen.set(static_cast<unsigned char>(c));
  return seen.count();
}

bool IsLittleMoreThan(std::string_view name, std::string_view text) {
  if (name.size() < 3) return text == name;
  std::string rest;
  while (!text.empty()) {
    const size_t at = text.find(name);
    rest += text.substr(0, at);
    if (at == std::string_view::npos) break;
    text.remove_prefix(at + name.size());
  }
  return rest.size() < kMinBesideName;
}

}  // namespace

PasswordLimits PasswordLimits::Interactive() {
  return {crypto_pwhash_argon2id_OPSLIMIT_INTERACTIVE, crypto_pwhash_argon2id_MEMLIMIT_INTERACTIVE};
}

PasswordLimits PasswordLimits::Least() {
  return {crypto_pwhash_argon2id_OPSLIMIT_MIN, crypto_pwhash_argon2id_MEMLIMIT_MIN};
}

Result<std::string> HashPassword(std::string_view password, PasswordLimits limits) {
  UseSodium();
  HashText text{};
  if (crypto_pwhash_str_alg(text.data(), password.data(), password.size(), limits.passes,
                            limits.memory_bytes, crypto_pwhash_ALG_ARGON2ID13) != 0)
    return Fail(ErrorCode::kLimitExceeded,
                fmt::format("Expected {} bytes of memory to hash a password but found less",
                            limits.memory_bytes));
  return std::string(text.data());
}

bool IsPassword(std::string_view password, std::string_view hash) {
  UseSodium();
  const auto text = AsHashText(hash);
  return text.has_value() && hash.starts_with(crypto_pwhash_argon2id_STRPREFIX) &&
         crypto_pwhash_str_verify(text->data(), password.data(), password.size()) == 0;
}

bool NeedsRehash(std::string_view hash, PasswordLimits limits) {
  const auto text = AsHashText(hash);
  return !text.has_value() ||
         crypto_pwhash_str_needs_rehash(text->data(), limits.passes, limits.memory_bytes) != 0;
}

std::string HashOfNobody(const RandomBytes& random, PasswordLimits limits) {
  const auto base64 = [&random](size_t size) {
    const std::string bytes = TakeRandom(random, size);
    std::array<char,
               sodium_base64_ENCODED_LEN(kHashBytes, sodium_base64_VARIANT_ORIGINAL_NO_PADDING)>
        text{};
    sodium_bin2base64(text.data(), text.size(),
                      reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                      sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
    return std::string(text.data());
  };
  const std::string salt = base64(kSaltBytes);
  return fmt::format("$argon2id$v=19$m={},t={},p=1${}${}", limits.memory_bytes / 1024,
                     limits.passes, salt, base64(kHashBytes));
}

Status CheckPassword(std::string_view password, std::string_view user_name) {
  const auto weak = [](std::string_view expected, std::string_view found) {
    return Fail(ErrorCode::kWeakPassword,
                fmt::format("Expected a password {} but found {}", expected, found));
  };
  if (password.size() < kMinPasswordBytes || password.size() > kMaxPasswordBytes)
    return weak(fmt::format("of {} to {} bytes", kMinPasswordBytes, kMaxPasswordBytes),
                fmt::format("one of {}", password.size()));
  if (!IsUtf8(password)) return weak("in UTF-8", "bytes that are no text");
  const SecretText kept = SecretText::Take(Lower(password));
  const std::string_view lower = kept.view();
  if (IsLittleMoreThan(Lower(user_name), lower))
    return weak(fmt::format("with {} bytes beside the user's name", kMinBesideName), "fewer");
  if (IsRepeated(lower)) return weak("that does not repeat itself", "one piece again and again");
  if (DifferentBytes(lower) < kMinPasswordCharacters)
    return weak(fmt::format("of at least {} different characters", kMinPasswordCharacters),
                "fewer");
  if (std::ranges::any_of(kRows, [&](std::string_view row) { return IsRunOf(lower, row); }))
    return weak("that is no row of neighbours", "one, as the digits or the keyboard have them");
  return {};
}

SecretText MakePassword(const RandomBytes& random) {
  return SecretText::Take(ReadableWord(random, kMadePasswordCharacters));
}

}  // namespace stele::server
