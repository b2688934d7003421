#include "projections/search.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "engine/definition/faults.h"
#include "projections/filter.h"
#include "projections/keys.h"
#include "projections/page_cursor.h"
#include "projections/postings.h"

namespace stele::projections {

namespace {

constexpr uint8_t kEveryRow = 0;

using Parts = std::vector<std::unique_ptr<Postings>>;

// What a query comes to: terms to be joined, the stretch of the order that counts, and what must be
// asked of each row.
class Plan {
 public:
  Plan(const ViewReader& reader, const TableSchema& schema, Direction direction)
      : reader_(reader), schema_(schema), direction_(direction) {}

  Status Make(std::vector<Filter> filters, TimeUs now);

  Parts TakeParts() { return std::move(parts_); }
  const std::vector<Filter>& filters() const { return filters_; }
  // Before and behind it is nothing.
  Range orders() const { return orders_; }

 private:
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

bool HasPrefix(const Filter& filter) {
  return std::ranges::any_of(filter.patterns, [](const Pattern& pattern) {
    return std::ranges::any_of(pattern.needles, &Needle::prefix);
  });
}

// Not these values of a field that always has one: any of the others.
void TurnRound(Filter& filter) {
  const std::span<const std::string_view> values = filter.field->values;
  if (!filter.negated || !filter.field->always || filter.op != Operator::kMatch) return;
  std::vector<Pattern> others;
  for (const std::string_view value : values) {
    const auto names = [&](const Pattern& pattern) {
      const Needle& needle = pattern.needles[0];
      return needle.prefix ? value.starts_with(needle.value) : value == needle.value;
    };
    if (std::ranges::none_of(filter.patterns, names))
      others.push_back({{Needle{std::string(value)}}});
  }
  if (others.empty()) return;
  filter.patterns = std::move(others);
  filter.negated = false;
}

// Whether the index has the rows that fit: by a term of each word, or of any word.
bool HasIndex(const Filter& filter) {
  if (filter.negated || filter.patterns.empty()) return false;
  if (filter.field->kind == FieldKind::kId) return true;
  const auto is_one_word = [](const Pattern& pattern) { return pattern.needles.size() == 1; };
  return filter.field->indexed &&
         (filter.patterns.size() == 1 || std::ranges::all_of(filter.patterns, is_one_word));
}

Status Plan::Make(std::vector<Filter> filters, TimeUs now) {
  for (Filter& filter : filters) {
    TurnRound(filter);
    if (!filter.negated && filter.field->name == schema_.order) {
      Bound(std::move(filter));
    } else if (!HasIndex(filter)) {
      filters_.push_back(std::move(filter));
    } else if (filter.field->kind == FieldKind::kId) {
      STELE_RETURN_IF_ERROR(AddIds(filter, now));
    } else if (HasPrefix(filter)) {
      prefixes_.push_back(std::move(filter));
    } else {
      AddWords(filter);
    }
  }
  STELE_RETURN_IF_ERROR(AddPrefixes());
  if (parts_.empty()) parts_.push_back(PostingsOf(reader_, TermPrefix(kEveryRow, ""), direction_));
  return {};
}

// Several stretches are bounded by the whole that they are in, and asked for.
void Plan::Bound(Filter filter) {
  Range all{INT64_MAX, INT64_MIN};
  for (const Range& range : filter.ranges)
    all = {std::min(all.low, range.low), std::max(all.high, range.high)};
  orders_ = {std::max(orders_.low, all.low), std::min(orders_.high, all.high)};
  if (filter.ranges.size() > 1) filters_.push_back(std::move(filter));
}

// One pattern: all of its words; several of a word each: any of them.
void Plan::AddWords(const Filter& filter) {
  const uint8_t field = filter.field->id;
  if (filter.patterns.size() == 1) {
    for (const Needle& needle : filter.patterns[0].needles)
      parts_.push_back(PostingsOf(reader_, TermPrefix(field, needle.value), direction_));
    return;
  }
  Parts any;
  for (const Pattern& pattern : filter.patterns)
    any.push_back(PostingsOf(reader_, TermPrefix(field, pattern.needles[0].value), direction_));
  parts_.push_back(AnyOf(std::move(any), direction_));
}

Status Plan::AddIds(const Filter& filter, TimeUs now) {
  std::vector<std::string> places;
  for (const Pattern& pattern : filter.patterns) {
    const std::optional<std::string> key = schema_.key(pattern.needles[0].value);
    const Result<std::optional<std::string>> bytes = reader_.Get(RowKey(*key));
    if (!bytes.has_value()) return std::unexpected(bytes.error());
    if (!bytes->has_value()) continue;
    const std::optional<RowFacts> facts = schema_.facts(**bytes, now);
    if (facts.has_value()) places.push_back(PlaceOf(*facts));
  }
  parts_.push_back(PostingsAt(std::move(places), direction_));
  return {};
}

// A prefix with few values is a part like the others. One with many is asked of the rows that the
// others lead to.
Status Plan::AddPrefixes() {
  const bool others = !parts_.empty();
  for (Filter& filter : prefixes_) {
    const bool one = filter.patterns.size() == 1;
    Parts any;
    std::vector<Parts> all;
    std::string too_many;
    for (const Pattern& pattern : filter.patterns) {
      for (const Needle& needle : pattern.needles) {
        Result<std::optional<Parts>> found = OfPattern(filter, needle);
        if (!found.has_value()) return std::unexpected(found.error());
        if (!found->has_value()) {
          too_many = needle.value;
          break;
        }
        Parts parts = **std::move(found);
        if (one) {
          all.push_back(std::move(parts));
        } else {
          std::ranges::move(parts, std::back_inserter(any));
        }
      }
    }
    if (too_many.empty() && any.size() <= kMaxPrefixValues) {
      if (!one) all.push_back(std::move(any));
      for (Parts& parts : all) parts_.push_back(AnyOf(std::move(parts), direction_));
    } else if (others) {
      filters_.push_back(std::move(filter));
    } else {
      return Fail(ErrorCode::kLimitExceeded,
                  fmt::format("Expected at most {} values of {} that begin with {} but found more: "
                              "write more of it, or another condition with \":\"",
                              kMaxPrefixValues, filter.field->name, definition::Quote(too_many)));
    }
  }
  return {};
}

Result<std::optional<Parts>> Plan::OfPattern(const Filter& filter, const Needle& needle) {
  const uint8_t field = filter.field->id;
  Parts parts;
  if (!needle.prefix) {
    parts.push_back(PostingsOf(reader_, TermPrefix(field, needle.value), direction_));
    return parts;
  }
  KeyCursor keys = reader_.Keys(ValuesPrefix(field, needle.value));
  while (keys.valid()) {
    if (parts.size() == kMaxPrefixValues) return std::nullopt;
    KeyReader key(keys.key());
    key.Byte();
    key.Byte();
    const std::string term = TermPrefix(field, key.Text());
    if (!key.ok())
      return Fail(ErrorCode::kStoreCorrupt,
                  fmt::format("Expected an index key of {} but found {} bytes that are none; "
                              "rebuild the view",
                              schema_.rows, keys.key().size()));
    parts.push_back(PostingsOf(reader_, term, direction_));
    keys.Seek(EndOfPrefix(term));
  }
  STELE_RETURN_IF_ERROR(keys.status());
  if (parts.empty()) parts.push_back(PostingsAt({}, direction_));
  return parts;
}

class Searching {
 public:
  Searching(const ViewReader& reader, const TableSchema& schema, const SearchRequest& request)
      : reader_(reader), schema_(schema), request_(request), begin_(reader.keys_touched()) {}

  Result<FoundRows> Run();

 private:
  Result<Direction> DirectionOf() const;
  Status Collect(Intersection& rows, Direction direction, const Plan& plan, const PageCursor& from,
                 FoundRows& found);
  Status Look(const std::string& place, const std::vector<Filter>& filters, FoundRows& found);
  // Whether the place is behind the stretch that counts.
  static bool IsBehind(const std::string& place, Direction direction, Range orders);

  const ViewReader& reader_;
  const TableSchema& schema_;
  const SearchRequest& request_;
  const uint64_t begin_;
  PageCursor next_;  // where the next page begins
  bool last_ = false;
};

Result<FoundRows> Searching::Run() {
  if (request_.limit == 0 || request_.limit > kMaxPageRows)
    return Fail(
        ErrorCode::kLimitExceeded,
        fmt::format("Expected a page of 1 to {} rows but found {}", kMaxPageRows, request_.limit));
  const Result<Direction> direction = DirectionOf();
  if (!direction.has_value()) return std::unexpected(direction.error());
  const std::string search =
      fmt::format("{} of {} by {}{}", definition::Quote(ToText(request_.query)), schema_.rows,
                  *direction == Direction::kNewestFirst ? "-" : "", schema_.order);
  PageCursor from{.now = request_.now};
  if (!request_.cursor.empty()) {
    Result<PageCursor> cursor = ReadCursor(request_.cursor, search);
    if (!cursor.has_value()) return std::unexpected(cursor.error());
    from = *std::move(cursor);
  }
  Result<std::vector<Filter>> filters = FiltersOf(request_.query, schema_, from.now);
  if (!filters.has_value()) return std::unexpected(filters.error());
  Plan plan(reader_, schema_, *direction);
  STELE_RETURN_IF_ERROR(plan.Make(*std::move(filters), from.now));
  next_.now = from.now;
  FoundRows found{.position = reader_.position()};
  Intersection rows(plan.TakeParts(), *direction);
  STELE_RETURN_IF_ERROR(Collect(rows, *direction, plan, from, found));
  if (!last_) found.next = WriteCursor(next_, search);
  found.keys_touched = reader_.keys_touched() - begin_;
  return found;
}

Result<Direction> Searching::DirectionOf() const {
  const std::string newest = "-" + std::string(schema_.order);
  if (request_.sort.empty() || request_.sort == newest) return Direction::kNewestFirst;
  if (request_.sort == schema_.order) return Direction::kOldestFirst;
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("Expected a sort of {} by {} (the latest first) or {} but found {}",
                          schema_.rows, newest, schema_.order, definition::Quote(request_.sort)));
}

// The first place that may count: of the latest or the earliest moment.
std::string FirstPlace(Direction direction, Range orders) {
  // No row key is longer, and none is as large.
  static constexpr size_t kBeyondAnyKey = 64;
  RowFacts edge;
  edge.order = direction == Direction::kNewestFirst ? orders.high : orders.low;
  if (direction == Direction::kOldestFirst) edge.key = std::string(kBeyondAnyKey, '\xFF');
  return PlaceOf(edge);
}

bool Searching::IsBehind(const std::string& place, Direction direction, Range orders) {
  KeyReader reader(place);
  const int64_t order = reader.Descending();
  return direction == Direction::kNewestFirst ? order < orders.low : order > orders.high;
}

Status Searching::Collect(Intersection& rows, Direction direction, const Plan& plan,
                          const PageCursor& from, FoundRows& found) {
  const auto may_go_on = [&] { return reader_.keys_touched() - begin_ < kMaxPageKeys; };
  std::string start = FirstPlace(direction, plan.orders());
  const bool resumes = !from.place.empty() && ComesBefore(direction, start, from.place);
  if (resumes) start = from.place;
  bool stands = rows.Seek(std::move(start), may_go_on);
  if (stands && resumes && from.behind && rows.place() == from.place) stands = rows.Next(may_go_on);
  while (stands && !IsBehind(rows.place(), direction, plan.orders())) {
    next_.place = rows.place();
    next_.behind = false;
    // The row that the next page begins with.
    if (found.rows.size() == request_.limit) return {};
    STELE_RETURN_IF_ERROR(Look(rows.place(), plan.filters(), found));
    next_.behind = true;
    if (!may_go_on()) return {};
    stands = rows.Next(may_go_on);
  }
  STELE_RETURN_IF_ERROR(rows.status());
  last_ = stands || rows.at_end();
  if (!last_) next_ = {.place = rows.place(), .behind = false, .now = next_.now};
  return {};
}

Status Searching::Look(const std::string& place, const std::vector<Filter>& filters,
                       FoundRows& found) {
  const std::string_view key = std::string_view(place).substr(sizeof(int64_t));
  const Result<std::optional<std::string>> bytes = reader_.Get(RowKey(key));
  if (!bytes.has_value()) return std::unexpected(bytes.error());
  const std::optional<RowFacts> facts =
      bytes->has_value() ? schema_.facts(**bytes, next_.now) : std::nullopt;
  if (!facts.has_value())
    return Fail(ErrorCode::kStoreCorrupt,
                fmt::format("Expected a row of {} where its index has one but found {}; rebuild "
                            "the view",
                            schema_.rows, bytes->has_value() ? "bytes that are none" : "none"));
  const auto fits = [&](const Filter& filter) { return filter.Fits(*facts); };
  if (std::ranges::all_of(filters, fits)) found.rows.push_back(**bytes);
  return {};
}

}  // namespace

Result<FoundRows> FindRows(const ViewReader& reader, const TableSchema& schema,
                           const SearchRequest& request) {
  return Searching(reader, schema, request).Run();
}

}  // namespace stele::projections
