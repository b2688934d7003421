// The workload of the benchmarks: a sequence of ten steps, each completed by a task in this
// process.
#pragma once

#include <memory>
#include <string>

#include "base/check.h"
#include "engine/definition/canonical.h"
#include "engine/definition/load.h"

namespace stele::bench {

inline std::shared_ptr<const definition::Definition> TenSteps() {
  std::string text = "version: \"1.0\"\nname: ten-steps\nsteps:\n";
  for (int i = 1; i <= 10; ++i) {
    text += "  - id: step" + std::to_string(i) + "\n    type: script\n    config: {script: work}\n";
    if (i > 1) text += "    depends_on: [step" + std::to_string(i - 1) + "]\n";
  }
  definition::LoadResult loaded = definition::Load(text, definition::Syntax::kYaml, "ten-steps");
  CHECK(loaded.has_value(), "{}", loaded.error().front().message);
  return *loaded;
}

inline constexpr std::string_view kInput = R"({"order":4711,"amount":129.95,"currency":"EUR"})";
inline constexpr std::string_view kOutput = R"({"ok":true,"n":1})";

}  // namespace stele::bench
