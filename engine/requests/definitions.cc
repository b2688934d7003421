#include "engine/requests/definitions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "base/nearest.h"
#include "engine/definition/canonical.h"
#include "engine/triggers/trigger_places.h"

namespace stele::requests {

namespace {

using definition::Definition;
using definition::Fault;

constexpr size_t kMaxNamesShown = 8;

// Of a definition that somebody may not see there is a number and no name.
std::vector<std::string> NamesIn(const model::Registry& registry) {
  std::vector<std::string> names;
  for (const model::RegisteredDefinition& known : registry.definitions)
    if (!known.name.empty()) names.push_back(known.name);
  return names;
}

// "; registered: a, b and 3 more"
std::string KnownNames(std::vector<std::string> names) {
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  if (names.empty()) return "; none is registered";
  const size_t more = names.size() - std::min(names.size(), kMaxNamesShown);
  names.resize(names.size() - more);
  return fmt::format("; registered: {}{}", fmt::join(names, ", "),
                     more == 0 ? "" : fmt::format(" and {} more", more));
}

void SortByPlace(std::vector<Fault>& faults) {
  std::ranges::stable_sort(faults, [](const auto& a, const auto& b) {
    return std::pair(a.place.line, a.place.column) < std::pair(b.place.line, b.place.column);
  });
}

// All but those at places of which something is said already.
void Add(const std::vector<Fault>& more, std::vector<Fault>& faults) {
  const std::vector<Fault> before = faults;
  for (const Fault& fault : more) {
    const bool told = std::ranges::any_of(before, [&](const Fault& known) {
      return known.place.line == fault.place.line && known.place.column == fault.place.column;
    });
    if (!told) faults.push_back(fault);
  }
  SortByPlace(faults);
}

}  // namespace

Result<const model::RegisteredDefinition*> FindDefinition(const model::Registry& registry,
                                                          const std::string& name, uint32_t version,
                                                          bool startable) {
  const model::RegisteredDefinition* latest = registry.Latest(name);
  if (latest == nullptr) {
    std::vector<std::string> names = NamesIn(registry);
    const std::string near = Nearest(name, names);
    return Fail(ErrorCode::kUnknownDefinition,
                fmt::format("Expected the name of a registered definition but found \"{}\"{}", name,
                            near.empty() ? KnownNames(std::move(names))
                                         : fmt::format("; did you mean \"{}\"?", near)));
  }
  if (version != 0) {
    if (const auto* found = registry.Version(name, version)) return found;
    return Fail(ErrorCode::kUnknownDefinition,
                fmt::format("Expected one of the versions 1 to {} of \"{}\" but found {}",
                            latest->version, name, version));
  }
  if (!startable) return latest;
  const model::RegisteredDefinition* found = registry.Startable(name);
  return found != nullptr ? found : latest;
}

std::vector<Fault> CheckRunnable(const Definition& definition, const RunsHere& here) {
  std::set<std::string> types = here.tasks.types();
  for (const auto& [name, type] : here.types.all())
    if (type.schema.has_value()) types.insert(name);
  std::vector<Fault> faults =
      definition::CheckTypes(definition, types, here.stubbed, here.types.schemas());
  for (const definition::Step& step : definition.steps) {
    const tasks::TaskExecutor* executor = here.tasks.Find(step.task_type);
    if (step.kind != definition::StepKind::kTask || executor == nullptr ||
        here.stubbed.contains(step.id) || here.stubbed.contains(step.task_type))
      continue;
    for (const std::string& sentence : executor->CheckConfig(step.config.source()))
      faults.push_back(
          {ErrorCode::kTaskConfig, fmt::format("Step \"{}\": {}", step.id, sentence), step.place});
  }
  SortByPlace(faults);
  return faults;
}

definition::LoadResult Load(std::string_view text, definition::Syntax syntax, std::string_view name,
                            const RunsHere& here, const definition::TemplateSource* templates) {
  Definition rest;
  definition::LoadResult loaded = definition::Load(text, syntax, name, templates, &rest);
  std::vector<Fault> faults;
  if (!loaded.has_value()) faults = loaded.error();
  std::ranges::move(CheckRunnable(loaded.has_value() ? **loaded : rest, here),
                    std::back_inserter(faults));
  SortByPlace(faults);
  Add(loaded.has_value() ? triggers::FaultsOfTriggers(**loaded, text, syntax)
                         : triggers::FaultsOfTriggers(text, syntax),
      faults);
  if (faults.empty()) return loaded;
  return std::unexpected(std::move(faults));
}

Registered Register(runtime::Shard& shard, const RegisterRequest& request, model::Asker asker,
                    runtime::Shard::Answer answer) {
  // A draft is two records: the last of their answers is the one that counts.
  struct Answering {
    runtime::Shard::Answer answer;
    size_t awaited = 1;
    std::optional<Error> refusal;
  };
  const auto answering = std::make_shared<Answering>(std::move(answer));
  const auto answered = [answering](const Result<Position>& recorded) {
    if (!recorded.has_value() && !answering->refusal.has_value())
      answering->refusal = recorded.error();
    if (--answering->awaited > 0) return;
    answering->answer(answering->refusal.has_value()
                          ? Result<Position>(std::unexpected(*answering->refusal))
                          : recorded);
  };
  const size_t known = shard.registry().definitions.size();
  const DefinitionId id = shard.Register({definition::WriteCanonical(*request.definition),
                                          request.definition->name, request.text, request.file},
                                         asker, answered);
  const bool is_new = id.value > known;
  if (request.draft && is_new) {
    ++answering->awaited;
    shard.ChangeDefinition(id, model::DefinitionState::kDraft, "", asker, answered);
  }
  return {id, is_new};
}

}  // namespace stele::requests
