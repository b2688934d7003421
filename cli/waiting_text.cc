#include "cli/waiting_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/open_data.h"
#include "cli/options.h"
#include "cli/remote/credentials.h"
#include "cli/remote/server_option.h"
#include "cli/text.h"
#include "engine/model/names.h"

namespace stele::cli {

namespace {

using replay::WaitFor;
using replay::Waiting;

// "anna", "anna or bo", "anna, bo or group ops"
std::string Alternatives(const model::HumanTask& task) {
  std::vector<std::string> all = task.assignees;
  for (const std::string& group : task.groups) all.push_back("group " + group);
  if (all.empty()) return "anybody";
  std::string text = all[0];
  for (size_t i = 1; i < all.size(); ++i) text += (i + 1 == all.size() ? " or " : ", ") + all[i];
  return text;
}

int64_t Approvals(const model::HumanTask& task) {
  return std::ranges::count(task.votes, true, &model::Vote::approved);
}

std::string TaskPhrase(const Waiting& waiting) {
  const model::HumanTask& task = *waiting.task;
  const bool approval = waiting.type == "approval";
  std::string text = fmt::format("{} of \"{}\" by {}", approval ? "approval" : "completion",
                                 waiting.label, Alternatives(task));
  std::string more;
  const auto add = [&](std::string part) { more += (more.empty() ? "" : ", ") + std::move(part); };
  if (approval && task.min_approvers > 1)
    add(fmt::format("{} of {} approvals so far", Approvals(task), task.min_approvers));
  if (!task.claimed_by.empty()) add("claimed by " + task.claimed_by);
  if (waiting.due) add("due " + Time(waiting.due));
  return more.empty() ? text : fmt::format("{} ({})", text, more);
}

std::string EventPhrase(const model::Wait& wait) {
  if (wait.kind == model::WaitKind::kTimer) return Time(wait.due);
  std::string text = fmt::format("{} \"{}\"", model::EnumName(wait.kind), wait.name);
  if (!wait.key.empty()) text += fmt::format(" with the key \"{}\"", wait.key);
  return text;
}

// The word that names the step in a command: with its run when the step is open more than once.
std::string StepWord(const Waiting& waiting, const replay::Standing& standing) {
  const auto same = [&](const Waiting& other) { return other.step == waiting.step; };
  const std::string word = std::ranges::count_if(standing.waits, same) > 1
                               ? fmt::format("{}#{}", waiting.step, waiting.run.value)
                               : waiting.step;
  return ShellWord(word);
}

std::string TaskCommand(InstanceId instance, const Waiting& waiting, const std::string& step,
                        bool knows_asker) {
  const model::HumanTask& task = *waiting.task;
  std::string person = task.claimed_by;
  const auto has_voted = [&](const std::string& name) {
    return std::ranges::find(task.votes, name, &model::Vote::person) != task.votes.end();
  };
  // Nobody else may decide before it is given back.
  if (!person.empty() && has_voted(person))
    return fmt::format("stele release {} {}", instance.value, step) +
           (knows_asker ? "" : " --by " + ShellWord(person));
  for (const std::string& assignee : task.assignees)
    if (person.empty() && !has_voted(assignee)) person = assignee;
  std::string command = fmt::format(
      "stele {} {} {}", waiting.type == "approval" ? "approve" : "complete", instance.value, step);
  if (knows_asker) return command;
  if (!person.empty()) return command + " --by " + ShellWord(person);
  if (!task.groups.empty()) return command + " --by PERSON --group " + ShellWord(task.groups[0]);
  return command;
}

std::string EventCommand(InstanceId instance, const Waiting& waiting) {
  for (const model::Wait& wait : waiting.waits) {
    if (wait.kind == model::WaitKind::kSignal)
      return fmt::format("stele signal {} {}", instance.value, ShellWord(wait.name));
    if (wait.kind == model::WaitKind::kMessage)
      return fmt::format("stele publish {}{}", ShellWord(wait.name),
                         wait.key.empty() ? "" : " --key " + ShellWord(wait.key));
  }
  return "";
}

}  // namespace

std::string ShellWord(std::string_view word) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_-./:@%+,=#").contains(c);
  };
  if (!word.empty() && word[0] != '#' && word[0] != '-' && std::ranges::all_of(word, plain))
    return std::string(word);
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string DataOption(const std::string& data) {
  return data == kDefaultData ? "" : " --data " + ShellWord(data);
}

CommandPlace PlaceOf(const Arguments& arguments) {
  if (!IsForServer(arguments)) return {DataOption(arguments.Get("--data", kDefaultData))};
  std::string option;
  for (const OptionSpec& known : kAtServer) {
    if (!arguments.Has(known.name)) continue;
    option += fmt::format(" {}", known.name);
    if (!known.value.empty()) option += " " + ShellWord(arguments.Get(known.name));
  }
  const auto server = ServerOf(arguments);
  const auto token = server.has_value() ? TokenFor(arguments, *server) : Result<std::string>("");
  return {std::move(option), true, token.has_value() && !token->empty()};
}

std::string CandidateList(const std::vector<std::string>& assignees,
                          const std::vector<std::string>& groups) {
  std::string text;
  for (const std::string& person : assignees) text += (text.empty() ? "" : ", ") + person;
  for (const std::string& group : groups) text += (text.empty() ? "group " : ", group ") + group;
  return text.empty() ? "anybody" : text;
}

std::string WaitPhrase(const Waiting& waiting) {
  switch (waiting.what) {
    case WaitFor::kResume:
      return "somebody to resume it: it is paused";
    case WaitFor::kPlace:
      return "a place: as many instances of its definition run as may";
    case WaitFor::kPeople:
      return TaskPhrase(waiting);
    case WaitFor::kMessage: {
      std::string text;
      for (const model::Wait& wait : waiting.waits)
        text += (text.empty() ? "" : " or ") + EventPhrase(wait);
      return fmt::format("{} at \"{}\"", text, waiting.label);
    }
    case WaitFor::kDelay:
      return fmt::format("until {} (step {})", Time(waiting.due), waiting.label);
    case WaitFor::kOperator:
      return fmt::format("an operator at \"{}\" ({}: {})", waiting.label, waiting.kind,
                         waiting.message);
    case WaitFor::kChild:
      return fmt::format("instance {} at \"{}\"", waiting.child.value, waiting.label);
    case WaitFor::kWorker:
      return fmt::format("a worker of the type \"{}\" at \"{}\"", waiting.type, waiting.label);
  }
  return "";
}

std::string WaitSentence(const Waiting& waiting) {
  return (waiting.what == WaitFor::kDelay ? "waits " : "waits for ") + WaitPhrase(waiting);
}

std::string WaitCommand(InstanceId instance, const Waiting& waiting,
                        const replay::Standing& standing, const CommandPlace& place) {
  std::string command;
  switch (waiting.what) {
    case WaitFor::kResume:
      command = fmt::format("stele resume {}", instance.value);
      break;
    case WaitFor::kPlace:
      break;
    case WaitFor::kPeople:
      command = TaskCommand(instance, waiting, StepWord(waiting, standing), place.knows_asker);
      break;
    case WaitFor::kMessage:
      command = EventCommand(instance, waiting);
      break;
    case WaitFor::kDelay:
      if (!place.at_server) command = "stele resume";
      break;
    case WaitFor::kOperator:
      command = fmt::format("stele resolve {} {} retry|skip|fail", instance.value,
                            StepWord(waiting, standing));
      break;
    case WaitFor::kChild:
      command = fmt::format("stele status {}", waiting.child.value);
      break;
    case WaitFor::kWorker:
      if (!place.at_server)
        command = fmt::format("stele resume --worker '{}=COMMAND'", waiting.type);
      break;
  }
  return command.empty() ? command : command + place.option;
}

}  // namespace stele::cli
