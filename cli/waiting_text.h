// What an instance waits for, in words, with the command that goes on.
#pragma once

#include <string>

#include "cli/arguments.h"
#include "replay/standing.h"

namespace stele::cli {

// `approval of "review" by anna or group ops`, `message "payment" with the key "A-17"`.
// `until 2026-11-21 17:00:00.000 (step rest)`.
std::string WaitPhrase(const replay::Waiting& waiting);
// "waits for …", "waits until …".
std::string WaitSentence(const replay::Waiting& waiting);

// Where a command is to be given.
struct CommandPlace {
  std::string option;        // " --data DIR", " --server ADDR"; empty: it is there without any
  bool at_server = false;    // which goes on by itself
  bool knows_asker = false;  // a token says who asks: no option may
};
CommandPlace PlaceOf(const Arguments& arguments);

// "stele approve 42 review --by anna": what somebody would type; empty when nobody can do anything.
// `standing` is the whole of which `waiting` is a part.
std::string WaitCommand(InstanceId instance, const replay::Waiting& waiting,
                        const replay::Standing& standing, const CommandPlace& place);

// "anna, bo, group ops"; "anybody"
std::string CandidateList(const std::vector<std::string>& assignees,
                          const std::vector<std::string>& groups);

// A word as a shell takes it.
std::string ShellWord(std::string_view word);
// " --data DIR" when it is not the default.
std::string DataOption(const std::string& data);

}  // namespace stele::cli
