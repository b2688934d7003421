// The `stele` program: finds the command and runs it.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "cli/commands.h"

namespace stele::cli {

namespace {

std::string Overview() {
  std::string text = "stele: a workflow engine that forgets nothing\n\n";
  for (const Command& command : Commands())
    text += fmt::format("  stele {:<24}{}\n",
                        fmt::format("{} {}", command.spec.name, command.spec.operands),
                        command.spec.summary);
  return text + "\n\"stele help COMMAND\" shows options and examples; \"stele --version\".\n";
}

const Command* Find(std::string_view name) {
  const auto commands = Commands();
  const auto found = std::ranges::find_if(
      commands, [&](const Command& command) { return command.spec.name == name; });
  return found == commands.end() ? nullptr : &*found;
}

int Unknown(std::string_view name, const Terminal& terminal) {
  std::string known;
  for (const Command& command : Commands())
    known += fmt::format("{}{}", known.empty() ? "" : ", ", command.spec.name);
  terminal.PrintError(
      {ErrorCode::kUsage, fmt::format("Expected one of {} but found \"{}\"", known, name)});
  return kExitUsage;
}

int Main(const std::vector<std::string>& words) {
  const Terminal terminal;
  if (words.empty()) {
    terminal.PrintError({ErrorCode::kUsage, "Expected a command but found none"});
    terminal.Print(Overview());
    return kExitUsage;
  }
  const std::string& name = words[0];
  if (name == "--version") {
    terminal.Print("stele " STELE_VERSION "\n");
    return kExitDone;
  }
  if (name == "--help" || name == "-h" || name == "help") {
    if (words.size() < 2) {
      terminal.Print(Overview());
      return kExitDone;
    }
    const Command* command = Find(words[1]);
    if (command == nullptr) return Unknown(words[1], terminal);
    terminal.Print(HelpOf(command->spec));
    return kExitDone;
  }
  const Command* command = Find(name);
  if (command == nullptr) return Unknown(name, terminal);
  const Result<Arguments> arguments = ParseArguments(command->spec, std::span(words).subspan(1));
  if (!arguments.has_value()) {
    terminal.PrintError(arguments.error());
    return kExitUsage;
  }
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
