#include "projections/filter.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/definition/duration.h"
#include "engine/definition/faults.h"
#include "projections/field_values.h"
#include "projections/limits.h"
#include "projections/words.h"

namespace stele::projections {

namespace {

bool HoldsTerm(const RowFacts& facts, uint8_t field, const Needle& needle) {
  const auto at = std::ranges::lower_bound(facts.terms, Term{field, needle.value});
  if (at == facts.terms.end() || at->field != field) return false;
  return needle.prefix ? at->value.starts_with(needle.value) : at->value == needle.value;
}

bool Compares(double value, Operator op, double bound) {
  switch (op) {
    case Operator::kMatch:
      return value == bound;
    case Operator::kLess:
      return value < bound;
    case Operator::kAtMost:
      return value <= bound;
    case Operator::kGreater:
      return value > bound;
    case Operator::kAtLeast:
      return value >= bound;
  }
  return false;
}

// 0: the condition was given in another way, as an option.
std::string Place(uint32_t column) {
  return column == 0 ? "" : fmt::format(" at column {} of the query", column);
}

std::unexpected<Error> Misfit(const Condition& condition, uint32_t column,
                              std::string_view expected, std::string_view found) {
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("Expected {} for {}{} but found {}", expected,
                          definition::Quote(condition.field), Place(column), found));
}

// What was found is the value.
std::unexpected<Error> Misfit(const Condition& condition, const QueryValue& value,
                              std::string_view expected) {
  return Misfit(condition, value.column, expected,
                definition::Quote(value.text + (value.prefix ? "*" : "")));
}

bool HasNumbers(FieldKind kind) {
  return kind == FieldKind::kMoment || kind == FieldKind::kDuration || kind == FieldKind::kNumber;
}

// What somebody writes: the name, or the name and a point.
bool IsNamed(const Field& field, std::string_view written) {
  if (field.kind != FieldKind::kNamed) return written == field.name;
  return written.size() > field.name.size() + 1 && written.starts_with(field.name) &&
         written[field.name.size()] == '.';
}

class Binder {
 public:
  Binder(const TableSchema& schema, TimeUs now) : schema_(schema), now_(now) {}
  Result<Filter> Bind(const Condition& condition) const;

 private:
  Result<const Field*> Find(const Condition& condition) const;
  Status BindMatch(const Condition& condition, Filter& filter) const;
  Status BindComparison(const Condition& condition, Filter& filter) const;
  Result<Pattern> PatternOf(const Condition& condition, const Field& field,
                            const QueryValue& value) const;
  Status CheckWord(const Condition& condition, const Field& field, const QueryValue& value) const;
  Result<Range> RangeOf(const Condition& condition, const Field& field) const;

  const TableSchema& schema_;
  TimeUs now_;
};

Result<const Field*> Binder::Find(const Condition& condition) const {
  std::vector<std::string> known;
  for (const Field& field : schema_.fields) {
    if (IsNamed(field, condition.field)) return &field;
    known.emplace_back(field.name);
    if (field.kind == FieldKind::kNamed) known.back() += ".NAME";
  }
  std::string near = definition::Nearest(condition.field, known);
  for (const std::string& name : known)
    if (near.empty() && name.starts_with(condition.field + ".")) near = name;
  std::string list;
  for (const std::string& name : known) list += (list.empty() ? "" : ", ") + name;
  return Fail(ErrorCode::kUnknownKey,
              fmt::format("Expected a field of {}{} but found {}{}; there are {}", schema_.rows,
                          Place(condition.column), definition::Quote(condition.field),
                          near.empty() ? "" : fmt::format(" (did you mean {}?)", near), list));
}

Result<Filter> Binder::Bind(const Condition& condition) const {
  const Result<const Field*> field = Find(condition);
  if (!field.has_value()) return std::unexpected(field.error());
  Filter filter{.field = *field,
                .op = condition.op,
                .negated = condition.negated,
                .column = condition.column};
  STELE_RETURN_IF_ERROR(condition.op == Operator::kMatch ? BindMatch(condition, filter)
                                                         : BindComparison(condition, filter));
  return filter;
}

Status Binder::BindMatch(const Condition& condition, Filter& filter) const {
  for (const QueryValue& value : condition.values) {
    const bool any = value.prefix && value.text.empty();
    if (any && HasNumbers(filter.field->kind)) {
      // Whatever else it may be.
      filter.patterns.clear();
      filter.ranges = {Range()};
      return {};
    }
    if (filter.field->kind == FieldKind::kMoment) {
      const std::optional<Interval> day = value.prefix ? std::nullopt : DayOf(value.text);
      if (!day.has_value())
        return Misfit(condition, value,
                      "a day such as 2026-01-31, a comparison (<, >), or * for any,");
      filter.ranges.push_back({day->begin, day->end - 1});
      continue;
    }
    Result<Pattern> pattern = PatternOf(condition, *filter.field, value);
    if (!pattern.has_value()) return std::unexpected(pattern.error());
    filter.patterns.push_back(*std::move(pattern));
  }
  return {};
}

Result<Pattern> Binder::PatternOf(const Condition& condition, const Field& field,
                                  const QueryValue& value) const {
  const auto one = [&](std::string term) {
    return Pattern{{Needle{std::move(term), value.prefix}}};
  };
  switch (field.kind) {
    case FieldKind::kMoment:
    case FieldKind::kDuration:
      return Misfit(condition, condition.column, "a comparison (<, <=, >, >=)", "\":\"");
    case FieldKind::kNumber:
      if (const std::optional<int64_t> number = IntegerOf(value.text); number && !value.prefix)
        return one(std::to_string(*number));
      return Misfit(condition, value, "an integer, or * for any,");
    case FieldKind::kText: {
      Pattern words;
      for (std::string& word : WordsOf(value.text, kMaxWords))
        words.needles.push_back({std::move(word)});
      if (words.needles.empty()) return Misfit(condition, value, "a word of letters or digits");
      words.needles.back().prefix = value.prefix;
      return words;
    }
    case FieldKind::kNamed:
      return one(NamedTerm(condition.field.substr(field.name.size() + 1), value.text));
    case FieldKind::kId:
      if (!value.prefix && schema_.key(value.text).has_value()) return one(value.text);
      return Misfit(condition, value, schema_.id_form);
    case FieldKind::kWord:
      if (value.text.empty() && !value.prefix)
        return Misfit(condition, value, fmt::format("a value (-{}:* is none)", condition.field));
      STELE_RETURN_IF_ERROR(CheckWord(condition, field, value));
      return one(value.text);
  }
  return Pattern();
}

// A value of a field that has only certain ones.
Status Binder::CheckWord(const Condition& condition, const Field& field,
                         const QueryValue& value) const {
  const auto same = [&](std::string_view known) { return known == value.text; };
  if (value.prefix || field.values.empty() || std::ranges::any_of(field.values, same)) return {};
  const std::vector<std::string> known(field.values.begin(), field.values.end());
  const std::string near = definition::Nearest(value.text, known);
  return Misfit(condition, value.column, definition::QuoteList(known, "or"),
                definition::Quote(value.text) +
                    (near.empty() ? "" : fmt::format(" (did you mean {}?)", near)));
}

Status Binder::BindComparison(const Condition& condition, Filter& filter) const {
  const Field& field = *filter.field;
  const std::string& text = condition.values.front().text;
  switch (field.kind) {
    case FieldKind::kMoment:
    case FieldKind::kDuration:
    case FieldKind::kNumber: {
      const Result<Range> range = RangeOf(condition, field);
      if (!range.has_value()) return std::unexpected(range.error());
      filter.ranges.push_back(*range);
      return {};
    }
    case FieldKind::kNamed: {
      const std::optional<double> bound = NumberOf(text);
      if (!bound.has_value())
        return Misfit(condition, condition.values.front(), "a number to compare with");
      filter.name = condition.field.substr(field.name.size() + 1);
      filter.bound = *bound;
      return {};
    }
    case FieldKind::kWord:
    case FieldKind::kText:
    case FieldKind::kId:
      return Misfit(condition, condition.column, "\":\" or \"!=\"",
                    fmt::format("\"{}\"", SignOf(condition.op)));
  }
  return {};
}

Result<Range> Binder::RangeOf(const Condition& condition, const Field& field) const {
  const std::string& text = condition.values.front().text;
  std::optional<Interval> value;
  std::string expected;
  if (field.kind == FieldKind::kMoment) {
    value = MomentOf(text, now_);
    expected = std::string(kMomentForms) + MomentBound(text);
  } else if (field.kind == FieldKind::kDuration) {
    value = DurationOf(text);
    expected =
        fmt::format("a duration such as 90s, 5m or 2h{}", definition::DurationBound(Value(text)));
  } else {
    if (const std::optional<int64_t> number = IntegerOf(text); number && *number < INT64_MAX)
      value = Interval{*number, *number + 1};
    expected = "an integer";
  }
  if (!value.has_value()) return Misfit(condition, condition.values.front(), expected);
  switch (condition.op) {
    case Operator::kMatch:
      return Range{value->begin, value->end - 1};
    case Operator::kLess:
      return Range{INT64_MIN, value->begin - 1};
    case Operator::kAtMost:
      return Range{INT64_MIN, value->end - 1};
    case Operator::kGreater:
      return Range{value->end, INT64_MAX};
    case Operator::kAtLeast:
      return Range{value->begin, INT64_MAX};
  }
  return Range{};
}

bool FitsNamed(const Filter& filter, const RowFacts& facts) {
  const std::string begin = NamedTerm(filter.name, "");
  const auto at = std::ranges::lower_bound(facts.terms, Term{filter.field->id, begin});
  if (at == facts.terms.end() || at->field != filter.field->id || !at->value.starts_with(begin))
    return false;
  const std::optional<double> value = NumberOf(std::string_view(at->value).substr(begin.size()));
  return value.has_value() && Compares(*value, filter.op, filter.bound);
}

}  // namespace

bool Filter::Fits(const RowFacts& facts) const {
  const auto in_range = [&](const Number& number) {
    return number.field == field->id && std::ranges::any_of(ranges, [&](const Range& range) {
             return range.low <= number.value && number.value <= range.high;
           });
  };
  const auto fits = [&](const Pattern& pattern) {
    return std::ranges::all_of(
        pattern.needles, [&](const Needle& needle) { return HoldsTerm(facts, field->id, needle); });
  };
  bool holds = false;
  if (!ranges.empty()) {
    holds = std::ranges::any_of(facts.numbers, in_range);
  } else if (op != Operator::kMatch) {
    holds = FitsNamed(*this, facts);
  } else {
    holds = std::ranges::any_of(patterns, fits);
  }
  return holds != negated;
}

Result<std::vector<Filter>> FiltersOf(const Query& query, const TableSchema& schema, TimeUs now) {
  const Binder binder(schema, now);
  std::vector<Filter> filters;
  for (const Condition& condition : query.conditions) {
    Result<Filter> filter = binder.Bind(condition);
    if (!filter.has_value()) return std::unexpected(filter.error());
    filters.push_back(*std::move(filter));
  }
  return filters;
}

}  // namespace stele::projections
