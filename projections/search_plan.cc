#include "projections/search_plan.h"

#include <fmt/format.h>

#include "engine/definition/faults.h"
#include "projections/keys.h"
#include "projections/limits.h"

namespace stele::projections {

namespace {

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

// `key that begin with "A"`, `var.n that begin with "1"`: as it was asked for.
std::string PrefixText(const Field& field, const std::string& term) {
  const size_t name_end = field.kind == FieldKind::kNamed ? term.find('\0') : std::string::npos;
  if (name_end == std::string::npos)
    return fmt::format("{} that begin with {}", field.name, definition::Quote(term));
  return fmt::format("{} that begin with {}",
                     definition::Quote(fmt::format("{}.{}", field.name, term.substr(0, name_end))),
                     definition::Quote(term.substr(name_end + 1)));
}

// Whether the index has the rows that fit: by a term of each word, or of any word.
bool HasIndex(const Filter& filter) {
  if (filter.negated || filter.patterns.empty()) return false;
  if (filter.field->kind == FieldKind::kId) return true;
  const auto is_one_word = [](const Pattern& pattern) { return pattern.needles.size() == 1; };
  return filter.field->indexed &&
         (filter.patterns.size() == 1 || std::ranges::all_of(filter.patterns, is_one_word));
}

}  // namespace

Status Plan::Make(std::vector<Filter> filters, TimeUs now, bool by_order) {
  for (Filter& filter : filters) {
    TurnRound(filter);
    if (by_order && !filter.negated && filter.field->id == schema_.order_field) {
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
  return AddPrefixes();
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
      parts_.push_back(Of(field, needle.value));
    return;
  }
  Parts any;
  for (const Pattern& pattern : filter.patterns) any.push_back(Of(field, pattern.needles[0].value));
  parts_.push_back(AnyOf(std::move(any)));
}

Status Plan::AddIds(const Filter& filter, TimeUs now) {
  Numbers numbers;
  for (const Pattern& pattern : filter.patterns) {
    const std::optional<std::string> key = schema_.key(pattern.needles[0].value);
    const Result<std::optional<std::string>> bytes = reader_.Get(RowKey(*key));
    if (!bytes.has_value()) return std::unexpected(bytes.error());
    if (!bytes->has_value()) continue;
    const std::optional<RowFacts> facts = schema_.facts(**bytes, now);
    if (facts.has_value()) numbers.push_back(facts->number);
  }
  parts_.push_back(PostingsAt(std::move(numbers), schema_.block_bits));
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
      for (Parts& parts : all) parts_.push_back(AnyOf(std::move(parts)));
    } else if (others) {
      filters_.push_back(std::move(filter));
    } else {
      return Fail(ErrorCode::kLimitExceeded,
                  fmt::format("Expected at most {} values of {} but found more: "
                              "write more of it, or another condition with \":\"",
                              kMaxPrefixValues, PrefixText(*filter.field, too_many)));
    }
  }
  return {};
}

Result<std::optional<Plan::Parts>> Plan::OfPattern(const Filter& filter, const Needle& needle) {
  const uint8_t field = filter.field->id;
  Parts parts;
  if (!needle.prefix) {
    parts.push_back(Of(field, needle.value));
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
    parts.push_back(PostingsOf(reader_, term, schema_.block_bits, direction_));
    keys.Seek(EndOfPrefix(term));
  }
  STELE_RETURN_IF_ERROR(keys.status());
  if (parts.empty()) parts.push_back(PostingsAt({}, schema_.block_bits));
  return parts;
}

}  // namespace stele::projections
