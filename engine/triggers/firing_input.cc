#include "engine/triggers/firing_input.h"

#include <fmt/format.h>

#include <chrono>

#include "base/json.h"
#include "engine/definition/faults.h"
#include "engine/runtime/limits.h"

namespace stele::triggers {

std::string WhyConditionsFail(const TriggerConfig& config, const Object& roots) {
  const RootsEnvironment environment(roots);
  for (const expression::Expression& condition : config.conditions) {
    const Result<bool> holds = condition.EvaluateBool(environment);
    if (!holds)
      return fmt::format("the condition {} fails: {}", definition::Quote(condition.text()),
                         holds.error().message);
    if (!*holds)
      return fmt::format("the condition {} does not hold", definition::Quote(condition.text()));
  }
  return {};
}

Result<Payload> Bounded(Payload input) {
  if (input.text().size() > runtime::kMaxInputBytes)
    return Fail(ErrorCode::kLimitExceeded,
                fmt::format("Expected at most {} bytes of input but found {}",
                            runtime::kMaxInputBytes, input.text().size()));
  if (const size_t depth = JsonDepth(input.text()); depth > kMaxJsonDepth)
    return Fail(ErrorCode::kLimitExceeded,
                fmt::format("Expected an input of at most {} lists and objects in each other but "
                            "found {}",
                            kMaxJsonDepth, depth));
  return input;
}

Result<Payload> InputOf(const TriggerConfig& config, const Object& roots, const Value& otherwise) {
  if (!config.input) {
    if (otherwise.is_null()) return Payload::FromText("{}");
    if (otherwise.is_object()) return Bounded(Payload::FromValue(otherwise));
    return Bounded(Payload::FromValue(Object{{"payload", otherwise}}));
  }
  const auto rendered = config.input->Render(RootsEnvironment(roots));
  if (!rendered) return std::unexpected(rendered.error());
  if (!rendered->secrets.empty())
    return Fail(ErrorCode::kUnknownReference,
                "Expected no secret in a trigger's `input` but found " +
                    definition::Quote(rendered->secrets.front().name));
  return Bounded(Payload::FromValue(rendered->value));
}

std::string MomentText(int64_t time_us) {
  using std::chrono::days;
  using std::chrono::floor;
  using std::chrono::microseconds;
  const std::chrono::sys_time<microseconds> time{microseconds(time_us)};
  const auto day = floor<days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  if (clock.subseconds().count() != 0) text += fmt::format(".{:06}", clock.subseconds().count());
  return text + "Z";
}

}  // namespace stele::triggers
