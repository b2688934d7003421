#include "server/rest/moments.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "base/json.h"
#include "engine/definition/duration.h"
#include "projections/field_values.h"
#include "projections/limits.h"
#include "server/rest/limits.h"

namespace stele::server::rest {

namespace {

std::optional<int64_t> Digits(const std::string& text) {
  int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || rest != end || number < 0) return std::nullopt;
  return number;
}

// 0 would be none.
TimeUs AtLeastOne(int64_t time) {
  return TimeUs(std::max<int64_t>(time, 1));
}

std::unexpected<Error> NoMoment(std::string_view also, std::string_view name,
                                const std::string& text) {
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("Expected {}{}{} for the query parameter {} but found \"{}\"", also,
                          projections::kMomentForms, projections::MomentBound(text), name, text));
}

}  // namespace

Result<TimeUs> AskedMoment(const Call& call, std::string_view name, TimeUs now) {
  const std::string text = call.Asked(name);
  if (text.empty()) return TimeUs();
  if (const auto digits = Digits(text)) return AtLeastOne(*digits);
  if (const auto moment = projections::MomentOf(text, now)) return AtLeastOne(moment->begin);
  return NoMoment("microseconds since 1970, ", name, text);
}

Result<replay::When> AskedWhen(const Call& call, std::string_view name, TimeUs now) {
  // The twelfth day of 1970: no event was recorded before, and no history has so many.
  constexpr int64_t kFirstMoment = 1'000'000'000'000;
  const auto digits = Digits(call.Asked(name));
  if (digits.has_value() && 0 < *digits && *digits < kFirstMoment)
    return replay::When{.seq = Seq(static_cast<uint64_t>(*digits)), .time = {}};
  const auto moment = AskedMoment(call, name, now);
  if (!moment.has_value()) return std::unexpected(moment.error());
  return replay::When{.seq = {}, .time = *moment};
}

Result<int64_t> AskedWait(const Call& call, std::string_view name) {
  const std::string text = call.Asked(name);
  if (text.empty()) return 0;
  const auto duration = definition::ParseDuration(text);
  if (duration.has_value() && *duration <= kMaxWaitUs) return *duration;
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("Expected a duration of at most {} seconds, like \"5s\", for the query "
                          "parameter {} but found \"{}\"",
                          kMaxWaitUs / 1'000'000, name, text));
}

Result<TimeUs> MomentToCome(const Call& call, std::string_view name, TimeUs now) {
  const Value* value = call.Find(name);
  if (value == nullptr) return TimeUs();
  std::optional<TimeUs> moment;
  if (value->is_int()) {
    moment = TimeUs(value->as_int());
  } else if (value->is_string()) {
    if (const auto instant = projections::InstantOf(value->as_string())) {
      moment = TimeUs(*instant);
    } else if (const auto duration = definition::ParseDuration(value->as_string())) {
      moment = now.Plus(*duration);
    }
  }
  if (moment.has_value() && *moment > now) return *moment;
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("Expected a time to come for {}: \"2h\", \"2030-01-31T09:30:00Z\" or "
                          "microseconds since 1970, but found {}",
                          name,
                          value->is_string()   ? fmt::format("\"{}\"", value->as_string())
                          : moment.has_value() ? fmt::format("{}", moment->value)
                                               : "another number"));
}

Result<TimeUs> GivenMoment(const Call& call, std::string_view name, TimeUs now) {
  const Value* value = call.Find(name);
  if (value == nullptr) return TimeUs();
  if (value->is_int() && value->as_int() > 0) return TimeUs(value->as_int());
  const std::string text = value->is_string() ? value->as_string() : stele::ToJson(*value);
  if (value->is_string())
    if (const auto moment = projections::MomentOf(text, now)) return AtLeastOne(moment->begin);
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("Expected microseconds since 1970, {}{} for {} but found \"{}\"",
                          projections::kMomentForms, projections::MomentBound(text), name, text));
}

std::vector<Parameter> FreshnessParameters() {
  return {Text("as_of", "as it was behind the record at a position, or at a moment"),
          Number("after", 1, INT64_MAX,
                 "the answer knows of the record at that position, as changes answer with one")};
}

Result<projections::Freshness> AskedFreshness(const Call& call, TimeUs now) {
  projections::Freshness freshness;
  if (const auto after = call.AskedNumber("after")) {
    freshness.after = static_cast<uint64_t>(*after);
    freshness.patience = kAfterPatience;
  }
  const std::string text = call.Asked("as_of");
  if (text.empty()) return freshness;
  if (const auto position = Digits(text); position.has_value() && *position > 0) {
    freshness.as_of = static_cast<uint64_t>(*position);
    return freshness;
  }
  const auto moment = projections::MomentOf(text, now);
  if (!moment.has_value()) return NoMoment("a position, ", "as_of", text);
  freshness.as_of_us = AtLeastOne(moment->begin).value;
  return freshness;
}

std::vector<Parameter> PageParameters() {
  return {Number("limit", 1, projections::kMaxPageRows, "at most so many; 50 unless given"),
          Text("cursor", "`next` of the page before, with the same question")};
}

size_t AskedLimit(const Call& call) {
  return static_cast<size_t>(call.AskedNumber("limit").value_or(projections::kDefaultPageRows));
}

std::vector<Parameter> Together(std::vector<std::vector<Parameter>> lists) {
  std::vector<Parameter> all;
  for (std::vector<Parameter>& list : lists)
    for (Parameter& parameter : list) all.push_back(std::move(parameter));
  return all;
}

}  // namespace stele::server::rest
