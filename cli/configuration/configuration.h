// What `stele serve` was told, and where each of it was said: a flag before a variable of the
// environment before the configuration file before the default.
//
// Thread: the main one, before there are others: it looks at the environment.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "cli/arguments.h"
#include "cli/configuration/setting_table.h"
#include "cli/terminal.h"

namespace stele::cli {

struct Origin {
  enum class Kind : uint8_t { kDefault, kFile, kEnvironment, kFlag };
  Kind kind = Kind::kDefault;
  std::string name;   // of the file, the variable or the flag
  uint32_t line = 0;  // of the file
};
// "default", "file stele.yaml:3", "environment STELE_DATA", "flag --data"
std::string ToText(const Origin& origin);

struct ChosenSetting {
  const Setting* setting;
  Value value;  // null: none
  Origin origin;
};

inline constexpr std::string_view kVariablePrefix = "STELE_";
// "STELE_HTTP_LISTEN"
std::string VariableOf(const Setting& setting);

class Configuration {
 public:
  // From the flags of a command that takes those of the table, with --config. Every fault at once,
  // each with the place that it is at: kUsage of a flag, kConfiguration of anything else.
  static std::expected<Configuration, std::vector<Error>> Read(const Arguments& arguments);

  const std::vector<ChosenSetting>& settings() const { return settings_; }

  // REQUIRES: a name of the table, of that kind. What was not said: empty, false.
  const ChosenSetting& Find(std::string_view name) const;
  std::string Text(std::string_view name) const;
  bool Is(std::string_view name) const;
  int64_t Number(std::string_view name) const;  // of a duration: microseconds
  std::vector<std::string> List(std::string_view name) const;

 private:
  std::vector<ChosenSetting> settings_;  // in the order of the table
};

// Of a value that cannot be; says where it was said.
std::unexpected<Error> RefuseSetting(const ChosenSetting& chosen, std::string_view what);

// Prints all of them; the exit code.
int RefuseAll(const Terminal& terminal, const std::vector<Error>& faults);

}  // namespace stele::cli
