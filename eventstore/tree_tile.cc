#include "eventstore/tree_tile.h"

#include <algorithm>

#include "eventstore/record_tree.h"

namespace stele::eventstore {

void TreeTile::Set(uint8_t height, uint64_t index, const Hash& hash) {
  nodes_[Place(height, index)] = hash;
  known_.set(Place(height, index));
}

void TreeTile::Complete() {
  for (size_t place = kGroupRecords - 1; place > 0; --place) {
    if (known_[place] || !known_[2 * place] || !known_[2 * place + 1]) continue;
    nodes_[place] = NodeHash(nodes_[2 * place], nodes_[2 * place + 1]);
    known_.set(place);
  }
}

const Hash* TreeTile::Find(uint8_t height, uint64_t index) const {
  const size_t place = Place(height, index);
  return known_[place] ? &nodes_[place] : nullptr;
}

bool TreeTile::Covers(uint64_t leaf) const {
  for (uint8_t height = 0; height <= kTileLevels; ++height)
    if (known_[Place(height, leaf >> height)]) return true;
  return false;
}

bool TreeTile::AddTo(LogFrontier* frontier, uint8_t base, uint64_t tile, uint64_t records,
                     std::vector<LogNode>* stored) const {
  bool known = true;
  ForEachNodeOver(0, records, [&](uint8_t height, uint64_t index) {
    const Hash* hash = Find(height, index);
    known = known && hash != nullptr;
    if (!known) return;
    const LogNode node{static_cast<uint8_t>(base + height),
                       (tile << (kTileLevels - height)) + index, *hash};
    if (stored != nullptr && IsStored(node.level)) stored->push_back(node);
    frontier->Add(node, stored);
  });
  return known;
}

Status TileCollector::AddLeaf(const Hash& leaf) {
  tile_.Set(0, next_ % kGroupRecords, leaf);
  ++kept_;
  return ++next_ % kGroupRecords == 0 ? EndGroup(kGroupRecords) : Status();
}

Status TileCollector::AddCut(uint64_t records) {
  for (const uint64_t end = next_ + records; next_ < end;) {
    const uint64_t group_end = (next_ / kGroupRecords + 1) * kGroupRecords;
    next_ = std::min(end, group_end);
    if (next_ == group_end) STELE_RETURN_IF_ERROR(EndGroup(kGroupRecords));
  }
  return {};
}

Status TileCollector::Finish() {
  const uint64_t rest = next_ % kGroupRecords;
  return rest == 0 ? Status() : EndGroup(rest);
}

Status TileCollector::EndGroup(uint64_t records) {
  const Status done = done_({(next_ - 1) / kGroupRecords, records, kept_}, tile_);
  tile_.Clear();
  kept_ = 0;
  return done;
}

}  // namespace stele::eventstore
