// Rows of a table that fit a query, page by page. No search reads all rows: conditions on indexed
// fields are joined by seeking, what is left is asked of the rows that come out, and what a page
// may read is bounded (limits.h): it ends early then, and its cursor goes on.
//
// Thread: one at a time, the reader's.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "projections/hidden.h"
#include "projections/limits.h"
#include "projections/query.h"
#include "projections/table.h"
#include "projections/view_store.h"

namespace stele::projections {

struct SearchRequest {
  Query query;
  std::string sort;  // the field that the rows are in the order of, "-" before it: the latest first
  std::string cursor;  // Page::next of the page before; empty: the first page
  size_t limit = kDefaultPageRows;
  TimeUs now;  // what durations in the query count from, on the first page
  // What else all pages have in common: "as of 42". The cursor of another one is refused.
  std::string course;
  // Rows of these definitions are as if they were not there. Whoever may not see them must not see
  // `next` as it is either: it may tell of a row of theirs.
  Hidden hidden = nullptr;
};

// The bytes of rows; Find makes rows of them.
struct FoundRows {
  std::vector<std::string> rows;
  std::string next;   // a cursor; empty: this is the last page
  Position position;  // of the log: the last record that the answer knows of
  uint64_t keys_touched = 0;
};

// kUnknownKey, kInvalidInput: the query, the sort or the cursor is none of the table's;
// kLimitExceeded: the page is too large, or a prefix stands for too many values.
Result<FoundRows> FindRows(const ViewReader& reader, const TableSchema& schema,
                           const SearchRequest& request);

template <class Row>
struct Page {
  std::vector<Row> rows;
  std::string next;
  Position position;
  uint64_t keys_touched = 0;
};

// REQUIRES: the reader is of a view whose table has these rows.
template <class Row>
Result<Page<Row>> Find(const ViewReader& reader, const SearchRequest& request) {
  Result<FoundRows> found = FindRows(reader, Row::Schema(), request);
  if (!found.has_value()) return std::unexpected(found.error());
  Page<Row> page{.rows = {},
                 .next = std::move(found->next),
                 .position = found->position,
                 .keys_touched = found->keys_touched};
  for (const std::string& bytes : found->rows) {
    Row& row = page.rows.emplace_back();
    CHECK(DecodeRow(bytes, &row), "{} bytes are no row of {}", bytes.size(), Row::Schema().rows);
  }
  return page;
}

// The row of that key, or nothing.
template <class Row>
Result<std::optional<Row>> FindOne(const ViewReader& reader, std::string_view key) {
  const Result<std::optional<std::string>> bytes = reader.Get(RowKey(key));
  if (!bytes.has_value()) return std::unexpected(bytes.error());
  if (!bytes->has_value()) return std::nullopt;
  Row row;
  if (!DecodeRow(**bytes, &row))
    return Fail(
        ErrorCode::kStoreCorrupt,
        fmt::format("Expected a row of {} but found {} bytes that are none; rebuild the view",
                    Row::Schema().rows, (*bytes)->size()));
  return row;
}

}  // namespace stele::projections
