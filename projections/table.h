// Rows that are found by what is in them. A row type says what its fields are (TableSchema) and
// what a row holds of them (RowFacts), once; the index and the filters of a search both go by that.
//
// Keys of a table, as keys.h writes them:
//   'r' row key                                  -> the row
//   't' field, text of the value, place          -> nothing; one for each term of an indexed field
// A place is the row's order, the greatest first, and behind it the row key: the keys of any term
// are in the same order, so that terms are joined by seeking. The field 0 with an empty value is in
// every row.
//
// Thread: any; a writer's.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/ids.h"
#include "projections/row.h"
#include "projections/view_writer.h"

namespace stele::projections {

enum class FieldKind : uint8_t {
  kWord,      // a text as it is
  kText,      // words, whatever their case
  kMoment,    // microseconds since 1970
  kDuration,  // microseconds
  kNumber,    // an integer, which is a term too
  kNamed,     // texts under names of their own: `var.NAME`
  kId,        // the row's own
};

struct Field {
  uint8_t id = 0;         // its place in the schema's fields, from 1
  std::string_view name;  // kNamed: before the point
  FieldKind kind = FieldKind::kWord;
  bool indexed = false;
  std::span<const std::string_view> values{};  // all that there are; empty: any
  bool always = false;                         // every row has exactly one of them
};

// A value of a field. kNamed: the name, a byte 0 and the value (NamedTerm).
struct Term {
  uint8_t field = 0;
  std::string value;
  auto operator<=>(const Term&) const = default;
};
std::string NamedTerm(std::string_view name, std::string_view value);

struct Number {
  uint8_t field = 0;
  int64_t value = 0;
};

struct RowFacts {
  std::string key;
  int64_t order = 0;
  std::vector<Term> terms;  // sorted, none twice
  std::vector<Number> numbers;

  // Unless the value is empty.
  void Add(uint8_t field, std::string_view value);
  void Add(uint8_t field, TimeUs moment);
  // To be called behind the last Add.
  void Sort();
};

struct TableSchema {
  std::string_view rows;   // "instances"
  std::string_view order;  // the field of kind kMoment that rows are in the order of
  std::span<const Field> fields;
  // Of a stored row; nothing: the bytes are none. `now`: for what has not ended.
  std::optional<RowFacts> (*facts)(std::string_view bytes, TimeUs now);
  // The row key in what somebody wrote.
  std::optional<std::string> (*key)(std::string_view id);

  // REQUIRES: it is one of them.
  const Field& field(uint8_t id) const { return fields[id - 1]; }
};

std::string RowKey(std::string_view key);
// What the index keys of a term begin with; what is behind it is a place.
std::string TermPrefix(uint8_t field, std::string_view value);
// What the index keys of all values begin with that begin so.
std::string ValuesPrefix(uint8_t field, std::string_view begin);
std::string PlaceOf(const RowFacts& facts);

// Those index keys that are in one of them alone go, or come.
void WriteTerms(ViewWriter& writer, const TableSchema& schema, const RowFacts* before,
                const RowFacts* after);

// A Row has Fields (row.h), Schema() and Facts(now).
template <class Row>
struct Table {
  static std::optional<Row> Get(ViewWriter& writer, std::string_view key) {
    const std::optional<std::string> bytes = writer.Get(RowKey(key));
    if (!bytes.has_value()) return std::nullopt;
    Row row;
    CHECK(DecodeRow(*bytes, &row), "{} bytes are no row of {}", bytes->size(), Row::Schema().rows);
    return row;
  }

  // `before`: what Get gave.
  static void Put(ViewWriter& writer, const std::optional<Row>& before, const Row& row) {
    std::string bytes = EncodeRow(row);
    if (before.has_value() && bytes == EncodeRow(*before)) return;
    const RowFacts now = row.Facts(TimeUs());
    const RowFacts then = before.has_value() ? before->Facts(TimeUs()) : RowFacts();
    WriteTerms(writer, Row::Schema(), before.has_value() ? &then : nullptr, &now);
    writer.Put(RowKey(now.key), std::move(bytes));
  }

  static void Put(ViewWriter& writer, const Row& row) {
    Put(writer, Get(writer, row.Facts(TimeUs()).key), row);
  }

  // Nothing happens when it is not there.
  static void Erase(ViewWriter& writer, std::string_view key) {
    const std::optional<Row> row = Get(writer, key);
    if (!row.has_value()) return;
    const RowFacts then = row->Facts(TimeUs());
    WriteTerms(writer, Row::Schema(), &then, nullptr);
    writer.Erase(RowKey(key));
  }
};

// `TableSchema::facts` of a row type.
template <class Row>
std::optional<RowFacts> FactsOf(std::string_view bytes, TimeUs now) {
  Row row;
  return DecodeRow(bytes, &row) ? std::optional(row.Facts(now)) : std::nullopt;
}

}  // namespace stele::projections
