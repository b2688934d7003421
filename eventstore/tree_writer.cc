#include "eventstore/tree_writer.h"

#include <algorithm>
#include <utility>

#include "eventstore/little_endian.h"
#include "eventstore/signed_head.h"

namespace stele::eventstore {

void TreeWriter::Open(ShardId shard, LogFrontier frontier, uint64_t newest, HeadSigning signing) {
  std::lock_guard lock(mutex_);
  shard_ = shard;
  frontier_ = std::move(frontier);
  newest_ = newest;
  signing_ = std::move(signing);
}

void TreeWriter::SignWith(HeadSigning signing) {
  std::lock_guard lock(mutex_);
  signing_ = std::move(signing);
}

bool TreeWriter::IsDue(uint64_t size, TimeUs time) const {
  if (signing_.signer == nullptr) return false;
  if (size - newest_ >= signing_.records) return true;
  return newest_time_ && time.value - newest_time_->value >= signing_.time_us;
}

KeyRow TreeWriter::HeadOf(const LogFrontier& frontier) const {
  const NoteSigner& signer = *signing_.signer;
  return {HeadRowName(shard_, frontier.size(), signer.verifier().id()),
          SignHead({OriginOf(signer.name(), shard_), frontier.size(), frontier.Root()}, signer)};
}

TreeWriter::Step TreeWriter::Prepare(const SealedBlock& block) const {
  std::lock_guard lock(mutex_);
  Step step{.rows = {}, .after = frontier_, .head = false, .time = block.last_time};
  std::vector<LogNode> stored;
  for (const LogNode& node : block.cover.nodes()) step.after.Add(node, &stored);
  for (const LogNode& node : block.cover.stored()) step.rows.push_back(NodeRow(shard_, node));
  for (const LogNode& node : stored) step.rows.push_back(NodeRow(shard_, node));
  step.head = IsDue(step.after.size(), step.time);
  if (step.head) step.rows.push_back(HeadOf(step.after));
  return step;
}

void TreeWriter::Done(Step step) {
  std::lock_guard lock(mutex_);
  frontier_ = std::move(step.after);
  if (step.head) newest_ = frontier_.size();
  if (step.head || !newest_time_) newest_time_ = step.time;
}

std::optional<KeyRow> TreeWriter::NextHead() const {
  std::lock_guard lock(mutex_);
  if (signing_.signer == nullptr || frontier_.size() == newest_) return std::nullopt;
  return HeadOf(frontier_);
}

void TreeWriter::HeadDone(const KeyRow& row) {
  std::lock_guard lock(mutex_);
  // head, shard, size: what a block wrote meanwhile may be newer.
  newest_ = std::max(newest_, LoadBig<uint64_t>(row.name.data() + 8));
}

}  // namespace stele::eventstore
