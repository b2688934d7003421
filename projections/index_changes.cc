#include "projections/index_changes.h"

#include <algorithm>

#include "base/check.h"
#include "projections/column.h"
#include "projections/keys.h"
#include "projections/number_set.h"
#include "projections/view_writer.h"

namespace stele::projections {

namespace {

// Calls visit(group, its items) for neighbours of the same group.
template <class Item, class GroupOf, class Visit>
void ForEachGroup(std::span<const Item> items, GroupOf group_of, Visit visit) {
  for (size_t begin = 0, end = 0; begin < items.size(); begin = end) {
    const uint64_t group = group_of(items[begin]);
    while (end < items.size() && group_of(items[end]) == group) ++end;
    visit(group, items.subspan(begin, end - begin));
  }
}

// Those that were there and are not changed, and those that come, by their keys. Of several changes
// of one the last counts.
template <class Item, class Change, class KeyOf, class ChangeKeyOf, class ItemOf>
std::vector<Item> Merged(const std::vector<Item>& before, std::span<const Change> changes,
                         KeyOf key_of, ChangeKeyOf change_key_of, ItemOf item_of) {
  std::vector<Item> after;
  after.reserve(before.size() + changes.size());
  size_t at = 0;
  for (size_t i = 0; i < changes.size(); ++i) {
    const uint64_t key = change_key_of(changes[i]);
    if (i + 1 < changes.size() && change_key_of(changes[i + 1]) == key) continue;
    while (at < before.size() && key_of(before[at]) < key) after.push_back(before[at++]);
    if (at < before.size() && key_of(before[at]) == key) ++at;
    if (const std::optional<Item> item = item_of(changes[i])) after.push_back(*item);
  }
  after.insert(after.end(), before.begin() + static_cast<ptrdiff_t>(at), before.end());
  return after;
}

void Replace(ViewWriter& writer, std::string key, const std::optional<std::string>& before,
             std::string after) {
  if (after.empty()) {
    if (before.has_value()) writer.Erase(std::move(key));
  } else if (before != after) {
    writer.Put(std::move(key), std::move(after));
  }
}

uint64_t RowOf(uint64_t change) {
  return change >> 1;
}

}  // namespace

void IndexChanges::Flush(ViewWriter& writer, uint8_t block_bits) {
  for (auto& [term, changed] : terms_) WriteTerm(writer, term, changed, block_bits);
  for (auto& [field, values] : columns_) WriteColumn(writer, field, values, block_bits);
  terms_.clear();
  columns_.clear();
}

void IndexChanges::WriteTerm(ViewWriter& writer, const std::string& term, Changed& changed,
                             uint8_t block_bits) {
  if (!std::ranges::is_sorted(changed, {}, RowOf)) std::ranges::stable_sort(changed, {}, RowOf);
  ForEachGroup(
      std::span<const uint64_t>(changed),
      [&](uint64_t change) { return RowOf(change) >> block_bits; },
      [&](uint64_t block, std::span<const uint64_t> changes) {
        std::string key =
            KeyWriter(term[0]).Raw(std::string_view(term).substr(1)).Number(block).Take();
        const uint64_t base = block << block_bits;
        const std::optional<std::string> bytes = writer.Get(key);
        Numbers before;
        if (bytes.has_value())
          CHECK(DecodeNumbers(*bytes, base, &before), "{} bytes are no set of numbers",
                bytes->size());
        const Numbers after = Merged(before, changes, std::identity(), RowOf, [](uint64_t change) {
          return (change & 1) != 0 ? std::optional(RowOf(change)) : std::nullopt;
        });
        Replace(writer, std::move(key), bytes, after.empty() ? "" : EncodeNumbers(after, base));
      });
}

void IndexChanges::WriteColumn(ViewWriter& writer, uint8_t field, std::vector<Value>& values,
                               uint8_t block_bits) {
  std::ranges::stable_sort(values, {}, &Value::row);
  std::vector<Bounds> changed;
  ForEachGroup(
      std::span<const Value>(values), [&](const Value& value) { return value.row >> block_bits; },
      [&](uint64_t block, std::span<const Value> group) {
        changed.push_back(WriteBlock(writer, field, block, group, block_bits));
      });
  for (uint8_t level = 1; level <= kZoneLevels; ++level) {
    std::vector<Bounds> above;
    ForEachGroup(
        std::span<const Bounds>(changed),
        [](const Bounds& bounds) { return bounds.of >> kZoneBits; },
        [&](uint64_t node, std::span<const Bounds> children) {
          above.push_back(WriteNode(writer, field, level, node, children));
        });
    changed = std::move(above);
  }
}

IndexChanges::Bounds IndexChanges::WriteBlock(ViewWriter& writer, uint8_t field, uint64_t block,
                                              std::span<const Value> values, uint8_t block_bits) {
  std::string key = ColumnKey(field, block);
  const uint64_t base = block << block_bits;
  const std::optional<std::string> bytes = writer.Get(key);
  std::vector<ColumnEntry> before;
  if (bytes.has_value())
    CHECK(DecodeColumn(*bytes, base, &before), "{} bytes are no column", bytes->size());
  const std::vector<ColumnEntry> after = Merged(
      before, values, [](const ColumnEntry& entry) { return entry.row; },
      [](const Value& value) { return value.row; },
      [](const Value& value) {
        return value.value ? std::optional(ColumnEntry{value.row, *value.value}) : std::nullopt;
      });
  Replace(writer, std::move(key), bytes, EncodeColumn(after, base));
  if (after.empty()) return {block, std::nullopt};
  const auto [low, high] = std::ranges::minmax(after, {}, &ColumnEntry::value);
  return {block, std::pair(low.value, high.value)};
}

IndexChanges::Bounds IndexChanges::WriteNode(ViewWriter& writer, uint8_t field, uint8_t level,
                                             uint64_t node, std::span<const Bounds> children) {
  std::string key = ZoneKey(field, level, node);
  const uint64_t base = node << kZoneBits;
  const std::optional<std::string> bytes = writer.Get(key);
  std::vector<Zone> before;
  if (bytes.has_value())
    CHECK(DecodeZones(*bytes, base, &before), "{} bytes are no zones", bytes->size());
  const std::vector<Zone> after = Merged(
      before, children, [](const Zone& zone) { return zone.child; },
      [](const Bounds& child) { return child.of; },
      [](const Bounds& child) {
        return child.bounds
                   ? std::optional(Zone{child.of, child.bounds->first, child.bounds->second})
                   : std::nullopt;
      });
  Replace(writer, std::move(key), bytes, EncodeZones(after, base));
  if (after.empty()) return {node, std::nullopt};
  return {node, std::pair(std::ranges::min(after, {}, &Zone::low).low,
                          std::ranges::max(after, {}, &Zone::high).high)};
}

}  // namespace stele::projections
