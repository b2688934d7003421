// What the benchmarks measure with: time, memory, medians, a folder of their own, their arguments.
#pragma once

#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"

namespace stele::bench {

using Steady = std::chrono::steady_clock;

inline double SecondsSince(Steady::time_point start) {
  return std::chrono::duration<double>(Steady::now() - start).count();
}

// CPU time of all threads of the program until now.
inline double CpuSeconds() {
  timespec now{};
  CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// The most memory that the program has ever had.
inline int64_t MostResidentBytes() {
  rusage usage{};
  CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
  return int64_t{usage.ru_maxrss} << 10;
}

// REQUIRES: there is a value.
inline double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

// A new folder inside `parent`, gone with this. What else is in `parent` stays as it is.
class Folder {
 public:
  explicit Folder(const std::filesystem::path& parent)
      : path_(std::filesystem::absolute(parent) / "stele-bench-XXXXXX") {
    std::filesystem::create_directories(parent);
    CHECK(mkdtemp(path_.data()) != nullptr, "{}", path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// "--name value" pairs, each handed to what `known` has for the name: false when the value is none;
// and names alone, each of which sets what `flags` has for it. Anything else ends the program with
// `usage`.
using Arguments = std::map<std::string_view, std::function<bool(const std::string&)>>;
using Flags = std::map<std::string_view, bool*>;
inline void ReadArguments(int argc, char** argv, const char* usage, const Arguments& known,
                          const Flags& flags = {}) {
  for (int i = 1; i < argc; ++i) {
    if (const auto flag = flags.find(argv[i]); flag != flags.end()) {
      *flag->second = true;
      continue;
    }
    const auto found = known.find(argv[i]);
    if (found != known.end() && i + 1 < argc && found->second(argv[i + 1])) {
      ++i;
      continue;
    }
    std::fprintf(stderr, "Expected %s but found \"%s\"\n", usage, argv[i]);
    std::exit(2);
  }
}

// For ReadArguments: a number from 1 on, into `number`.
inline std::function<bool(const std::string&)> Into(uint64_t& number) {
  return [&number](const std::string& text) {
    if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos) return false;
    number = std::strtoull(text.c_str(), nullptr, 10);
    return number > 0;
  };
}

// A text that is not empty.
inline std::function<bool(const std::string&)> Into(std::string& text) {
  return [&text](const std::string& given) {
    text = given;
    return !text.empty();
  };
}

}  // namespace stele::bench
