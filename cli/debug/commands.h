// The debugger's commands: the language of `--commands` and of `:` in the terminal program.
// docs/debugger.md says what each does; `help` lists them.
//
// Thread: that of the debugger.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/debug/command_words.h"
#include "cli/debug/lines.h"
#include "replay/debugger/debugger.h"

namespace stele::cli {

struct Answer {
  Lines lines;
  std::optional<replay::Stop> stop;  // of a move
};

// The ids of the steps that a line of the workflow's file belongs to; none: of none.
using StepsOfLine = std::function<std::vector<std::string>(uint32_t line)>;

class DebugCommands {
 public:
  // REQUIRES: the debugger outlives it.
  explicit DebugCommands(replay::Debugger& debugger, StepsOfLine steps_of_line = nullptr)
      : debugger_(debugger), steps_of_line_(std::move(steps_of_line)) {}

  // One command; an empty line and a comment ("# …") do nothing. kUsage: what was expected instead.
  // kNotAllowed: what `assert` says does not hold.
  Result<Answer> Run(std::string_view line);
  bool wants_to_quit() const { return quits_; }

  // Every command with a line on what it does.
  static Lines Help();

 private:
  struct Known;
  static const std::vector<Known>& All();
  static std::vector<Known> Moves();
  static std::vector<Known> Marks();
  static std::vector<Known> Looks();
  static Result<const Known*> Find(std::string_view name);

  Result<Answer> Moved(Result<replay::Stop> stop);
  Result<Answer> Move(replay::Unit unit, CommandWords& words, replay::Direction direction);
  Result<Answer> Go(CommandWords& words, replay::Direction direction);
  Result<Answer> Jump(CommandWords& words);
  Result<Answer> Search(CommandWords& words);
  Result<Answer> Break(CommandWords& words);
  Result<Answer> AddAtLine(std::string_view line, replay::BreakpointSpec spec);
  Result<Answer> Add(replay::BreakpointSpec spec);
  Result<Answer> Delete(CommandWords& words);
  Result<Answer> Enable(CommandWords& words, bool enabled);
  Result<std::vector<uint32_t>> Chosen(CommandWords& words) const;
  Result<Answer> Watch(CommandWords& words);
  Result<Answer> Unwatch(CommandWords& words);
  Result<Answer> Print(CommandWords& words);
  Result<Answer> Assert(CommandWords& words);
  Result<Answer> Where(CommandWords& words);
  Result<Answer> List(CommandWords& words);
  Result<Answer> Event(CommandWords& words);
  Result<Answer> Info(CommandWords& words);
  Result<Answer> Follow(CommandWords& words);

  replay::Debugger& debugger_;
  const StepsOfLine steps_of_line_;
  bool quits_ = false;
};

}  // namespace stele::cli
