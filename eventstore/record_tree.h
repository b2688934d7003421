// What the chain has of a block: the Merkle tree over its records, that of RFC 9162, 2.1.1, and the
// block's link, made of the tree's root.
//
//   node = SHA-256(0x01 ‖ left ‖ right), the left half being the largest power of two below all
//   link = SHA-256(0x02 ‖ version ‖ shard ‖ first position ‖ count ‖ previous ‖ root)
//
// Any part of the tree of which all records were cut out is known by one hash, the whole block by
// its root, and a record is proved by the hashes beside its path.
//
// Used by one thread at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ids.h"
#include "eventstore/hash.h"

namespace stele::eventstore {

// A part of the tree: a leaf, or a node over so many of them.
struct TreeNode {
  uint32_t records = 1;
  Hash hash{};
};

Hash NodeHash(const Hash& left, const Hash& right);

class RecordTree {
 public:
  // `records`: how many there will be.
  explicit RecordTree(uint32_t records) : records_(records) {}

  void AddLeaf(const Hash& leaf) { Push({1, leaf}); }
  // The next records as one node. False when the tree has no such node at this place: a node is
  // over a power of two of records, behind a multiple of it, or over all of them.
  bool AddNode(const TreeNode& node);
  // REQUIRES: all records were added, at least one.
  Hash Root();

 private:
  void Push(TreeNode node);

  const uint32_t records_;
  uint32_t added_ = 0;
  std::vector<TreeNode> peaks_;  // of what was added, each over fewer records than the one before
};

// What the link of a block is made of.
struct BlockLink {
  uint16_t version = 0;
  ShardId shard;
  Position first;      // of its records
  uint32_t count = 0;  // of them
  Hash previous{};     // the link of the block before
};
Hash LinkHash(const BlockLink& link, const Hash& root);

}  // namespace stele::eventstore
