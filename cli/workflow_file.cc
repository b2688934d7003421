#include "cli/workflow_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "cli/given.h"
#include "cli/text.h"
#include "engine/definition/limits.h"
#include "engine/triggers/trigger_places.h"

namespace stele::cli {

namespace {

void SortByPlace(std::vector<definition::Fault>& faults) {
  std::ranges::stable_sort(faults, [](const auto& a, const auto& b) {
    return std::pair(a.place.line, a.place.column) < std::pair(b.place.line, b.place.column);
  });
}

// All but those at places of which something is said already.
void Add(const std::vector<definition::Fault>& more, std::vector<definition::Fault>& faults) {
  const std::vector<definition::Fault> before = faults;
  for (const definition::Fault& fault : more) {
    const bool told = std::ranges::any_of(before, [&](const definition::Fault& known) {
      return known.place.line == fault.place.line && known.place.column == fault.place.column;
    });
    if (!told) faults.push_back(fault);
  }
  SortByPlace(faults);
}

}  // namespace

std::optional<runtime::RegisteredTemplates> TemplatesOf(Engine& engine) {
  if (!engine.is_open()) return {};
  return runtime::RegisteredTemplates(engine.shard().registry());
}

definition::LoadResult LoadWorkflow(const std::string& path, Engine& engine,
                                    const std::vector<Stub>& stubs) {
  if (const Status regular = CheckRegularFile(path); !regular.has_value())
    return std::unexpected(
        std::vector<definition::Fault>{{regular.error().code, regular.error().message, {}}});
  const auto templates = TemplatesOf(engine);
  definition::Definition rest;
  definition::LoadResult loaded =
      definition::LoadFile(path, templates ? &*templates : nullptr, &rest);
  std::vector<definition::Fault> faults;
  if (!loaded.has_value()) faults = loaded.error();
  std::ranges::move(CheckRunnable(loaded.has_value() ? **loaded : rest, engine.tasks(), stubs,
                                  engine.custom_types().schemas()),
                    std::back_inserter(faults));
  SortByPlace(faults);
  if (const auto text = ReadGivenFile(path, definition::kMaxFileBytes); text.has_value()) {
    const definition::Syntax syntax = definition::SyntaxOf(path, *text);
    Add(loaded.has_value() ? triggers::FaultsOfTriggers(**loaded, *text, syntax)
                           : triggers::FaultsOfTriggers(*text, syntax),
        faults);
  }
  if (faults.empty()) return loaded;
  return std::unexpected(std::move(faults));
}

std::vector<definition::Fault> CheckRunnable(const definition::Definition& definition,
                                             const tasks::TaskRegistry& tasks,
                                             const std::vector<Stub>& stubs,
                                             const definition::TypeSchemas& custom) {
  std::set<std::string> stubbed;
  for (const Stub& stub : stubs) stubbed.insert(stub.name);
  std::vector<definition::Fault> faults =
      definition::CheckTypes(definition, tasks.types(), stubbed, custom);
  for (const definition::Step& step : definition.steps) {
    const tasks::TaskExecutor* executor = tasks.Find(step.task_type);
    if (step.kind != definition::StepKind::kTask || executor == nullptr ||
        stubbed.contains(step.id) || stubbed.contains(step.task_type))
      continue;
    for (const std::string& sentence : executor->CheckConfig(step.config.source()))
      faults.push_back(
          {ErrorCode::kTaskConfig, fmt::format("Step \"{}\": {}", step.id, sentence), step.place});
  }
  SortByPlace(faults);
  return faults;
}

std::string FaultLines(const std::string& path, const std::vector<definition::Fault>& faults) {
  std::string lines;
  for (const definition::Fault& fault : faults)
    lines += Clean(definition::FormatFault(path, fault)) + "\n";
  return lines;
}

}  // namespace stele::cli
