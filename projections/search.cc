#include "projections/search.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "engine/definition/faults.h"
#include "projections/column.h"
#include "projections/keys.h"
#include "projections/page_cursor.h"
#include "projections/postings.h"
#include "projections/row_walk.h"
#include "projections/search_plan.h"

namespace stele::projections {

namespace {

// A sort has the rows with a value of its field first, and then those without one, the latest
// first.
enum class SortStage : uint8_t { kWith, kWithout };

// Where a page begins.
struct PageStart {
  SortStage stage = SortStage::kWith;
  std::string term;            // of a sort by terms: the value
  std::optional<Place> place;  // nothing: the begin
  bool behind = false;         // behind the place, not at it
  bool operator==(const PageStart&) const = default;
};

std::string BytesOf(const PageStart& start) {
  KeyWriter writer('s');
  writer.Byte(static_cast<uint8_t>(start.stage)).Text(start.term);
  if (start.place.has_value())
    writer.Number(static_cast<uint64_t>(start.place->value)).Number(start.place->row);
  return writer.Take();
}

PageStart StartOf(const PageCursor& cursor) {
  PageStart start{.behind = cursor.behind};
  KeyReader reader(cursor.place);
  reader.Byte();
  start.stage = reader.Byte() == 0 ? SortStage::kWith : SortStage::kWithout;
  start.term = reader.Text();
  if (reader.rest().empty()) return start;
  const auto value = static_cast<int64_t>(reader.Number());
  start.place = Place{value, reader.Number()};
  return start;
}

// What rows are sorted by, and which way.
struct SortedBy {
  const Field* field = nullptr;
  Direction direction = Direction::kDescending;
};

class Searching {
 public:
  Searching(const ViewReader& reader, const TableSchema& schema, const SearchRequest& request)
      : reader_(reader),
        schema_(schema),
        request_(request),
        columns_(reader, schema.block_bits),
        begin_(reader.keys_touched()) {}

  Result<FoundRows> Run();

 private:
  enum class Ended : uint8_t { kFull, kTooMuch, kAll };

  Result<SortedBy> SortOf() const;
  void Hide(std::vector<Filter>& filters) const;
  bool MayGoOn() const { return reader_.keys_touched() - begin_ < kMaxPageKeys; }
  // By a column: those that have a number of it, then the others.
  Status CollectByNumber(const Plan& plan);
  // By terms: the rows of one value after the other, then the others.
  Status CollectByTerm(const Plan& plan);
  Result<Ended> CollectWithTerm(const Plan& plan, const std::string& term, const PageStart* from);
  Status CollectWithoutTerm(const Plan& plan, const PageStart* from);
  // Rows of a stage of the sort until the page is full. `from`: where, if that is in this stage.
  Result<Ended> Collect(const Plan& plan, RowWalk::Order order, std::vector<Postings*> parts,
                        const PageStart* from);
  // The row's bytes; nothing: it does not fit.
  Result<std::optional<std::string>> Look(RowWalk& walk, const Plan& plan);
  Status CheckProgress() const;

  const ViewReader& reader_;
  const TableSchema& schema_;
  const SearchRequest& request_;
  ColumnReader columns_;
  const uint64_t begin_;
  SortedBy sort_;
  TimeUs now_;  // of the first page
  PageStart from_;
  PageStart next_;
  bool last_ = false;
  FoundRows found_;
};

Result<FoundRows> Searching::Run() {
  if (request_.limit == 0 || request_.limit > kMaxPageRows)
    return Fail(
        ErrorCode::kLimitExceeded,
        fmt::format("Expected a page of 1 to {} rows but found {}", kMaxPageRows, request_.limit));
  const Result<SortedBy> sort = SortOf();
  if (!sort.has_value()) return std::unexpected(sort.error());
  sort_ = *sort;
  const std::string search =
      fmt::format("{} of {} by {}{}{}{}", definition::Quote(ToText(request_.query)), schema_.rows,
                  sort_.direction == Direction::kDescending ? "-" : "", sort_.field->name,
                  request_.course.empty() ? "" : ", ", request_.course);
  now_ = request_.now;
  if (!request_.cursor.empty()) {
    Result<PageCursor> cursor = ReadCursor(request_.cursor, search);
    if (!cursor.has_value()) return std::unexpected(cursor.error());
    now_ = cursor->now;
    from_ = StartOf(*cursor);
  }
  Result<std::vector<Filter>> filters = FiltersOf(request_.query, schema_, now_);
  if (!filters.has_value()) return std::unexpected(filters.error());
  Hide(*filters);
  const bool by_order = sort_.field->id == schema_.order_field;
  Plan plan(reader_, schema_, by_order ? sort_.direction : Direction::kDescending);
  STELE_RETURN_IF_ERROR(plan.Make(*std::move(filters), now_, by_order));
  found_.position = reader_.position();
  if (plan.HasNone()) {
    last_ = true;
  } else {
    STELE_RETURN_IF_ERROR(sort_.field->sorting == Sorting::kTerm ? CollectByTerm(plan)
                                                                 : CollectByNumber(plan));
  }
  STELE_RETURN_IF_ERROR(plan.status());
  STELE_RETURN_IF_ERROR(CheckProgress());
  if (!last_)
    found_.next =
        WriteCursor({.place = BytesOf(next_), .behind = next_.behind, .now = now_}, search);
  found_.keys_touched = reader_.keys_touched() - begin_;
  return std::move(found_);
}

Result<SortedBy> Searching::SortOf() const {
  std::string_view name = request_.sort;
  if (name.empty()) return SortedBy{&schema_.field(schema_.order_field)};
  const bool descending = name.starts_with('-');
  if (descending) name.remove_prefix(1);
  std::vector<std::string_view> others;
  for (const Field& field : schema_.fields) {
    if (field.sorting == Sorting::kNot) continue;
    if (field.name == name)
      return SortedBy{&field, descending ? Direction::kDescending : Direction::kAscending};
    if (field.name != schema_.order) others.push_back(field.name);
  }
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("Expected a sort of {} by -{} (the latest first) or {}, or in the same "
                          "way by {} but found {}",
                          schema_.rows, schema_.order, schema_.order, fmt::join(others, ", "),
                          definition::Quote(request_.sort)));
}

// No condition of the query: neither a cursor nor a sentence says their names.
void Searching::Hide(std::vector<Filter>& filters) const {
  if (request_.hidden == nullptr) return;
  const auto field = std::ranges::find(schema_.fields, "definition", &Field::name);
  CHECK(field != schema_.fields.end(), "{} are of no definition", schema_.rows);
  Filter filter{.field = &*field, .negated = true};
  for (const std::string& name : *request_.hidden) filter.patterns.push_back({{Needle{name}}});
  filters.push_back(std::move(filter));
}

Status Searching::CollectByNumber(const Plan& plan) {
  const bool by_order = sort_.field->id == schema_.order_field;
  if (from_.stage == SortStage::kWith) {
    const auto ended = Collect(plan,
                               {.field = sort_.field->id,
                                .direction = sort_.direction,
                                .values = by_order ? plan.orders() : Range(),
                                .except = std::nullopt},
                               plan.parts(), &from_);
    if (!ended.has_value()) return std::unexpected(ended.error());
    if (*ended != Ended::kAll) return {};
  }
  if (by_order) return last_ = true, Status();
  next_.stage = SortStage::kWithout;
  const auto ended = Collect(plan,
                             {.field = schema_.order_field,
                              .direction = Direction::kDescending,
                              .values = {},
                              .except = sort_.field->id},
                             plan.parts(), from_.stage == SortStage::kWithout ? &from_ : nullptr);
  if (!ended.has_value()) return std::unexpected(ended.error());
  last_ = *ended == Ended::kAll;
  return {};
}

Status Searching::CollectByTerm(const Plan& plan) {
  const bool descending = sort_.direction == Direction::kDescending;
  const std::string all = ValuesPrefix(sort_.field->id, "");
  if (from_.stage == SortStage::kWithout) return CollectWithoutTerm(plan, &from_);
  KeyCursor keys = reader_.Keys(all);
  if (from_.place.has_value()) {
    const std::string term = TermPrefix(sort_.field->id, from_.term);
    descending ? keys.SeekBack(EndOfPrefix(term)) : keys.Seek(term);
  } else if (descending) {
    keys.SeekBack(EndOfPrefix(all));
  }
  while (keys.valid()) {
    KeyReader key(keys.key());
    key.Byte();
    key.Byte();
    next_.term = key.Text();
    if (!MayGoOn()) {
      next_.place = Place{INT64_MAX, UINT64_MAX};  // its first row
      next_.behind = false;
      return {};
    }
    const std::string term = TermPrefix(sort_.field->id, next_.term);
    const bool resumes = from_.place.has_value() && next_.term == from_.term;
    const auto ended = CollectWithTerm(plan, term, resumes ? &from_ : nullptr);
    if (!ended.has_value()) return std::unexpected(ended.error());
    if (*ended != Ended::kAll) return {};
    descending ? keys.SeekBack(term) : keys.Seek(EndOfPrefix(term));
  }
  STELE_RETURN_IF_ERROR(keys.status());
  next_.term.clear();
  next_.stage = SortStage::kWithout;
  if (sort_.field->always) return last_ = true, Status();
  return CollectWithoutTerm(plan, nullptr);
}

Result<Searching::Ended> Searching::CollectWithTerm(const Plan& plan, const std::string& term,
                                                    const PageStart* from) {
  const auto part = RarePostingsOf(reader_, term, schema_.block_bits, Direction::kDescending);
  std::vector<Postings*> parts = plan.parts();
  parts.insert(parts.begin(), part.get());
  return Collect(plan,
                 {.field = schema_.order_field,
                  .direction = Direction::kDescending,
                  .values = {},
                  .except = std::nullopt},
                 std::move(parts), from);
}

// No index tells of what has no value: it is asked of the rows.
Status Searching::CollectWithoutTerm(const Plan& plan, const PageStart* from) {
  next_.stage = SortStage::kWithout;
  const auto ended = Collect(plan,
                             {.field = schema_.order_field,
                              .direction = Direction::kDescending,
                              .values = {},
                              .except = std::nullopt},
                             plan.parts(), from);
  if (!ended.has_value()) return std::unexpected(ended.error());
  last_ = *ended == Ended::kAll;
  return {};
}

Result<Searching::Ended> Searching::Collect(const Plan& plan, RowWalk::Order order,
                                            std::vector<Postings*> parts, const PageStart* from) {
  RowWalk walk(reader_, schema_, columns_, order, std::move(parts));
  STELE_RETURN_IF_ERROR(
      walk.Begin(from == nullptr ? std::nullopt : from->place, from != nullptr && from->behind));
  for (;;) {
    const auto found = walk.Next([this] { return MayGoOn(); });
    if (!found.has_value()) return std::unexpected(found.error());
    if (*found == RowWalk::Found::kEnd) return Ended::kAll;
    next_.place = walk.place();
    next_.behind = false;
    if (*found == RowWalk::Found::kTooMuch) return Ended::kTooMuch;
    const bool full = found_.rows.size() == request_.limit;
    // The row that the next page begins with. That there is one more must not tell of hidden ones.
    if (full && request_.hidden == nullptr) return Ended::kFull;
    Result<std::optional<std::string>> row = Look(walk, plan);
    if (!row.has_value()) return std::unexpected(row.error());
    if (full && row->has_value()) return Ended::kFull;
    if (row->has_value()) found_.rows.push_back(**std::move(row));
    next_.behind = true;
  }
}

Result<std::optional<std::string>> Searching::Look(RowWalk& walk, const Plan& plan) {
  Result<std::string> bytes = walk.Bytes();
  if (!bytes.has_value()) return std::unexpected(bytes.error());
  const std::optional<RowFacts> facts = schema_.facts(*bytes, now_);
  if (!facts.has_value())
    return Fail(ErrorCode::kStoreCorrupt,
                fmt::format("Expected a row of {} where its index has one but found {} bytes that "
                            "are none; rebuild the view",
                            schema_.rows, bytes->size()));
  const auto fits = [&](const Filter& filter) { return filter.Fits(*facts); };
  if (!std::ranges::all_of(plan.filters(), fits)) return std::nullopt;
  const uint8_t field = sort_.field->id;
  if (next_.stage == SortStage::kWithout && sort_.field->sorting == Sorting::kTerm &&
      std::ranges::find(facts->terms, field, &Term::field) != facts->terms.end())
    return std::nullopt;
  return *std::move(bytes);
}

// A page that came no further than the one before: neither would the next one.
Status Searching::CheckProgress() const {
  const bool stands = !last_ && found_.rows.empty() && next_ == from_ && from_.place.has_value();
  if (!stands) return {};
  return Fail(ErrorCode::kLimitExceeded,
              fmt::format("Expected to find the next rows by {} among {} keys but found more to "
                          "look at: add a condition with \":\", or sort by {}",
                          sort_.field->name, kMaxPageKeys, schema_.order));
}

}  // namespace

Result<FoundRows> FindRows(const ViewReader& reader, const TableSchema& schema,
                           const SearchRequest& request) {
  return Searching(reader, schema, request).Run();
}

}  // namespace stele::projections
