#include "server/auth/seal.h"

#include <sodium.h>

#include <utility>

#include "base/check.h"

namespace stele::server {
namespace {

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* Bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

}  // namespace

// XSalsa20 and Poly1305, as libsodium's crypto_secretbox has them; a nonce of 192 random bits.
Seal::Seal(RandomBytes random)
    : random_(std::move(random)), key_(TakeRandom(random_, crypto_secretbox_KEYBYTES)) {}

std::string Seal::Close(std::string_view text) const {
  const std::string nonce = TakeRandom(random_, crypto_secretbox_NONCEBYTES);
  std::string sealed(crypto_secretbox_MACBYTES + text.size(), '\0');
  CHECK(crypto_secretbox_easy(Bytes(sealed), Bytes(text), text.size(), Bytes(nonce),
                              Bytes(key_.view())) == 0,
        "{} bytes cannot be sealed", text.size());
  return EncodeBase64Url(nonce + sealed);
}

std::optional<std::string> Seal::Open(std::string_view sealed) const {
  const std::optional<std::string> bytes = DecodeBase64Url(sealed);
  constexpr size_t kAround = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
  if (!bytes.has_value() || bytes->size() < kAround) return std::nullopt;
  const std::string_view nonce = std::string_view(*bytes).substr(0, crypto_secretbox_NONCEBYTES);
  const std::string_view box = std::string_view(*bytes).substr(crypto_secretbox_NONCEBYTES);
  std::string text(bytes->size() - kAround, '\0');
  if (crypto_secretbox_open_easy(Bytes(text), Bytes(box), box.size(), Bytes(nonce),
                                 Bytes(key_.view())) != 0)
    return std::nullopt;
  return text;
}

}  // namespace stele::server
