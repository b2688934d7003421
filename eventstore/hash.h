// The chain of the log: SHA-256 over leaves, one a record, and links, one a block.
//
//   leaf  = SHA-256(0x00 ‖ position ‖ frame)                     (the leaf form of RFC 9162, 2.1.1)
//   block = SHA-256(0x02 ‖ version ‖ shard ‖ first position ‖ count ‖ previous ‖ leaf 1 … leaf n)
//
// A record may later be cut out and its leaf kept in its place: the chain still verifies. The hash
// is taken over what was recorded, not over how it is stored, so that compression may change.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.h"

// OpenSSL's, kept out of this header.
struct SHA256state_st;

namespace stele::eventstore {

using Hash = std::array<uint8_t, 32>;

Hash LeafHash(Position position, std::string_view frame);

// The link of one block: give it the leaves in order.
class BlockHasher {
 public:
  BlockHasher(uint16_t version, ShardId shard, Position first, uint32_t count,
              const Hash& previous);
  void AddLeaf(const Hash& leaf);
  Hash Finish();

 private:
  alignas(8) std::array<uint8_t, 128> state_;  // a SHA256_CTX
  SHA256state_st* context();
};

std::string ToHex(const Hash& hash);

}  // namespace stele::eventstore
