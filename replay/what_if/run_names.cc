#include "replay/what_if/run_names.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace stele::replay {

namespace {

char MarkOf(model::Purpose purpose) {
  switch (purpose) {
    case model::Purpose::kNormal:
      return '/';
    case model::Purpose::kFallback:
      return '|';
    case model::Purpose::kCompensation:
      return '!';
  }
  return '/';
}

}  // namespace

RunNames::RunNames(const model::Instance& parted, const definition::Definition& definition)
    : old_run_(parted.last_run), old_scope_(parted.last_scope) {
  for (const definition::Step& step : definition.steps) steps_.push_back(step.id);
}

void RunNames::Note(const model::Event& event, const definition::Definition* migrated_to) {
  if (const auto* activated = std::get_if<model::StepActivated>(&event)) {
    std::string name = NameOf(activated->scope);
    name += MarkOf(activated->purpose);
    name += StepName(activated->step);
    if (activated->of) name += fmt::format("({})", NameOf(activated->of));
    run_of_.emplace(runs_.emplace_back(Numbered(std::move(name))), activated->run);
  } else if (const auto* opened = std::get_if<model::ScopeOpened>(&event)) {
    std::string name = fmt::format("{}[{}]", NameOf(opened->run), opened->index);
    scope_of_.emplace(scopes_.emplace_back(Numbered(std::move(name))), opened->scope);
  } else if (const auto* migrated = std::get_if<model::InstanceMigrated>(&event)) {
    CHECK(migrated_to != nullptr, "no definition {}", migrated->definition.value);
    Migrate(*migrated, *migrated_to);
  }
}

void RunNames::Migrate(const model::InstanceMigrated& event, const definition::Definition& to) {
  std::vector<std::string> names;
  for (const definition::Step& step : to.steps) names.push_back(step.id);
  for (size_t old = 0; old < event.steps.size(); ++old)
    if (event.steps[old].value != kNoIndex) names[event.steps[old].value] = steps_[old];
  steps_ = std::move(names);
}

RunId RunNames::CounterpartOf(RunId run, const RunNames& other) const {
  if (run <= old_run_) return run;
  if (run.value - old_run_.value > runs_.size()) return RunId();
  const auto found = other.run_of_.find(runs_[run.value - old_run_.value - 1]);
  return found == other.run_of_.end() ? RunId() : found->second;
}

std::optional<ScopeId> RunNames::CounterpartOf(ScopeId scope, const RunNames& other) const {
  if (scope <= old_scope_) return scope;
  if (scope.value - old_scope_.value > scopes_.size()) return std::nullopt;
  const auto found = other.scope_of_.find(scopes_[scope.value - old_scope_.value - 1]);
  if (found == other.scope_of_.end()) return std::nullopt;
  return found->second;
}

std::optional<StepIndex> RunNames::FindStep(std::string_view name) const {
  const auto found = std::ranges::find(steps_, name);
  if (found == steps_.end()) return std::nullopt;
  return StepIndex(static_cast<uint32_t>(found - steps_.begin()));
}

std::string RunNames::NameOf(RunId run) const {
  return run <= old_run_ ? fmt::format("#{}", run.value) : runs_[run.value - old_run_.value - 1];
}

std::string RunNames::NameOf(ScopeId scope) const {
  return scope <= old_scope_ ? fmt::format("@{}", scope.value)
                             : scopes_[scope.value - old_scope_.value - 1];
}

std::string RunNames::Numbered(std::string name) {
  const uint32_t times = ++times_[name];
  return times == 1 ? name : fmt::format("{}~{}", name, times);
}

}  // namespace stele::replay
