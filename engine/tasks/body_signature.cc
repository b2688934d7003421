#include "engine/tasks/body_signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "base/check.h"

namespace stele::tasks {
namespace {

constexpr std::string_view kPrefix = "sha256=";
constexpr size_t kDigestBytes = 32;

}  // namespace

std::string SignBody(std::string_view secret, std::string_view body) {
  std::array<unsigned char, kDigestBytes> digest{};
  unsigned int size = 0;
  const unsigned char* made =
      HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
           reinterpret_cast<const unsigned char*>(body.data()), body.size(), digest.data(), &size);
  CHECK(made != nullptr && size == kDigestBytes, "no HMAC of {} bytes", body.size());
  std::string text(kPrefix);
  for (const unsigned char byte : digest) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

}  // namespace stele::tasks
