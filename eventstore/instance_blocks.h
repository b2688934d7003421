// Which blocks hold an instance's records: the entries of the index and how they are searched.
#pragma once

#include <compare>
#include <vector>

#include "base/ids.h"

namespace stele::eventstore {

// A block that holds records of an instance, and the first event of that instance in it.
struct InstanceBlock {
  Seq first_seq;
  Position block;
  auto operator<=>(const InstanceBlock&) const = default;
};

struct IndexEntry {
  InstanceId instance;
  Seq first_seq;
  Position block;
  auto operator<=>(const IndexEntry&) const = default;
};

// Sorts, and keeps one entry for an instance and block, that of the lowest seq.
void SortIndexEntries(std::vector<IndexEntry>* entries);

// Sorts, removes what occurs twice and what lies before the block that holds `from`.
void TrimInstanceBlocks(Seq from, std::vector<InstanceBlock>* blocks);

}  // namespace stele::eventstore
