// Rows in the order of a number that they are sorted by, those alone that some postings lead to:
// the best node of the column's tree (column.h) is opened until a row is the best of all that is
// left. Of blocks with few rows the rows themselves are read, of others the column.
//
// Thread: one at a time, the reader's.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "base/error.h"
#include "projections/column.h"
#include "projections/filter.h"
#include "projections/postings.h"
#include "projections/table.h"

namespace stele::projections {

// Where a row is in an order. Rows of equal values come by their numbers, the larger ones first
// when it descends: each order is the other one's reverse, and the latest are first in the first.
struct Place {
  int64_t value = 0;
  uint64_t row = 0;
  bool operator==(const Place&) const = default;
};
bool ComesBefore(Direction direction, const Place& a, const Place& b);

class RowWalk {
 public:
  struct Order {
    uint8_t field = 0;  // a column
    Direction direction = Direction::kDescending;
    Range values;                   // no others
    std::optional<uint8_t> except;  // no row that has a number in this column
  };
  // The parts are all that a row must be in; none: every row of the column. REQUIRES: all outlive
  // it.
  RowWalk(const ViewReader& reader, const TableSchema& schema, ColumnReader& columns, Order order,
          std::vector<Postings*> parts)
      : reader_(reader),
        schema_(schema),
        columns_(columns),
        order_(order),
        parts_(std::move(parts)) {}

  // From that place on, or behind it.
  Status Begin(const std::optional<Place>& from, bool behind);

  enum class Found : uint8_t {
    kRow,      // place() and bytes() are of the next one
    kEnd,      // there is none
    kTooMuch,  // what may be read was; what is before place() has come
  };
  // Goes on while may_go_on().
  template <class MayGoOn>
  Result<Found> Next(MayGoOn may_go_on);

  const Place& place() const { return place_; }
  // Of the row; read when it has not been.
  Result<std::string> Bytes();

 private:
  struct Item {
    Place best;
    uint8_t level = 0;        // 0: a row; 1: a block; a node of the level below otherwise
    uint64_t of = 0;          // the row, the block or the node
    size_t bytes = SIZE_MAX;  // where its bytes are, if they have been read
  };
  struct Later {
    Direction direction;
    // Nodes before rows: there may be as good a row in them.
    bool operator()(const Item& a, const Item& b) const {
      if (a.best == b.best) return a.level < b.level;
      return ComesBefore(direction, b.best, a.best);
    }
  };

  bool IsBefore(const Place& place) const;
  void Push(const Item& item) { items_.push(item); }
  void PushNode(const Zone& zone, uint8_t level);
  void PushRow(uint64_t row, int64_t value, size_t bytes = SIZE_MAX);
  Status Open(const Item& item);
  Status OpenBlock(uint64_t block);
  Status OpenFew(const Numbers& rows);
  // The number of the first row below an item of that level, and of the last one.
  uint64_t FirstRow(uint8_t level, uint64_t of) const { return of << BitsOf(level); }
  uint64_t LastRow(uint8_t level, uint64_t of) const {
    return FirstRow(level, of) | ((uint64_t{1} << BitsOf(level)) - 1);
  }
  uint8_t BitsOf(uint8_t level) const {
    return static_cast<uint8_t>(schema_.block_bits + (level - 1) * kZoneBits);
  }

  const ViewReader& reader_;
  const TableSchema& schema_;
  ColumnReader& columns_;
  Order order_;
  std::vector<Postings*> parts_;
  std::optional<Place> from_;
  bool behind_ = false;
  std::priority_queue<Item, std::vector<Item>, Later> items_{Later{Direction::kDescending}};
  std::vector<std::string> read_;
  Place place_;
  size_t bytes_ = SIZE_MAX;
};

template <class MayGoOn>
Result<RowWalk::Found> RowWalk::Next(MayGoOn may_go_on) {
  while (!items_.empty()) {
    const Item item = items_.top();
    // What was asked for begins within it.
    place_ =
        from_.has_value() && ComesBefore(order_.direction, item.best, *from_) ? *from_ : item.best;
    if (!may_go_on()) return Found::kTooMuch;
    items_.pop();
    if (item.level == 0) {
      bytes_ = item.bytes;
      return Found::kRow;
    }
    STELE_RETURN_IF_ERROR(Open(item));
  }
  return Found::kEnd;
}

}  // namespace stele::projections
