#include "engine/runtime/open_summary.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace stele::runtime {

namespace {

constexpr int kAttempts = 1;
constexpr int kLinked = 2;

}  // namespace

std::string OpenSummary::Encode() const {
  std::string bytes(9, '\0');
  std::memcpy(bytes.data(), &timer.value, sizeof timer.value);
  bytes[8] = static_cast<char>((attempts ? kAttempts : 0) | (linked ? kLinked : 0));
  return bytes;
}

OpenSummary OpenSummary::Decode(std::string_view bytes) {
  CHECK(bytes.size() == 9, "an open entry of {} bytes", bytes.size());
  OpenSummary summary;
  std::memcpy(&summary.timer.value, bytes.data(), sizeof summary.timer.value);
  summary.attempts = (bytes[8] & kAttempts) != 0;
  summary.linked = (bytes[8] & kLinked) != 0;
  return summary;
}

OpenSummary OpenSummaryOf(const Live& live) {
  const auto waits = [&](const model::StepRun& run) {
    const bool task = live.definition->step(run.step).kind == definition::StepKind::kTask;
    return task && (run.state == model::RunState::kAttempt || run.state == model::RunState::kHeld);
  };
  const model::Instance& instance = live.instance;
  const bool admits_itself = instance.queued && !live.definition->concurrency.has_value();
  return {model::NextTimer(instance).at, admits_itself || std::ranges::any_of(instance.runs, waits),
          instance.linked};
}

}  // namespace stele::runtime
