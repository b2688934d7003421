// The words of the canonical form for enumerations. Once written they stay: a log may hold them.
#pragma once

#include <array>
#include <string_view>

#include "engine/definition/definition.h"

namespace stele::definition::canonical {

// In the order of the enumerators.
inline constexpr std::array<std::string_view, 10> kKinds = {
    "start", "end", "gateway", "task", "delay", "loop", "sub_process", "human", "wait", "publish"};
inline constexpr std::array<std::string_view, 3> kJoins = {"all", "any", "n_of_m"};
inline constexpr std::array<std::string_view, 2> kSplits = {"all", "first"};
inline constexpr std::array<std::string_view, 3> kOutcomes = {"success", "failure", "completion"};
inline constexpr std::array<std::string_view, 3> kBackoffs = {"fixed", "linear", "exponential"};
inline constexpr std::array<std::string_view, 4> kStrategies = {"fail", "continue", "compensate",
                                                                "park"};
inline constexpr std::array<std::string_view, 4> kLoopModes = {"while", "until", "for_each",
                                                               "times"};

template <size_t n, class Enum>
std::string_view Name(const std::array<std::string_view, n>& names, Enum value) {
  return names[static_cast<size_t>(value)];
}

inline constexpr int64_t kFormatVersion = 1;

}  // namespace stele::definition::canonical
