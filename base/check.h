// CHECK: our own fault or a damaged log. Always on, in every build; prints the place, the condition
// and the values, then aborts. Never used for a caller's mistake (Rejection) or the world's
// (Status).
#pragma once

#include <fmt/format.h>

#include <string>

namespace stele {

[[noreturn]] void CheckFailed(const char* file, int line, const char* condition,
                              const std::string& values);

}  // namespace stele

#define CHECK(condition, ...)                                                            \
  do {                                                                                   \
    if (!(condition)) [[unlikely]]                                                       \
      ::stele::CheckFailed(__FILE__, __LINE__, #condition, fmt::format("" __VA_ARGS__)); \
  } while (false)
