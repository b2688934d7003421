// Rows that are found by what is in them. A row type says what its fields are (TableSchema) and
// what a row holds of them (RowFacts), once; the index and the filters of a search both go by that.
//
// Keys of a table, as keys.h writes them:
//   'r' row key                                  -> the row
//   't' field, text of the value, block          -> the numbers of the rows in the block that have
//                                                   that term of an indexed field (number_set.h)
//   'c', 'n'                                     -> numbers that rows are sorted by (column.h)
// Each row has a number of its own, and a block is those numbers that are the same but for their
// lowest block_bits: what many rows share costs a key for each block, not for each row.
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

// How rows are sorted by a field.
enum class Sorting : uint8_t {
  kNot,
  kNumber,  // by a column. A row has one number of it, or none
  kTerm,    // by its terms, one value after the other. A row has one, or none
};

struct Field {
  uint8_t id = 0;         // its place in the schema's fields, from 1
  std::string_view name;  // kNamed: before the point
  FieldKind kind = FieldKind::kWord;
  bool indexed = false;
  std::span<const std::string_view> values{};  // all that there are; empty: any
  bool always = false;                         // every row has exactly one of them
  Sorting sorting = Sorting::kNot;
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
  uint64_t number = 0;
  int64_t order = 0;        // of TableSchema::order
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
  std::string_view order;  // the moment that rows are sorted by when nothing else is asked for
  uint8_t order_field = 0;
  uint8_t block_bits = 0;
  std::span<const Field> fields;
  // Of a stored row; nothing: the bytes are none. `now`: for what has not ended.
  std::optional<RowFacts> (*facts)(std::string_view bytes, TimeUs now);
  // The row key in what somebody wrote.
  std::optional<std::string> (*key)(std::string_view id);
  // The row key of a number.
  std::string (*key_of)(uint64_t number);
  // What `key` takes, for who wrote something else.
  std::string_view id_form = "the number of one";

  // REQUIRES: it is one of them.
  const Field& field(uint8_t id) const { return fields[id - 1]; }
};

std::string RowKey(std::string_view key);
// What the index keys of a term begin with; what is behind it is a block.
std::string TermPrefix(uint8_t field, std::string_view value);
// What the index keys of all values begin with that begin so.
std::string ValuesPrefix(uint8_t field, std::string_view begin);

// The index has the row as it is now. Null: there was none, or is none any more.
void WriteIndex(ViewWriter& writer, const TableSchema& schema, const RowFacts* before,
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
    WriteIndex(writer, Row::Schema(), before.has_value() ? &then : nullptr, &now);
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
    WriteIndex(writer, Row::Schema(), &then, nullptr);
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
