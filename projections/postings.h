// The numbers of rows (table.h) that hold something, a block at a time: what terms are joined from.
//
// Thread: one at a time, the reader's.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "projections/number_set.h"
#include "projections/view_store.h"

namespace stele::projections {

enum class Direction : uint8_t {
  kDescending,  // of what rows are sorted by: the latest first
  kAscending,
};

class Postings {
 public:
  virtual ~Postings() = default;

  // Those in the block; good until the next call. Empty: none, or `status` says what went wrong.
  virtual const Numbers& In(uint64_t block) = 0;
  // Whether it is known without a look that these blocks and those between them have none.
  virtual bool LacksKnowingly(uint64_t first, uint64_t last) const = 0;
  // Whether it is known that no block has.
  virtual bool HasNone() const = 0;
  // The blocks that have some, when they are few and cheap to know.
  virtual std::optional<std::vector<uint64_t>> FewBlocks() { return std::nullopt; }
  virtual Status status() const = 0;
};

// Of the blocks of that term (TermPrefix). It is cheapest to ask for one block after the other as
// the direction says: those between two that have some cost nothing. REQUIRES: the reader outlives
// it.
std::unique_ptr<Postings> PostingsOf(const ViewReader& reader, const std::string& term,
                                     uint8_t block_bits, Direction direction);
// The same of a term that few rows may have: that is looked at.
std::unique_ptr<Postings> RarePostingsOf(const ViewReader& reader, const std::string& term,
                                         uint8_t block_bits, Direction direction);
// Those that are in one of them.
std::unique_ptr<Postings> AnyOf(std::vector<std::unique_ptr<Postings>> parts);
// These, in any order.
std::unique_ptr<Postings> PostingsAt(Numbers numbers, uint8_t block_bits);

// Those that are in all parts. REQUIRES: there is one.
Numbers CommonIn(uint64_t block, const std::vector<Postings*>& parts);

}  // namespace stele::projections
