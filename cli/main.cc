// The `stele` program: finds the command and runs it.
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "cli/commands.h"
#include "cli/text.h"
#include "engine/definition/faults.h"

namespace stele::cli {

namespace {

std::string_view GroupOf(const Command& command) {
  return command.spec.name.substr(0, command.spec.name.find(' '));
}

std::string UsageOf(const Command& command) {
  return fmt::format("stele {}{}{}", command.spec.name, command.spec.operands.empty() ? "" : " ",
                     command.spec.operands);
}

// A line a command.
std::string Lines(std::span<const Command> commands) {
  size_t width = 0;
  for (const Command& command : commands) width = std::max(width, Width(UsageOf(command)));
  std::string text;
  for (const Command& command : commands)
    text += fmt::format("  {}  {}\n", Pad(UsageOf(command), width), command.spec.summary);
  return text;
}

constexpr std::string_view kMore =
    "\n\"stele help COMMAND\" shows options and examples; \"stele --version\".\n";

std::string Overview() {
  std::string text = "stele: a workflow engine that forgets nothing\n";
  for (const CommandGroup& group : CommandGroups())
    text += fmt::format("\n{}\n{}", group.title, Lines(group.commands));
  return text + std::string(kMore);
}

// The command that the first words name, and how many of them do. Null: none.
std::pair<const Command*, size_t> Find(const std::vector<Command>& commands,
                                       std::span<const std::string> words) {
  for (const size_t count : {size_t{2}, size_t{1}}) {
    if (words.size() < count) continue;
    const std::string name = count == 2 ? words[0] + " " + words[1] : words[0];
    const auto found = std::ranges::find_if(
        commands, [&](const Command& command) { return command.spec.name == name; });
    if (found != commands.end()) return {&*found, count};
  }
  return {nullptr, 0};
}

int Unknown(const std::vector<Command>& commands, std::span<const std::string> words,
            const Terminal& terminal) {
  std::vector<std::string> groups;
  std::vector<std::string> inside;
  for (const Command& command : commands) {
    const std::string group(GroupOf(command));
    if (std::ranges::find(groups, group) == groups.end()) groups.push_back(group);
    if (group == words[0]) inside.emplace_back(command.spec.name.substr(group.size() + 1));
  }
  if (inside.empty()) {
    const std::string near = definition::Nearest(words[0], groups);
    terminal.PrintError(
        {ErrorCode::kUsage,
         fmt::format("Expected one of {} but found \"{}\"{}", fmt::join(groups, ", "), words[0],
                     near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near))});
  } else {
    terminal.PrintError(
        {ErrorCode::kUsage,
         fmt::format("Expected {} and one of {} but found {}", words[0], fmt::join(inside, ", "),
                     words.size() < 2 ? "none" : fmt::format("\"{}\"", words[1]))});
  }
  return kExitUsage;
}

int Help(const std::vector<Command>& commands, std::span<const std::string> words,
         const Terminal& terminal) {
  if (words.empty()) {
    terminal.Print(Overview());
    return kExitDone;
  }
  if (const Command* command = Find(commands, words).first) {
    terminal.Print(HelpOf(command->spec));
    return kExitDone;
  }
  std::vector<Command> inside;
  for (const Command& command : commands)
    if (GroupOf(command) == words[0]) inside.push_back(command);
  if (inside.empty()) return Unknown(commands, words, terminal);
  terminal.Print(Lines(inside) + std::string(kMore));
  return kExitDone;
}

bool AsksForHelp(std::string_view word) {
  return word == "--help" || word == "-h" || word == "help";
}

// Before the words are understood: what is wrong with them is told in the same way.
bool AsksForJson(const std::vector<std::string>& words) {
  const auto end = std::ranges::find(words, "--");
  return std::find(words.begin(), end, "--json") != end;
}

int Main(const std::vector<std::string>& words) {
  Terminal terminal;
  if (AsksForJson(words)) terminal.TellErrorsAsJson();
  const std::vector<Command> commands = Commands();
  if (words.empty()) {
    terminal.PrintError({ErrorCode::kUsage, "Expected a command but found none"});
    terminal.Print(Overview());
    return kExitUsage;
  }
  if (words[0] == "--version") {
    terminal.Print("stele " STELE_VERSION "\n");
    return kExitDone;
  }
  const std::span<const std::string> all(words);
  if (AsksForHelp(words[0])) return Help(commands, all.subspan(1), terminal);
  const auto [command, taken] = Find(commands, all);
  if (command == nullptr)
    return words.size() > 1 && AsksForHelp(words[1]) ? Help(commands, all.first(1), terminal)
                                                     : Unknown(commands, all, terminal);
  const Result<Arguments> arguments = ParseArguments(command->spec, all.subspan(taken));
  if (!arguments.has_value()) return Refuse(terminal, arguments.error());
  if (arguments->wants_help()) {
    terminal.Print(HelpOf(command->spec));
    return kExitDone;
  }
  return command->run(*arguments, terminal);
}

}  // namespace

}  // namespace stele::cli

namespace {

// A standard stream that was closed would have its number given to a file of ours.
void OpenStandardStreams() {
  int opened = 0;
  do {
    opened = open("/dev/null", O_RDWR);
  } while (opened >= 0 && opened <= STDERR_FILENO);
  if (opened > STDERR_FILENO) close(opened);
}

[[noreturn]] void EndSaying(std::string_view sentence) {
  static_cast<void>(write(STDERR_FILENO, sentence.data(), sentence.size()) == 0);
  _exit(stele::cli::kExitUsage);
}

// A thread of a library that finds no memory, or no other thread, ends the process: with a
// sentence, and nothing that was told is lost.
[[noreturn]] void EndWithoutMeans() {
  try {
    if (std::current_exception() != nullptr) std::rethrow_exception(std::current_exception());
  } catch (const std::bad_alloc&) {
    EndSaying("stele: STL0003: Expected the means to go on but found no memory\n");
  } catch (const std::system_error& error) {
    if (error.code() == std::errc::resource_unavailable_try_again)
      EndSaying("stele: STL0003: Expected the means to go on but found no further thread\n");
  } catch (...) {
    std::abort();
  }
  std::abort();
}

// As in `stele list | head -1`: what it did not want is not missed.
bool ReaderHasGone() {
  pollfd output{STDOUT_FILENO, POLLOUT, 0};
  return poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0;
}

}  // namespace

int main(int argc, char** argv) {
  OpenStandardStreams();
  // A reader that goes away is no reason to leave a run half told.
  std::signal(SIGPIPE, SIG_IGN);
  // A file that may not grow any more is an error of the call that writes it, as a full disk is.
  std::signal(SIGXFSZ, SIG_IGN);
  // Some supervisors leave it ignored, and then nobody learns how a program ended.
  std::signal(SIGCHLD, SIG_DFL);
  std::set_terminate(EndWithoutMeans);
  int code = stele::cli::kExitUsage;
  try {
    code = stele::cli::Main(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "stele: STL0003: Expected the means to go on but found: %s\n",
                 error.what());
    return stele::cli::kExitUsage;
  }
  const bool lost = std::fflush(stdout) != 0 || std::ferror(stdout) != 0;
  if (lost && !ReaderHasGone()) {
    std::fputs("stele: STL0003: Expected to write the output but could not\n", stderr);
    if (code == stele::cli::kExitDone) code = stele::cli::kExitUsage;
  }
  return code;
}
