// A course that a test drives, and what would have become of it.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/json.h"
#include "replay/what_if/what_if.h"
#include "tests/replay/driven_source.h"
#include "tests/support/core_driver.h"
#include "tests/support/definitions.h"

namespace stele::replay {

using test::CoreDriver;
using test::Texts;

struct Changes {
  std::string_view set = "{}";  // variables, a JSON object
  std::string_view definition = "";
  std::string_view plan = "";
  std::vector<Stub> stubs = {};
  WhatIfLimits limits = {};
};

inline VariablesFor Setting(std::string_view object) {
  return [object](const definition::Definition&) -> Result<std::vector<model::NamedPayload>> {
    const Result<Value> parsed = ParseJson(object);
    CHECK(parsed.has_value(), "{}", object);
    std::vector<model::NamedPayload> named;
    for (const Member& member : parsed->as_object())
      named.push_back({member.key, Payload::FromValue(member.value)});
    return named;
  };
}

// Behind event `at` of what the driver has done.
inline Result<WhatIfReport> TryAsk(const CoreDriver& driver, uint64_t at,
                                   const Changes& changes = {}) {
  const test::DrivenSource source(driver);
  model::Registry registry = source.Registry();
  WhatIf what_if{.instance = driver.instance().id,
                 .at = {.seq = Seq(at), .time = {}},
                 .plan = std::string(changes.plan),
                 .variables = Setting(changes.set),
                 .stubs = changes.stubs,
                 .limits = changes.limits};
  if (!changes.definition.empty())
    what_if.definition = IdOf(registry, test::Load(changes.definition));
  return AskWhatIf(source, registry, what_if);
}

inline WhatIfReport Ask(const CoreDriver& driver, uint64_t at, const Changes& changes = {}) {
  Result<WhatIfReport> report = TryAsk(driver, at, changes);
  CHECK(report.has_value(), "{}", report.error().message);
  return *std::move(report);
}

inline Stub Stubbing(std::string name, std::string_view output = "{}") {
  return {std::move(name), Payload::FromText(output)};
}

// "fast: completed -> nothing"
inline Texts StepsOf(const WhatIfReport& report) {
  const auto told = [](const std::optional<StepOutcome>& outcome) {
    if (!outcome.has_value()) return std::string("nothing");
    std::string text(StepStateName(outcome->state));
    if (outcome->attempts > 1) text += " x" + std::to_string(outcome->attempts);
    return text;
  };
  Texts texts;
  for (const StepChange& change : report.steps.list)
    texts.push_back(change.label + ": " + told(change.recorded) + " -> " + told(change.now));
  return texts;
}

inline Texts UnansweredOf(const WhatIfReport& report) {
  Texts labels;
  for (const Unanswered& one : report.unanswered) labels.push_back(one.label);
  return labels;
}

inline std::string EventOf(const std::optional<PathEvent>& event) {
  if (!event.has_value()) return "nothing";
  const Value* step = event->event.Find("step");
  return event->event.Find("event")->as_string() + (step == nullptr ? "" : " " + step->as_string());
}

}  // namespace stele::replay
