#include "eventstore/hash.h"

// The low-level interface: the one-shot and EVP forms of OpenSSL 3 look the algorithm up at each
// call, which costs as much as hashing a record.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <fmt/format.h>
#include <openssl/sha.h>

#include "eventstore/little_endian.h"
#include "eventstore/sha256.h"

namespace stele::eventstore {
namespace {

constexpr char kLeafDomain = 0x00;

}  // namespace

Hash LeafHash(Position position, std::string_view frame) {
  char prefix[9];
  prefix[0] = kLeafDomain;
  StoreLittle(position.value, prefix + 1);
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, prefix, sizeof prefix);
  SHA256_Update(&context, frame.data(), frame.size());
  Hash hash;
  SHA256_Final(hash.data(), &context);
  return hash;
}

Hash Sha256(std::string_view bytes) {
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, bytes.data(), bytes.size());
  Hash hash;
  SHA256_Final(hash.data(), &context);
  return hash;
}

std::string ToHex(const Hash& hash) {
  std::string hex;
  for (uint8_t byte : hash) hex += fmt::format("{:02x}", byte);
  return hex;
}

}  // namespace stele::eventstore
