// `stele definitions list|show|diff`: what is registered.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/given.h"
#include "cli/source.h"
#include "cli/text.h"
#include "engine/definition/compare.h"
#include "engine/requests/definitions.h"
#include "replay/history.h"

namespace stele::cli {

namespace {

using model::RegisteredDefinition;

Object Head(const RegisteredDefinition& registered) {
  return Object{{"definition", registered.name},
                {"version", static_cast<int64_t>(registered.version)},
                {"state", model::DefinitionStateName(registered.state)},
                {"reason", registered.reason.empty() ? Value() : Value(registered.reason)},
                {"registered", registered.registered.value},
                {"steps", static_cast<int64_t>(registered.definition->steps.size())},
                {"dialect", registered.definition->dialect},
                {"file", registered.file.empty() ? Value() : Value(registered.file)}};
}

// Its type, and what else is worth a word.
std::string StepType(const definition::Definition& definition, const definition::Step& step) {
  std::string text = step.task_type;
  if (step.handler) text += ", handler";
  if (step.optional) text += ", optional";
  if (!step.returnable) text += ", not returnable";
  if (step.compensation.value != kNoIndex)
    text += ", undone by " + definition.step(step.compensation).id;
  if (step.fallback.value != kNoIndex) text += ", else " + definition.step(step.fallback).id;
  return text;
}

std::string Next(const definition::Definition& definition, const definition::Step& step) {
  std::string text;
  for (const TransitionIndex index : step.outgoing)
    text += (text.empty() ? "" : ", ") + definition.step(definition.transition(index).to).id;
  return text;
}

void PrintOne(const RegisteredDefinition& registered, const model::Registry& registry,
              const Terminal& terminal) {
  const definition::Definition& definition = *registered.definition;
  std::vector<std::vector<std::string>> head{
      {"definition", Clean(registered.name)},
      {"version", fmt::format("{}", registered.version)},
      {"state", Clean(std::string(model::DefinitionStateName(registered.state)) +
                      (registered.reason.empty() ? "" : ": " + registered.reason))},
      {"registered", Time(registered.registered)}};
  const auto add = [&](const char* title, const std::string& text) {
    if (!text.empty()) head.push_back({title, Clean(text)});
  };
  add("file", registered.file);
  add("title", definition.title == registered.name ? "" : definition.title);
  add("description", definition.description);
  add("tags", fmt::format("{}", fmt::join(definition.tags, ", ")));
  if (definition.concurrency.has_value())
    add("at once", fmt::format("{}", definition.concurrency->limit));
  for (const model::RegisteredTrigger& trigger : registry.triggers)
    if (trigger.definition == registered.name && trigger.state != model::TriggerState::kRemoved)
      add("trigger", fmt::format("{}: {}, {}", trigger.id.value, trigger.kind,
                                 model::TriggerStateName(trigger.state)));
  std::string text = Table(head);
  std::vector<std::vector<std::string>> variables{{"VARIABLE", "TYPE", "DEFAULT"}};
  for (const definition::Variable& variable : definition.bodies[0].variables)
    variables.push_back({Clean(variable.name), variable.type,
                         variable.required ? "required" : Inline(variable.initial)});
  if (variables.size() > 1) text += "\n" + Table(terminal, variables);
  std::vector<std::vector<std::string>> steps{{"STEP", "TYPE", "THEN"}};
  for (const definition::Step& step : definition.steps)
    steps.push_back(
        {Clean(step.id), Clean(StepType(definition, step)), Clean(Next(definition, step))});
  terminal.Print(text + "\n" + Table(terminal, steps));
}

Value DifferenceToJson(const definition::Difference& difference) {
  constexpr std::string_view kKinds[] = {"added", "removed", "changed"};
  return Object{{"kind", kKinds[static_cast<size_t>(difference.kind)]},
                {"subject", difference.subject},
                {"member", difference.member.empty() ? Value() : Value(difference.member)},
                {"before", difference.before},
                {"after", difference.after}};
}

}  // namespace

int ListDefinitions(const Arguments& arguments, const Terminal& terminal) {
  const auto registry = ReadRegistryOf(arguments);
  if (!registry.has_value()) return Refuse(terminal, registry.error());
  std::vector<const RegisteredDefinition*> all;
  for (const RegisteredDefinition& registered : registry->definitions)
    if (replay::MayBeRead(registered)) all.push_back(&registered);
  std::ranges::stable_sort(all, {},
                           [](const auto* one) { return std::pair(one->name, one->version); });
  std::vector<std::vector<std::string>> rows{
      {"NAME", "VERSION", "STATE", "REGISTERED", "STEPS", "DIALECT", "REASON"}};
  Array documents;
  for (const RegisteredDefinition* one : all) {
    rows.push_back({Clean(one->name), fmt::format("{}", one->version),
                    std::string(model::DefinitionStateName(one->state)), Time(one->registered),
                    fmt::format("{}", one->definition->steps.size()), one->definition->dialect,
                    Clean(one->reason)});
    documents.push_back(Head(*one));
  }
  terminal.Print(arguments.Has("--json") ? CleanJson(ToPrettyJson(std::move(documents))) + "\n"
                                         : Table(terminal, rows));
  return kExitDone;
}

int ShowDefinition(const Arguments& arguments, const Terminal& terminal) {
  const auto version = GivenNumber(arguments, "--version", 1, UINT32_MAX);
  if (!version.has_value()) return Refuse(terminal, version.error());
  const auto registry = ReadRegistryOf(arguments);
  if (!registry.has_value()) return Refuse(terminal, registry.error());
  const auto found = requests::FindDefinition(*registry, arguments.operands()[0],
                                              static_cast<uint32_t>(version->value_or(0)), false);
  if (!found.has_value()) return Refuse(terminal, found.error());
  if (arguments.Has("--json")) {
    Object document = Head(**found);
    document.Set("source", (*found)->source);
    document.Set("canonical", ParseJson((*found)->canonical).value_or(Value()));
    terminal.Print(CleanJson(ToPrettyJson(std::move(document))) + "\n");
  } else if (arguments.Has("--source")) {
    terminal.Print(terminal.is_interactive() ? Clean((*found)->source, true) : (*found)->source);
  } else {
    PrintOne(**found, *registry, terminal);
  }
  return kExitDone;
}

int DiffVersions(const Arguments& arguments, const Terminal& terminal) {
  const auto registry = ReadRegistryOf(arguments);
  if (!registry.has_value()) return Refuse(terminal, registry.error());
  std::vector<const RegisteredDefinition*> sides;
  for (const size_t operand : {size_t{1}, size_t{2}}) {
    const auto version = ParseNumber(arguments.operands()[operand], "a version", 1, UINT32_MAX);
    if (!version.has_value()) return Refuse(terminal, version.error());
    const auto found = requests::FindDefinition(*registry, arguments.operands()[0],
                                                static_cast<uint32_t>(*version), false);
    if (!found.has_value()) return Refuse(terminal, found.error());
    sides.push_back(*found);
  }
  const auto differences =
      definition::DiffDefinitions(*sides[0]->definition, *sides[1]->definition);
  Array documents;
  std::string text;
  for (const definition::Difference& difference : differences) {
    documents.push_back(DifferenceToJson(difference));
    text += Clean(definition::DescribeDifference(difference)) + "\n";
  }
  if (arguments.Has("--json")) {
    terminal.Print(CleanJson(ToPrettyJson(std::move(documents))) + "\n");
  } else {
    terminal.Print(text.empty() ? "nothing differs\n" : text);
  }
  return kExitDone;
}

}  // namespace stele::cli
