#include "server/operations/what_if.h"

#include <fmt/format.h>

#include <utility>

#include "base/json.h"
#include "engine/definition/load.h"
#include "engine/runtime/registered_templates.h"
#include "replay/what_if/what_if.h"
#include "server/operations/limits.h"

namespace stele::server {

namespace {

using Given = std::shared_ptr<const definition::Definition>;

Result<Given> Load(const std::string& text, const std::string& name,
                   const model::Registry& registry) {
  const runtime::RegisteredTemplates templates(registry);
  const auto loaded = definition::Load(text, definition::SyntaxOf("", text), name, &templates);
  if (loaded.has_value()) return *loaded;
  const definition::Fault& fault = loaded.error().front();
  return Fail(fault.code, definition::FormatFault("definition", fault));
}

// What the thread needs: nothing of it is shared with the loop.
struct Question {
  const eventstore::EventStore& store;
  const ShardId shard;
  InstanceId instance;
  std::string name;  // of its definition
  std::shared_ptr<const model::Registry> registry;
  WhatIfRequest request;

  Result<Object> Answer() const;
  Result<DefinitionId> Target(model::Registry& registry) const;
};

// A text is added to the registry, which is a copy then.
Result<DefinitionId> Question::Target(model::Registry& registry) const {
  if (!request.definition.empty()) {
    const auto loaded = Load(request.definition, name, registry);
    if (!loaded.has_value()) return std::unexpected(loaded.error());
    return replay::IdOf(registry, *loaded);
  }
  const model::RegisteredDefinition* found = registry.Version(name, request.version);
  if (found != nullptr) return found->id;
  return Fail(ErrorCode::kUnknownDefinition,
              fmt::format("Expected a version of \"{}\" but found no {}", name, request.version));
}

Result<Object> Question::Answer() const {
  const replay::StoreSource source(store, shard);
  replay::WhatIf what_if{.instance = instance, .at = request.at, .plan = request.plan};
  what_if.limits = {.more_records = kMaxWhatIfRecords,
                    .more_events = kMaxWhatIfEvents,
                    .recorded_bytes = kMaxWhatIfBytes};
  what_if.variables = [&](const definition::Definition&) {
    std::vector<model::NamedPayload> named;
    for (const Member& member : request.variables)
      named.push_back({member.key, Payload::FromValue(member.value)});
    return named;
  };
  for (const Member& member : request.stubs) {
    if (!member.value.is_object())
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("Expected an object as the output of the stub \"{}\" but found {}",
                              member.key, KindName(member.value.kind())));
    what_if.stubs.push_back({member.key, Payload::FromValue(member.value)});
  }
  const model::Registry* known = registry.get();
  model::Registry own;
  if (!request.definition.empty() || request.version != 0) {
    own = *registry;
    known = &own;
    const auto target = Target(own);
    if (!target.has_value()) return std::unexpected(target.error());
    what_if.definition = *target;
  }
  const auto report = replay::AskWhatIf(source, *known, what_if);
  if (!report.has_value()) return std::unexpected(report.error());
  return replay::ToJson(*report);
}

}  // namespace

Promised<Object> AskWhatIf(Desk& desk, Instances& instances, const Caller& caller,
                           InstanceId instance, WhatIfRequest request) {
  const auto refuse = [](const Error& error) { return Result<Object>(std::unexpected(error)); };
  const auto name = instances.Allow(caller, Permission::kRead, instance);
  if (!name.has_value()) return refuse(name.error());
  if (request.version != 0 && !request.definition.empty())
    return refuse(
        {ErrorCode::kBadRequest, "Expected one of version and definition but found both"});
  if (!request.definition.empty())
    if (const Status allowed = desk.Allow(caller, Permission::kReadDefinitions, *name, instance);
        !allowed.has_value())
      return refuse(allowed.error());
  return desk.ReadLong(
      [question = Question{desk.store(), desk.engine().shard_id, instance, *name,
                           desk.Definitions(), std::move(request)}] { return question.Answer(); });
}

}  // namespace stele::server
