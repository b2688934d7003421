#include "eventstore/log_tree.h"

#define OPENSSL_SUPPRESS_DEPRECATED  // as in hash.cc
#include <openssl/sha.h>

#include <algorithm>

#include "base/check.h"
#include "eventstore/record_tree.h"

namespace stele::eventstore {
namespace {

constexpr int kHighestShared = 20;  // a block has no more records than 2^20

}  // namespace

void BlockCover::Begin(Position first) {
  next_ = first.value - 1;
  shared_level_ = static_cast<uint8_t>(std::min(std::countr_zero(next_), kHighestShared));
  shared_.clear();
  nodes_.clear();
  stored_.clear();
}

LogNode BlockCover::Join(LogNode node, uint8_t highest, std::vector<LogNode>* to) {
  while (node.level < highest && node.index % 2 == 1 && !to->empty() &&
         to->back().level == node.level) {
    node = {static_cast<uint8_t>(node.level + 1), node.index / 2,
            NodeHash(to->back().hash, node.hash)};
    to->pop_back();
    if (IsStored(node.level)) stored_.push_back(node);
  }
  return node;
}

void BlockCover::Give(const LogNode& node, RecordTree* block) {
  CHECK(block->AddNode({uint32_t{1} << node.level, node.hash}), "node {} of level {}", node.index,
        node.level);
  nodes_.push_back(Join(node, UINT8_MAX, &nodes_));
}

void BlockCover::AddLeaf(const Hash& leaf, RecordTree* block) {
  const LogNode node = Join({0, next_++, leaf}, shared_level_, &shared_);
  if (node.level == shared_level_)
    Give(node, block);
  else
    shared_.push_back(node);
}

void BlockCover::Finish(RecordTree* block) {
  for (const LogNode& node : shared_) Give(node, block);
  shared_.clear();
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
