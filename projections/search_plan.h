// What a query comes to on a table: terms to be joined, the stretch of the order that counts, and
// what must be asked of each row.
//
// Thread: one at a time, the reader's.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "projections/filter.h"
#include "projections/postings.h"
#include "projections/table.h"

namespace stele::projections {

class Plan {
 public:
  // REQUIRES: both outlive it.
  Plan(const ViewReader& reader, const TableSchema& schema, Direction direction)
      : reader_(reader), schema_(schema), direction_(direction) {}

  // `by_order`: a stretch of the order is one of the sort.
  Status Make(std::vector<Filter> filters, TimeUs now, bool by_order);

  std::vector<Postings*> parts() const {
    std::vector<Postings*> parts;
    for (const auto& part : parts_) parts.push_back(part.get());
    return parts;
  }
  // Whether it is known that no row fits.
  bool HasNone() const {
    return std::ranges::any_of(parts_, [](const auto& part) { return part->HasNone(); });
  }
  Status status() const {
    for (const auto& part : parts_) STELE_RETURN_IF_ERROR(part->status());
    return {};
  }
  const std::vector<Filter>& filters() const { return filters_; }
  // Of the order of the table: before and behind it is nothing.
  Range orders() const { return orders_; }

 private:
  using Parts = std::vector<std::unique_ptr<Postings>>;

  std::unique_ptr<Postings> Of(uint8_t field, std::string_view value) const {
    return PostingsOf(reader_, TermPrefix(field, value), schema_.block_bits, direction_);
  }
  void Bound(Filter filter);
  void AddWords(const Filter& filter);
  Status AddIds(const Filter& filter, TimeUs now);
  Status AddPrefixes();
  // Nothing: they are more than a prefix may stand for.
  Result<std::optional<Parts>> OfPattern(const Filter& filter, const Needle& needle);

  const ViewReader& reader_;
  const TableSchema& schema_;
  Direction direction_;
  Parts parts_;
  std::vector<Filter> filters_;
  std::vector<Filter> prefixes_;  // whether they lead to rows is seen last
  Range orders_;
};

}  // namespace stele::projections
