#include "cli/moment.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/clock.h"
#include "projections/field_values.h"

namespace stele::cli {

std::optional<replay::When> ParseWhen(std::string_view text, TimeUs now) {
  if (text == "start") return replay::When{.seq = Seq(1), .time = {}};
  if (text == "end" || text == "now") return replay::When();
  if (const auto seq = projections::IntegerOf(text); seq.has_value() && *seq >= 0) {
    // Behind event 0 nothing had begun, as at the first time there is; a seq of 0 would be none.
    if (*seq == 0) return replay::When{.seq = {}, .time = TimeUs(1)};
    return replay::When{.seq = Seq(static_cast<uint64_t>(*seq)), .time = {}};
  }
  const auto moment = projections::MomentOf(text, now);
  if (!moment.has_value()) return std::nullopt;
  return replay::When{.seq = {}, .time = TimeUs(std::max<int64_t>(moment->begin, 1))};
}

Result<replay::When> ReadWhen(std::string_view text, std::string_view what) {
  if (const auto when = ParseWhen(text, SystemClock().Now())) return *when;
  return Fail(ErrorCode::kUsage,
              fmt::format("Expected the number of an event, \"start\", \"end\", {}{} for {} but "
                          "found \"{}\"",
                          projections::kMomentForms, projections::MomentBound(text), what, text));
}

Result<replay::When> GivenWhen(const Arguments& arguments, std::string_view option) {
  if (!arguments.Has(option)) return replay::When();
  return ReadWhen(arguments.Get(option), option);
}

}  // namespace stele::cli
