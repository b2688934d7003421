// Reads the configuration of a step: typed, with every fault collected as a sentence. The same
// reading serves `validate`, where a text may still hold templates, and the start of an attempt.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/value.h"

namespace stele::tasks {

// "500ms", "30s", "1h30m", "2d"; a number alone is seconds. Microseconds, or nothing when it is no
// duration.
std::optional<int64_t> ParseDurationUs(std::string_view text);

class ConfigReader {
 public:
  enum class Mode {
    kStatic,    // before anything runs: a text with `{{` or `${` may become a value of any type
    kRendered,  // what an attempt gets
  };

  // REQUIRES: `config` outlives this.
  ConfigReader(const Value& config, Mode mode);

  bool Has(std::string_view key);
  // Null when absent or JSON null. Every accessor makes its key known.
  const Value* Any(std::string_view key);
  // Scalars count as their text.
  std::optional<std::string> Text(std::string_view key);
  bool Bool(std::string_view key, bool fallback);
  // 0 when absent; never negative.
  int64_t DurationUs(std::string_view key);
  std::vector<std::string> TextList(std::string_view key);
  // An object whose members are scalars.
  std::vector<std::pair<std::string, std::string>> TextMap(std::string_view key);

  // True when `value` is a text whose meaning is known only when it is rendered.
  bool IsOpen(const Value& value) const;

  void AddFault(std::string sentence) { faults_.push_back(std::move(sentence)); }
  // With a fault for each key that nobody asked for.
  std::vector<std::string> TakeFaults();

 private:
  void ExpectType(std::string_view key, std::string_view expected, const Value& found);

  const Value& config_;
  Mode mode_;
  std::vector<std::string> known_;
  std::vector<std::string> faults_;
};

// The text of a scalar as people write it: strings as they are, the rest as JSON. Nothing for null,
// lists and objects.
std::optional<std::string> ScalarText(const Value& value);

// "Expected A; expected B"
std::string JoinFaults(const std::vector<std::string>& faults);

}  // namespace stele::tasks
