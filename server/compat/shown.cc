#include "server/compat/shown.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>

namespace stele::server::compat {

namespace {

constexpr std::chrono::milliseconds kPatience{5'000};

}  // namespace

Value MomentOf(TimeUs at) {
  if (!at) return {};
  const std::chrono::sys_time<std::chrono::microseconds> time{std::chrono::microseconds(at.value)};
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}Z", std::chrono::floor<std::chrono::seconds>(time));
}

std::string_view WordOf(std::string_view status) {
  if (status == "queued") return "pending";
  if (status == "terminated") return "cancelled";
  for (const std::string_view same : {"paused", "completed", "failed", "cancelled"})
    if (status == same) return same;
  return "running";
}

std::vector<std::string> StatusesOf(std::string_view word) {
  if (word == "pending") return {"queued"};
  if (word == "running") return {"running", "waiting", "parked", "compensating"};
  if (word == "cancelled") return {"cancelled", "terminated"};
  return {std::string(word)};
}

std::optional<DefinitionId> NumberOf(const model::Registry& registry, std::string_view name) {
  const model::RegisteredDefinition* first = registry.Version(name, 1);
  return first == nullptr ? std::nullopt : std::optional(first->id);
}

Result<const model::RegisteredDefinition*> FindWorkflow(const model::Registry& registry,
                                                        uint64_t number) {
  const model::RegisteredDefinition* given =
      number > UINT32_MAX ? nullptr : registry.Find(DefinitionId(static_cast<uint32_t>(number)));
  if (given != nullptr)
    if (const auto* newest = registry.Latest(given->name);
        newest->state != model::DefinitionState::kRetired)
      return newest;
  return Fail(ErrorCode::kUnknownDefinition,
              fmt::format("Expected the number of a workflow but found {}", number));
}

Result<const model::RegisteredDefinition*> FindWorkflow(const Operations& operations,
                                                        const rest::Call& call,
                                                        std::string_view param) {
  const auto number = call.NumberParam(param, UINT32_MAX);
  if (!number.has_value()) return std::unexpected(number.error());
  return FindWorkflow(operations.desk.registry(), *number);
}

projections::Freshness Current() {
  projections::Freshness freshness;
  freshness.patience = kPatience;
  return freshness;
}

Promised<DefinitionStatus> ChangeVersions(const Operations& operations, const Caller& caller,
                                          const std::string& name, model::DefinitionState to,
                                          FitsVersion fits) {
  Definitions& definitions = operations.definitions;
  const auto versions = definitions.List(caller, name);
  if (!versions.has_value()) return Result<DefinitionStatus>(std::unexpected(versions.error()));
  auto changes = kj::Vector<Promised<DefinitionStatus>>();
  for (const DefinitionStatus& version : *versions)
    if (const auto state = model::FindDefinitionState(version.state);
        state.has_value() && *state != to && fits(*state))
      changes.add(definitions.Change(caller, name, version.version, to, ""));
  return kj::joinPromises(changes.releaseAsArray())
      .then([&definitions, caller,
             name](kj::Array<Result<DefinitionStatus>> changed) -> Result<DefinitionStatus> {
        for (const Result<DefinitionStatus>& one : changed)
          if (!one.has_value()) return one;
        return definitions.Get(caller, name, 0);
      });
}

const Value* FindRun(const Array& steps, RunId run) {
  for (const Value& step : steps)
    if (NumberMember(step, "run") == static_cast<int64_t>(run.value)) return &step;
  return nullptr;
}

Value MemberOr(const Value& object, std::string_view name, Value otherwise) {
  const Value* member = object.Find(name);
  return member != nullptr && member->kind() == otherwise.kind() ? *member : otherwise;
}

std::string TextMember(const Value& object, std::string_view name) {
  const Value* member = object.Find(name);
  return member != nullptr && member->is_string() ? member->as_string() : std::string();
}

int64_t NumberMember(const Value& object, std::string_view name) {
  const Value* member = object.Find(name);
  return member != nullptr && member->is_int() ? member->as_int() : 0;
}

}  // namespace stele::server::compat
