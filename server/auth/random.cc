#include "server/auth/random.h"

#include <sodium.h>

#include <string_view>

#include "base/check.h"

namespace stele::server {
namespace {

// Without l and o, 0 and 1: 32 of them.
constexpr std::string_view kReadable = "abcdefghijkmnpqrstuvwxyz23456789";
static_assert(kReadable.size() == 32);

}  // namespace

RandomBytes SystemRandom() {
  CHECK(sodium_init() >= 0, "libsodium cannot be used here");
  return [](std::span<unsigned char> bytes) { randombytes_buf(bytes.data(), bytes.size()); };
}

std::string TakeRandom(const RandomBytes& random, size_t size) {
  std::string bytes(size, '\0');
  random({reinterpret_cast<unsigned char*>(bytes.data()), bytes.size()});
  return bytes;
}

std::string ReadableWord(const RandomBytes& random, size_t size) {
  std::string word = TakeRandom(random, size);
  for (char& c : word) c = kReadable[static_cast<unsigned char>(c) % kReadable.size()];
  return word;
}

}  // namespace stele::server
