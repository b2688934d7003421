#include "eventstore/hash.h"

// The low-level interface: the one-shot and EVP forms of OpenSSL 3 look the algorithm up at each
// call, which costs as much as hashing a record.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <fmt/format.h>
#include <openssl/sha.h>

#include "eventstore/little_endian.h"

namespace stele::eventstore {
namespace {

constexpr char kLeafDomain = 0x00;
constexpr char kBlockDomain = 0x02;  // 0x01 is RFC 9162's inner node

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

SHA256state_st* BlockHasher::context() {
  return reinterpret_cast<SHA256_CTX*>(state_.data());
}

BlockHasher::BlockHasher(uint16_t version, ShardId shard, Position first, uint32_t count,
                         const Hash& previous) {
  static_assert(sizeof(SHA256_CTX) <= sizeof state_ && alignof(SHA256_CTX) <= 8);
  char prefix[1 + 2 + 4 + 8 + 4];
  prefix[0] = kBlockDomain;
  StoreLittle(version, prefix + 1);
  StoreLittle(shard.value, prefix + 3);
  StoreLittle(first.value, prefix + 7);
  StoreLittle(count, prefix + 15);
  SHA256_Init(context());
  SHA256_Update(context(), prefix, sizeof prefix);
  SHA256_Update(context(), previous.data(), previous.size());
}

void BlockHasher::AddLeaf(const Hash& leaf) {
  SHA256_Update(context(), leaf.data(), leaf.size());
}

Hash BlockHasher::Finish() {
  Hash hash;
  SHA256_Final(hash.data(), context());
  return hash;
}

std::string ToHex(const Hash& hash) {
  std::string hex;
  for (uint8_t byte : hash) hex += fmt::format("{:02x}", byte);
  return hex;
}

}  // namespace stele::eventstore
