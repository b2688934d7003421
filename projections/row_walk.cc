#include "projections/row_walk.h"

#include <fmt/format.h>

#include <algorithm>

namespace stele::projections {

namespace {

// Of so many rows in a block the rows are read: they are wanted anyway.
constexpr size_t kFewRows = 2;

std::optional<int64_t> NumberOf(const RowFacts& facts, const TableSchema& schema, uint8_t field) {
  if (field == schema.order_field) return facts.order;
  for (const Number& number : facts.numbers)
    if (number.field == field) return number.value;
  return std::nullopt;
}

}  // namespace

bool ComesBefore(Direction direction, const Place& a, const Place& b) {
  const Place& first = direction == Direction::kDescending ? a : b;
  const Place& second = direction == Direction::kDescending ? b : a;
  return first.value != second.value ? first.value > second.value : first.row > second.row;
}

Status RowWalk::Begin(const std::optional<Place>& from, bool behind) {
  from_ = from;
  behind_ = behind;
  items_ = std::priority_queue<Item, std::vector<Item>, Later>(Later{order_.direction});
  for (const Postings* part : parts_)
    if (part->HasNone()) return part->status();
  for (Postings* part : parts_) {
    const auto blocks = part->FewBlocks();
    if (!blocks.has_value()) continue;
    const Range values = order_.values;
    for (const uint64_t block : *blocks) PushNode({block, values.low, values.high}, 1);
    return part->status();
  }
  const Result<std::vector<uint64_t>> roots = columns_.Roots(order_.field);
  if (!roots.has_value()) return std::unexpected(roots.error());
  for (const uint64_t root : *roots)
    PushNode({root, order_.values.low, order_.values.high}, kZoneLevels + 1);
  return {};
}

// Whether it has come already.
bool RowWalk::IsBefore(const Place& place) const {
  if (!from_.has_value()) return false;
  return ComesBefore(order_.direction, place, *from_) || (behind_ && place == *from_);
}

void RowWalk::PushNode(const Zone& zone, uint8_t level) {
  const int64_t low = std::max(zone.low, order_.values.low);
  const int64_t high = std::min(zone.high, order_.values.high);
  if (low > high) return;
  const Place highest{high, LastRow(level, zone.child)};
  const Place lowest{low, FirstRow(level, zone.child)};
  const bool descending = order_.direction == Direction::kDescending;
  if (IsBefore(descending ? lowest : highest)) return;
  items_.push({.best = descending ? highest : lowest, .level = level, .of = zone.child});
}

void RowWalk::PushRow(uint64_t row, int64_t value, size_t bytes) {
  if (value < order_.values.low || value > order_.values.high || IsBefore({value, row})) return;
  items_.push({.best = {value, row}, .level = 0, .of = row, .bytes = bytes});
}

Status RowWalk::Open(const Item& item) {
  if (item.level == 1) return OpenBlock(item.of);
  const uint64_t first = FirstRow(item.level, item.of) >> schema_.block_bits;
  const uint64_t last = LastRow(item.level, item.of) >> schema_.block_bits;
  for (const Postings* part : parts_)
    if (part->LacksKnowingly(first, last)) return {};
  const auto level = static_cast<uint8_t>(item.level - 1);
  const auto zones = columns_.Zones(order_.field, level, item.of);
  if (!zones.has_value()) return std::unexpected(zones.error());
  for (const Zone& zone : **zones) PushNode(zone, level);
  return {};
}

Status RowWalk::OpenBlock(uint64_t block) {
  Numbers rows;
  if (!parts_.empty()) {
    rows = CommonIn(block, parts_);
    for (const Postings* part : parts_) STELE_RETURN_IF_ERROR(part->status());
    if (rows.empty()) return {};
    if (rows.size() <= kFewRows) return OpenFew(rows);
  }
  const auto column = columns_.Block(order_.field, block);
  if (!column.has_value()) return std::unexpected(column.error());
  std::vector<ColumnEntry> except;
  if (order_.except.has_value()) {
    auto found = columns_.Block(*order_.except, block);
    if (!found.has_value()) return std::unexpected(found.error());
    except = *std::move(found);
  }
  auto row = rows.begin();
  auto excepted = except.begin();
  for (const ColumnEntry& entry : *column) {
    while (excepted != except.end() && excepted->row < entry.row) ++excepted;
    if (excepted != except.end() && excepted->row == entry.row) continue;
    if (!parts_.empty()) {
      while (row != rows.end() && *row < entry.row) ++row;
      if (row == rows.end()) break;
      if (*row != entry.row) continue;
    }
    PushRow(entry.row, entry.value);
  }
  return {};
}

Status RowWalk::OpenFew(const Numbers& rows) {
  for (const uint64_t row : rows) {
    auto bytes = reader_.Get(RowKey(schema_.key_of(row)));
    if (!bytes.has_value()) return std::unexpected(bytes.error());
    // As the columns have it: without what counts until now.
    const auto facts = bytes->has_value() ? schema_.facts(**bytes, TimeUs()) : std::nullopt;
    // Who takes the row tells of one that is not there.
    if (!facts.has_value()) {
      PushRow(row, order_.values.high);
      continue;
    }
    const std::optional<int64_t> value = NumberOf(*facts, schema_, order_.field);
    if (!value.has_value()) continue;
    if (order_.except.has_value() && NumberOf(*facts, schema_, *order_.except)) continue;
    read_.push_back(**std::move(bytes));
    PushRow(row, *value, read_.size() - 1);
  }
  return {};
}

Result<std::string> RowWalk::Bytes() {
  if (bytes_ != SIZE_MAX) return read_[bytes_];
  auto bytes = reader_.Get(RowKey(schema_.key_of(place_.row)));
  if (!bytes.has_value()) return std::unexpected(bytes.error());
  if (bytes->has_value()) return **std::move(bytes);
  return Fail(ErrorCode::kStoreCorrupt,
              fmt::format("Expected a row of {} where its index has one but found none; rebuild "
                          "the view",
                          schema_.rows));
}

}  // namespace stele::projections
