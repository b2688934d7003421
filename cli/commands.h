// The commands of the program: a file each. What they return is the exit code.
//
// 0 done, or the run completed; 1 the run failed, or a fault was found; 2 bad usage, definition or
// data directory; 3 the run was cancelled or interrupted, or waits for an operator.
#pragma once

#include <span>

#include "cli/arguments.h"
#include "cli/terminal.h"

namespace stele::cli {

inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitInterrupted = 3;

struct Command {
  CommandSpec spec;
  int (*run)(const Arguments& arguments, const Terminal& terminal);
};
std::span<const Command> Commands();

int RunWorkflow(const Arguments& arguments, const Terminal& terminal);
int Validate(const Arguments& arguments, const Terminal& terminal);
int List(const Arguments& arguments, const Terminal& terminal);
int ShowStatus(const Arguments& arguments, const Terminal& terminal);
int ShowLogs(const Arguments& arguments, const Terminal& terminal);
int ShowHistory(const Arguments& arguments, const Terminal& terminal);
int Resume(const Arguments& arguments, const Terminal& terminal);
int Verify(const Arguments& arguments, const Terminal& terminal);
int Secrets(const Arguments& arguments, const Terminal& terminal);

}  // namespace stele::cli
