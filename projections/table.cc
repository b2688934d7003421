#include "projections/table.h"

#include <algorithm>

#include "projections/keys.h"

namespace stele::projections {

namespace {

using Columns = std::vector<std::pair<uint8_t, int64_t>>;

// What the row is sorted by, the order first.
Columns ColumnsOf(const TableSchema& schema, const RowFacts* facts) {
  Columns columns;
  if (facts == nullptr) return columns;
  columns.emplace_back(schema.order_field, facts->order);
  for (const Number& number : facts->numbers)
    if (schema.field(number.field).sorting == Sorting::kNumber &&
        number.field != schema.order_field)
      columns.emplace_back(number.field, number.value);
  return columns;
}

void WriteColumns(IndexChanges& changes, uint64_t row, const Columns& before,
                  const Columns& after) {
  for (const auto& column : after)
    if (std::ranges::find(before, column) == before.end())
      changes.Set(column.first, row, column.second);
  for (const auto& [field, value] : before)
    if (std::ranges::find(after, field, &Columns::value_type::first) == after.end())
      changes.Set(field, row, std::nullopt);
}

// The terms that are in one of them alone.
void WriteTerms(IndexChanges& changes, const TableSchema& schema, uint64_t row,
                std::span<const Term> before, std::span<const Term> after) {
  std::string key;
  const auto key_of = [&](const Term& term) -> std::string_view {
    key.assign(1, 't');
    key.push_back(static_cast<char>(term.field));
    AppendText(key, term.value);
    return key;
  };
  auto old = before.begin();
  for (auto now = after.begin(); now != after.end() || old != before.end();) {
    const auto order = now == after.end()    ? std::strong_ordering::less
                       : old == before.end() ? std::strong_ordering::greater
                                             : *old <=> *now;
    const Term& term = order < 0 ? *old : *now;
    const bool indexed = schema.field(term.field).indexed;
    if (order < 0 && indexed) changes.Lack(key_of(term), row);
    if (order > 0 && indexed) changes.Have(key_of(term), row);
    if (order <= 0) ++old;
    if (order >= 0) ++now;
  }
}

}  // namespace

std::string NamedTerm(std::string_view name, std::string_view value) {
  std::string term(name);
  term.push_back('\0');
  return term.append(value);
}

void RowFacts::Add(uint8_t field, std::string_view value) {
  if (!value.empty()) terms.push_back({field, std::string(value)});
}

void RowFacts::Add(uint8_t field, TimeUs moment) {
  if (moment) numbers.push_back({field, moment.value});
}

void RowFacts::Sort() {
  std::ranges::sort(terms);
  const auto again = std::ranges::unique(terms);
  terms.erase(again.begin(), again.end());
}

std::string RowKey(std::string_view key) {
  return KeyWriter('r').Raw(key).Take();
}

std::string TermPrefix(uint8_t field, std::string_view value) {
  return KeyWriter('t').Byte(field).Text(value).Take();
}

std::string ValuesPrefix(uint8_t field, std::string_view begin) {
  std::string prefix = TermPrefix(field, begin);
  prefix.resize(prefix.size() - 2);  // without the end of the text
  return prefix;
}

void WriteIndex(ViewWriter& writer, const TableSchema& schema, const RowFacts* before,
                const RowFacts* after) {
  if (before == nullptr && after == nullptr) return;
  const uint64_t row = before != nullptr ? before->number : after->number;
  IndexChanges& changes = writer.Index(schema.block_bits);
  const auto terms = [](const RowFacts* facts) {
    return facts == nullptr ? std::span<const Term>() : std::span<const Term>(facts->terms);
  };
  WriteTerms(changes, schema, row, terms(before), terms(after));
  WriteColumns(changes, row, ColumnsOf(schema, before), ColumnsOf(schema, after));
}

}  // namespace stele::projections
