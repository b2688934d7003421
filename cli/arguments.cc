#include "cli/arguments.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/nearest.h"
#include "base/utf8.h"

namespace stele::cli {

namespace {

// What was probably meant, or all that there is.
std::string KnownOptions(const CommandSpec& command, std::string_view word) {
  std::vector<std::string> known;
  for (const OptionSpec& option : command.AllOptions()) known.emplace_back(option.name);
  known.emplace_back("--help");
  const std::string near = Nearest(word, known);
  return near.empty() ? fmt::format("one of {}", fmt::join(known, ", ")) : near + " perhaps";
}

// An empty text would count as not given, or as another thing than was meant.
bool MustHold(const OptionSpec& option) {
  return !option.value.empty() && option.value != "TEXT" && !option.value.contains("JSON") &&
         !option.value.contains("NAME=VALUE");
}

std::unexpected<Error> Usage(const CommandSpec& command, std::string_view sentence) {
  return Fail(ErrorCode::kUsage,
              fmt::format("{}; \"stele help {}\" shows what it takes", sentence, command.name));
}

Status CheckOperands(const CommandSpec& command, const Arguments& arguments) {
  const size_t count = arguments.operands().size();
  if (count >= command.min_operands && count <= command.max_operands) return {};
  if (command.max_operands == 0)
    return Usage(command, fmt::format("Expected only options but found \"{}\"",
                                      arguments.operands().front()));
  if (count == 0)
    return Usage(command, fmt::format("Expected {} but found none", command.operands));
  if (count < command.min_operands)
    return Usage(command, fmt::format("Expected {} but found only \"{}\"", command.operands,
                                      fmt::join(arguments.operands(), " ")));
  return Usage(command, fmt::format("Expected {} but found \"{}\" too", command.operands,
                                    arguments.operands()[command.max_operands]));
}

}  // namespace

std::vector<OptionSpec> CommandSpec::AllOptions() const {
  std::vector<OptionSpec> all(options.begin(), options.end());
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

bool Arguments::Has(std::string_view option) const {
  return std::ranges::any_of(options_, [&](const auto& given) { return given.first == option; });
}

std::string Arguments::Get(std::string_view option, std::string_view otherwise) const {
  for (auto given = options_.rbegin(); given != options_.rend(); ++given)
    if (given->first == option) return given->second;
  return std::string(otherwise);
}

std::vector<std::string> Arguments::All(std::string_view option) const {
  std::vector<std::string> values;
  for (const auto& [name, value] : options_)
    if (name == option) values.push_back(value);
  return values;
}

Result<Arguments> ParseArguments(const CommandSpec& command, std::span<const std::string> words) {
  Arguments arguments;
  const std::vector<OptionSpec> options = command.AllOptions();
  bool options_end = false;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    // "-status:failed" is a part of a query.
    if (options_end || (!word.starts_with("--") && word != "-h")) {
      arguments.operands_.push_back(word);
      continue;
    }
    if (word == "--") {
      options_end = true;
      continue;
    }
    const size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    if (name == "--help" || name == "-h") {
      arguments.help_ = true;
      return arguments;
    }
    const auto option = std::ranges::find(options, name, &OptionSpec::name);
    if (option == options.end() && name == "--server" && command.works_on_files)
      return Usage(command, fmt::format("Expected no --server for \"{}\", which works on files of "
                                        "this machine and needs no server, but found one",
                                        command.name));
    if (option == options.end() && name == "--server")
      return Usage(command,
                   fmt::format("Expected a command that works at a server but found \"{}\", which "
                               "needs a data directory: give it where that is",
                               command.name));
    if (option == options.end())
      return Usage(command,
                   fmt::format("Expected {} but found \"{}\"", KnownOptions(command, name), name));
    std::string value;
    if (option->value.empty()) {
      if (equals != std::string::npos)
        return Usage(command, fmt::format("Expected no value for {} but found \"{}\"", name,
                                          word.substr(equals + 1)));
    } else if (equals != std::string::npos) {
      value = word.substr(equals + 1);
    } else if (i + 1 < words.size()) {
      value = words[++i];
    } else {
      return Usage(command,
                   fmt::format("Expected {} behind {} but found nothing", option->value, name));
    }
    if (value.empty() && MustHold(*option))
      return Usage(command, fmt::format("Expected {} behind {} but found an empty text",
                                        option->value, name));
    // The name of a file may be any bytes.
    if (!IsUtf8(value) && !option->value.contains("FILE") && !option->value.contains("DIR"))
      return Usage(command, fmt::format("Expected UTF-8 behind {} but found other bytes", name));
    if (!option->repeats && arguments.Has(name))
      return Usage(command, fmt::format("Expected {} once but found it twice", name));
    arguments.options_.emplace_back(name, std::move(value));
  }
  STELE_RETURN_IF_ERROR(CheckOperands(command, arguments));
  return arguments;
}

std::string HelpOf(const CommandSpec& command) {
  std::string help =
      fmt::format("stele {}{}{}\n\n  {}\n", command.name, command.operands.empty() ? "" : " ",
                  command.operands, command.summary);
  const std::vector<OptionSpec> options = command.AllOptions();
  if (options.empty()) return help + fmt::format("\n{}", command.details);
  help += "\nOptions\n";
  size_t width = 0;
  for (const OptionSpec& option : options)
    width = std::max(width, option.name.size() + 1 + option.value.size());
  for (const OptionSpec& option : options)
    help +=
        fmt::format("  {:<{}}{}{}{}\n", fmt::format("{} {}", option.name, option.value), width + 2,
                    option.help, option.repeats ? "; may be repeated" : "",
                    option.otherwise.empty() ? "" : fmt::format(" (default {})", option.otherwise));
  return help + fmt::format("\n{}", command.details);
}

}  // namespace stele::cli
