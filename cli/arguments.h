// The command line as data. Small on purpose: long options, each with a value or without, and
// operands; `--name=value`, `--name value`, `--` ends the options.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace stele::cli {

struct OptionSpec {
  std::string_view name;   // "--data"
  std::string_view value;  // "DIR"; empty: it takes none
  std::string_view help;
  bool repeats = false;
  std::string_view otherwise = {};  // when it is not given, where the help does not say it
};

struct CommandSpec {
  std::string_view name;
  std::string_view operands;  // "FILE…", as the usage line shows them
  size_t min_operands = 0;
  size_t max_operands = 0;
  std::string_view summary;  // one line
  std::string_view details;  // paragraphs and examples for --help
  std::span<const OptionSpec> options;
  std::span<const OptionSpec> more = {};  // what it has in common with others
  bool works_on_files = false;            // and asks no server, nor needs a data directory

  std::vector<OptionSpec> AllOptions() const;
};

class Arguments {
 public:
  const std::vector<std::string>& operands() const { return operands_; }
  bool Has(std::string_view option) const;
  // The last one given, or `otherwise`.
  std::string Get(std::string_view option, std::string_view otherwise = "") const;
  std::vector<std::string> All(std::string_view option) const;
  bool wants_help() const { return help_; }

 private:
  friend Result<Arguments> ParseArguments(const CommandSpec&, std::span<const std::string>);
  std::vector<std::string> operands_;
  std::vector<std::pair<std::string, std::string>> options_;
  bool help_ = false;
};

// kUsage: a sentence on what the command takes.
Result<Arguments> ParseArguments(const CommandSpec& command, std::span<const std::string> words);

// What --help prints.
std::string HelpOf(const CommandSpec& command);

}  // namespace stele::cli
