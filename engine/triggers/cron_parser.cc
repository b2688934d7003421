// A cron expression's text to its fields. Grammar: fields are separated by blanks, a field is a
// list of items separated by commas, an item is `*`, `?`, a value, a range or a special, and may
// end in a step. Values are numbers or names.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "engine/definition/duration.h"
#include "engine/definition/faults.h"
#include "engine/definition/limits.h"
#include "engine/triggers/cron.h"
#include "engine/triggers/limits.h"

namespace stele::triggers {
namespace {

struct FieldKind {
  std::string_view name;  // with its article
  int low;
  int high;                // the highest number that may be written
  std::string_view names;  // of three letters each, from `low`
};
constexpr FieldKind kSecond{"a second", 0, 59, ""};
constexpr FieldKind kMinute{"a minute", 0, 59, ""};
constexpr FieldKind kHour{"an hour", 0, 23, ""};
constexpr FieldKind kDayOfMonth{"a day of the month", 1, 31, ""};
constexpr FieldKind kMonth{"a month", 1, 12, "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"};
constexpr FieldKind kDayOfWeek{"a weekday", 0, 7, "SUNMONTUEWEDTHUFRISAT"};

std::string Upper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return upper;
}

// One field's text, with its place in the whole.
struct Word {
  std::string_view text;
  size_t column;  // of its first character, from 1
};

std::unexpected<Error> FaultAt(size_t column, std::string_view expected, std::string_view found) {
  return Fail(ErrorCode::kBadCron,
              fmt::format("Expected {} at column {} of the cron expression but found {}", expected,
                          column, found));
}

class FieldReader {
 public:
  FieldReader(const FieldKind& kind, Word word) : kind_(kind), word_(word) {}

  bool AtEnd() const { return at_ == word_.text.size(); }
  char Peek() const { return AtEnd() ? '\0' : word_.text[at_]; }
  bool Take(char wanted) {
    if (Peek() != wanted && Peek() != wanted - 'A' + 'a') return false;
    ++at_;
    return true;
  }
  bool TakeSign(char wanted) {
    if (AtEnd() || word_.text[at_] != wanted) return false;
    ++at_;
    return true;
  }

  std::unexpected<Error> Expected(std::string_view what) const {
    const std::string_view rest = word_.text.substr(at_, word_.text.find(',', at_) - at_);
    return FaultAt(word_.column + at_, what,
                   !rest.empty() ? definition::Quote(rest)
                   : AtEnd()     ? "the end of the field"
                                 : "\",\"");
  }

  // A plain number from `low` to `high`.
  Result<int> Number(std::string_view what, int low, int high) {
    const std::string expected = fmt::format("{} from {} to {}", what, low, high);
    const size_t digits =
        std::min(word_.text.find_first_not_of("0123456789", at_), word_.text.size()) - at_;
    int number = 0;
    const char* begin = word_.text.data() + at_;
    const auto [end, error] = std::from_chars(begin, begin + digits, number);
    if (error != std::errc() || number < low || number > high) return Expected(expected);
    at_ += digits;
    return number;
  }

  // A number or a name of the field.
  Result<int> Value() {
    if (!kind_.names.empty() && word_.text.size() - at_ >= 3) {
      const size_t found = kind_.names.find(Upper(word_.text.substr(at_, 3)));
      if (found != std::string_view::npos && found % 3 == 0) {
        at_ += 3;
        return kind_.low + static_cast<int>(found / 3);
      }
    }
    const std::string what =
        kind_.names.empty()
            ? std::string(kind_.name)
            : fmt::format("{} ({} to {}, or a number)", kind_.name, kind_.names.substr(0, 3),
                          kind_.names.substr(kind_.names.size() - 3));
    return Number(what, kind_.low, kind_.high);
  }

  // "/n", or 1 where there is none.
  Result<int> Step() {
    if (!TakeSign('/')) return 1;
    return Number("a step", 1, kind_.high - kind_.low + 1);
  }

  const FieldKind& kind() const { return kind_; }

 private:
  const FieldKind& kind_;
  Word word_;
  size_t at_ = 0;
};

uint64_t Series(int low, int high, int step) {
  uint64_t bits = 0;
  for (int value = low; value <= high; value += step) bits |= uint64_t{1} << value;
  return bits;
}

// Behind the first value of an item: "-b", "/n", both or nothing.
Result<uint64_t> RestOfRange(FieldReader& reader, int low) {
  int high = low;
  const bool range = reader.TakeSign('-');
  if (range) {
    FieldReader before = reader;
    const auto value = reader.Value();
    if (!value) return std::unexpected(value.error());
    high = *value;
    if (&reader.kind() == &kDayOfWeek && high == 0 && low > 0) high = 7;
    if (&reader.kind() == &kDayOfWeek && low == 7 && high < 7) low = 0;
    if (high < low) return before.Expected(fmt::format("a range that rises, so at least {},", low));
  }
  const bool stepped = reader.Peek() == '/';
  const auto step = reader.Step();
  if (!step) return std::unexpected(step.error());
  if (stepped && !range) high = &reader.kind() == &kDayOfWeek ? 6 : reader.kind().high;
  if (stepped && low > high) low = 0;  // "7/2": from Sunday
  return Series(low, high, *step);
}

// `*` or `*/n`.
Result<uint64_t> RestOfStar(FieldReader& reader) {
  const auto step = reader.Step();
  if (!step) return std::unexpected(step.error());
  const int high = &reader.kind() == &kDayOfWeek ? 6 : reader.kind().high;
  return Series(reader.kind().low, high, *step);
}

Status EndOfItem(const FieldReader& reader) {
  if (reader.AtEnd() || reader.Peek() == ',') return {};
  return reader.Expected("a comma or the end of the field");
}

// A field of plain values: second, minute, hour, month.
Result<uint64_t> ReadPlain(const FieldKind& kind, Word word) {
  FieldReader reader(kind, word);
  uint64_t bits = 0;
  do {
    Result<uint64_t> item = 0;
    if (reader.TakeSign('*')) {
      item = RestOfStar(reader);
    } else {
      const auto value = reader.Value();
      if (!value) return std::unexpected(value.error());
      item = RestOfRange(reader, *value);
    }
    if (!item) return item;
    bits |= *item;
    STELE_RETURN_IF_ERROR(EndOfItem(reader));
  } while (reader.TakeSign(','));
  return bits;
}

Status ReadLastDay(FieldReader& reader, DayOfMonthField& field) {
  if (reader.Take('W')) {
    field.last_weekday = true;
    return {};
  }
  int back = 0;
  if (reader.TakeSign('-')) {
    const auto number = reader.Number("a number of days before the last", 1, 30);
    if (!number) return std::unexpected(number.error());
    back = *number;
  }
  field.before_last |= 1u << back;
  return {};
}

Status ReadDayOfMonthItem(FieldReader& reader, DayOfMonthField& field) {
  if (reader.TakeSign('*') || reader.TakeSign('?')) {
    const auto days = RestOfStar(reader);
    if (!days) return std::unexpected(days.error());
    field.days |= static_cast<uint32_t>(*days);
    return {};
  }
  if (reader.Take('L')) return ReadLastDay(reader, field);
  const auto value = reader.Value();
  if (!value) return std::unexpected(value.error());
  if (reader.Take('W')) {
    field.nearest_weekday |= 1u << *value;
    return {};
  }
  const auto days = RestOfRange(reader, *value);
  if (!days) return std::unexpected(days.error());
  field.days |= static_cast<uint32_t>(*days);
  return {};
}

Status ReadDayOfWeekItem(FieldReader& reader, DayOfWeekField& field) {
  // Weekday 7 is Sunday, which is 0.
  const auto add = [&](const Result<uint64_t>& days) -> Status {
    if (!days) return std::unexpected(days.error());
    field.days |= static_cast<uint8_t>((*days & 0x7f) | (*days >> 7 & 1));
    return {};
  };
  if (reader.TakeSign('*') || reader.TakeSign('?')) return add(RestOfStar(reader));
  const auto value = reader.Value();
  if (!value) return std::unexpected(value.error());
  if (reader.Take('L')) {
    field.last |= static_cast<uint8_t>(1u << *value % 7);
    return {};
  }
  if (reader.TakeSign('#')) {
    const auto number = reader.Number("which one of the month", 1, 5);
    if (!number) return std::unexpected(number.error());
    field.nth[*value % 7] |= static_cast<uint8_t>(1u << *number);
    return {};
  }
  return add(RestOfRange(reader, *value));
}

// As in Vixie cron, how a day field begins decides whether it restricts by itself.
bool BeginsStarred(std::string_view text) {
  return text.starts_with('*') || text.starts_with('?');
}

template <class Field>
Result<Field> ReadDays(const FieldKind& kind, Word word,
                       Status (*read_item)(FieldReader&, Field&)) {
  FieldReader reader(kind, word);
  Field field{.starred = BeginsStarred(word.text)};
  do {
    STELE_RETURN_IF_ERROR(read_item(reader, field));
    STELE_RETURN_IF_ERROR(EndOfItem(reader));
  } while (reader.TakeSign(','));
  return field;
}

std::vector<Word> SplitWords(std::string_view text) {
  std::vector<Word> words;
  size_t at = 0;
  while ((at = text.find_first_not_of(" \t", at)) != std::string_view::npos) {
    const size_t end = std::min(text.find_first_of(" \t", at), text.size());
    words.push_back({text.substr(at, end - at), at + 1});
    at = end;
  }
  return words;
}

Result<CronFields> ReadWord(std::string_view text, const std::vector<Word>& words) {
  static constexpr std::pair<std::string_view, std::string_view> kWords[] = {
      {"@YEARLY", "0 0 1 1 *"}, {"@ANNUALLY", "0 0 1 1 *"}, {"@MONTHLY", "0 0 1 * *"},
      {"@WEEKLY", "0 0 * * 0"}, {"@DAILY", "0 0 * * *"},    {"@MIDNIGHT", "0 0 * * *"},
      {"@HOURLY", "0 * * * *"},
  };
  const std::string word = Upper(words[0].text);
  if (word == "@EVERY") {
    static constexpr std::string_view kExpected = "a duration of at least one second like \"90s\"";
    if (words.size() < 2)
      return FaultAt(words[0].column + words[0].text.size(), kExpected, "the end");
    const std::string_view rest = text.substr(words[1].column - 1);
    const auto every = definition::ParseDuration(rest);
    if (!every || *every < kMinEveryUs)
      return FaultAt(
          words[1].column,
          std::string(kExpected).append(definition::DurationBound(Value(std::string(rest)))),
          definition::Quote(rest));
    return CronFields{.every_us = *every};
  }
  const auto* const known =
      std::ranges::find(kWords, word, &std::pair<std::string_view, std::string_view>::first);
  if (known == std::end(kWords))
    return FaultAt(words[0].column,
                   "@yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly or @every",
                   definition::Quote(words[0].text));
  if (words.size() > 1)
    return FaultAt(words[1].column, "the end", definition::Quote(words[1].text));
  return ParseCronFields(known->second);
}

}  // namespace

Result<CronFields> ParseCronFields(std::string_view text) {
  if (text.size() > kMaxCronBytes)
    return Fail(ErrorCode::kBadCron,
                fmt::format("Expected a cron expression of at most {} bytes but found {}",
                            kMaxCronBytes, text.size()));
  const std::vector<Word> words = SplitWords(text);
  if (!words.empty() && words[0].text.starts_with('@')) return ReadWord(text, words);
  if (words.size() != 5 && words.size() != 6)
    return FaultAt(
        words.size() > 6 ? words[6].column : text.size() + 1,
        "5 fields (minute, hour, day of month, month, weekday), or 6 with seconds first,",
        words.empty() ? "none" : fmt::format("{}", words.size()));
  const size_t first = words.size() - 5;
  const auto seconds = first == 1 ? ReadPlain(kSecond, words[0]) : Result<uint64_t>(1);
  if (!seconds) return std::unexpected(seconds.error());
  const auto minutes = ReadPlain(kMinute, words[first]);
  if (!minutes) return std::unexpected(minutes.error());
  const auto hours = ReadPlain(kHour, words[first + 1]);
  if (!hours) return std::unexpected(hours.error());
  const auto days = ReadDays<DayOfMonthField>(kDayOfMonth, words[first + 2], ReadDayOfMonthItem);
  if (!days) return std::unexpected(days.error());
  const auto months = ReadPlain(kMonth, words[first + 3]);
  if (!months) return std::unexpected(months.error());
  const auto weekdays = ReadDays<DayOfWeekField>(kDayOfWeek, words[first + 4], ReadDayOfWeekItem);
  if (!weekdays) return std::unexpected(weekdays.error());
  return CronFields{.seconds = *seconds,
                    .minutes = *minutes,
                    .hours = static_cast<uint32_t>(*hours),
                    .months = static_cast<uint32_t>(*months),
                    .day_of_month = *days,
                    .day_of_week = *weekdays};
}

}  // namespace stele::triggers
