// What a batch changes in the index of a table (table.h): which rows have a term, and the numbers
// that rows are sorted by. A block is read once a batch, and written once.
//
// Thread: one at a time, the writer's.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace stele::projections {

class ViewWriter;

class IndexChanges {
 public:
  // A row has the term from now on, or no more. `term`: what its keys begin with (TermPrefix).
  void Have(std::string_view term, uint64_t row) { Change(term, row << 1 | 1); }
  void Lack(std::string_view term, uint64_t row) { Change(term, row << 1); }
  // Nothing: the row has no such number any more.
  void Set(uint8_t field, uint64_t row, std::optional<int64_t> value) {
    columns_[field].push_back({row, value});
  }
  bool empty() const { return terms_.empty() && columns_.empty(); }

  // Puts the blocks into the writer, and forgets what they were changed by. Blocks have
  // 1 << block_bits numbers.
  void Flush(ViewWriter& writer, uint8_t block_bits);

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  struct Value {
    uint64_t row = 0;
    std::optional<int64_t> value;
  };
  // What a block's or a node's numbers lie between; nothing: there are none.
  struct Bounds {
    uint64_t of = 0;
    std::optional<std::pair<int64_t, int64_t>> bounds;
  };
  using Changed = std::vector<uint64_t>;  // rows, in the lowest bit whether they have the term

  void Change(std::string_view term, uint64_t change) {
    const auto found = terms_.find(term);
    auto& changed = found != terms_.end() ? found->second : terms_[std::string(term)];
    changed.push_back(change);
  }
  static void WriteTerm(ViewWriter& writer, const std::string& term, Changed& changed,
                        uint8_t block_bits);
  static void WriteColumn(ViewWriter& writer, uint8_t field, std::vector<Value>& values,
                          uint8_t block_bits);
  static Bounds WriteBlock(ViewWriter& writer, uint8_t field, uint64_t block,
                           std::span<const Value> values, uint8_t block_bits);
  static Bounds WriteNode(ViewWriter& writer, uint8_t field, uint8_t level, uint64_t node,
                          std::span<const Bounds> children);

  std::unordered_map<std::string, Changed, Hash, std::equal_to<>> terms_;
  std::map<uint8_t, std::vector<Value>> columns_;
};

}  // namespace stele::projections
