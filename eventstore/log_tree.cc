#include "eventstore/log_tree.h"

#define OPENSSL_SUPPRESS_DEPRECATED  // as in hash.cc
#include <openssl/sha.h>

#include "base/check.h"
#include "eventstore/record_tree.h"

namespace stele::eventstore {

void BlockCover::Begin(Position first) {
  next_ = first.value - 1;
  nodes_.clear();
  stored_.clear();
}

void BlockCover::AddLeaf(const Hash& leaf) {
  LogNode node{0, next_++, leaf};
  while (node.index % 2 == 1 && !nodes_.empty() && nodes_.back().level == node.level) {
    node = {static_cast<uint8_t>(node.level + 1), node.index / 2,
            NodeHash(nodes_.back().hash, node.hash)};
    nodes_.pop_back();
    if (IsStored(node.level)) stored_.push_back(node);
  }
  nodes_.push_back(node);
}

void LogFrontier::Add(const LogNode& given, std::vector<LogNode>* stored) {
  CHECK(given.index << given.level == size_, "node {} of level {} behind {} records", given.index,
        given.level, size_);
  LogNode node = given;
  size_ += uint64_t{1} << given.level;
  while (node.index % 2 == 1) {
    node = {static_cast<uint8_t>(node.level + 1), node.index / 2,
            NodeHash(peaks_.back(), node.hash)};
    peaks_.pop_back();
    if (stored != nullptr && IsStored(node.level)) stored->push_back(node);
  }
  peaks_.push_back(node.hash);
}

Hash LogFrontier::Root() const {
  Hash root;
  if (peaks_.empty()) {
    SHA256(nullptr, 0, root.data());
    return root;
  }
  root = peaks_.back();
  for (size_t i = peaks_.size() - 1; i > 0; --i) root = NodeHash(peaks_[i - 1], root);
  return root;
}

}  // namespace stele::eventstore
