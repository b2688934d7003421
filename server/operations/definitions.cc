#include "server/operations/definitions.h"

#include <fmt/format.h>
#include <kj/vector.h>

#include "base/check.h"
#include "base/json.h"
#include "engine/requests/definitions.h"
#include "engine/runtime/registered_templates.h"
#include "server/operations/worker_types.h"

namespace stele::server {

namespace {

DefinitionStatus StatusOf(const model::RegisteredDefinition& registered) {
  return {.id = registered.id,
          .name = registered.name,
          .version = registered.version,
          .state = std::string(model::DefinitionStateName(registered.state)),
          .reason = registered.reason,
          .description = registered.definition->description,
          .registered = registered.registered,
          .is_new = false,
          .position = {}};
}

Refused RefusedFor(std::vector<definition::Fault> faults) {
  CHECK(!faults.empty(), "a definition is refused without a fault");
  return {{faults[0].code,
           faults.size() == 1
               ? definition::FormatFault("definition", faults[0])
               : fmt::format("Expected a definition without faults but found {}: {}", faults.size(),
                             definition::FormatFault("definition", faults[0]))},
          std::move(faults)};
}

Value WorkerType() {
  return Object{{"worker", true}};
}

// What a definition that was loaded says; nothing of one that says nothing.
std::optional<DefinitionPermissions> GivenBy(const definition::Definition& loaded) {
  const Value* given = loaded.extra.is_object() ? loaded.extra.Find("permissions") : nullptr;
  if (given == nullptr) return std::nullopt;
  auto read = ReadPermissions(*given);
  CHECK(read.has_value(), "permissions that cannot be read were loaded");
  return *std::move(read);
}

// Another version says anew who may do what: not by somebody whom this one keeps from it.
Status AllowLoaded(Desk& desk, const Caller& caller, const definition::Definition& loaded) {
  STELE_RETURN_IF_ERROR(desk.Allow(caller, Permission::kDefine, loaded.name));
  const auto given = GivenBy(loaded);
  return desk.AllowPermissions(caller, loaded.name, given.has_value() ? &*given : nullptr);
}

// The version whose permissions count when `changed` is in that state.
const model::RegisteredDefinition& CountingAfter(const model::Registry& registry,
                                                 const model::RegisteredDefinition& changed,
                                                 model::DefinitionState state) {
  const model::RegisteredDefinition* newest = &changed;
  const model::RegisteredDefinition* active = nullptr;
  for (const model::RegisteredDefinition& one : registry.definitions) {
    if (one.name != changed.name) continue;
    newest = &one;
    const auto after = one.id == changed.id ? state : one.state;
    if (after == model::DefinitionState::kActive) active = &one;
  }
  return active != nullptr ? *active : *newest;
}

// What the text is where those types are registered.
definition::LoadResult LoadWith(Desk& desk, const DefinitionText& text,
                                const runtime::CustomTypes& types) {
  const runtime::RegisteredTemplates templates(desk.registry());
  definition::LoadResult loaded =
      requests::Load(text.text, text.syntax, text.name, {*desk.engine().tasks, types}, &templates);
  if (!loaded.has_value()) return loaded;
  const Value& extra = (*loaded)->extra;
  const Value* permissions = extra.is_object() ? extra.Find("permissions") : nullptr;
  if (permissions == nullptr) return loaded;
  if (const auto read = ReadPermissions(*permissions); !read.has_value())
    return std::unexpected(
        std::vector<definition::Fault>{{read.error().code, read.error().message, {}}});
  return loaded;
}

// The registered types, and those as types that workers do.
runtime::CustomTypes TypesWith(const runtime::CustomTypes& registered,
                               const std::set<std::string>& missing) {
  model::Registry registry;
  const auto add = [&registry](const std::string& name, const Value& document) {
    registry.settings[std::string(runtime::kTypePrefix) + name] = stele::ToJson(document);
  };
  for (const auto& [name, type] : registered.all()) add(name, type.document);
  for (const std::string& name : missing) add(name, WorkerType());
  return runtime::CustomTypes(registry);
}

}  // namespace

Object ToJson(const DefinitionStatus& status) {
  const auto text = [](const std::string& given) { return given.empty() ? Value() : Value(given); };
  return Object{{"name", status.name},
                {"version", static_cast<int64_t>(status.version)},
                {"state", status.state},
                {"reason", text(status.reason)},
                {"description", text(status.description)},
                {"registered", status.registered.value}};
}

definition::LoadResult Definitions::Load(const DefinitionText& text) const {
  return LoadWith(desk_, text, *desk_.engine().types);
}

Judged<Definitions::Valid> Definitions::Validate(const Caller& caller, const DefinitionText& text) {
  if (const Status allowed = desk_.Allow(caller, Permission::kReadDefinitions);
      !allowed.has_value())
    return std::unexpected(Refused{allowed.error(), {}});
  definition::LoadResult loaded = Load(text);
  if (!loaded.has_value()) return std::unexpected(RefusedFor(std::move(loaded.error())));
  return Valid{(*loaded)->name, (*loaded)->steps.size()};
}

kj::Promise<Judged<DefinitionStatus>> Definitions::Register(const Caller& caller,
                                                            const DefinitionText& text) {
  using Answer = Judged<DefinitionStatus>;
  // Not before it is known by which name: who may define only some is told of no others' faults.
  if (const Status allowed = desk_.Allow(caller, Permission::kDefine); !allowed.has_value())
    return Answer(std::unexpected(Refused{allowed.error(), {}}));
  definition::LoadResult loaded = Load(text);
  if (!loaded.has_value()) return Answer(std::unexpected(RefusedFor(std::move(loaded.error()))));
  if (const Status allowed = AllowLoaded(desk_, caller, **loaded); !allowed.has_value())
    return Answer(std::unexpected(Refused{allowed.error(), {}}));
  auto answering = desk_.Await();
  const requests::Registered registered = requests::Register(
      desk_.shard(), {.definition = *loaded, .text = text.text, .file = {}, .draft = text.draft},
      AskerOf(caller), std::move(answering.answer));
  return answering.promise.then([this, registered](Result<Written> written) -> Answer {
    if (!written.has_value()) return std::unexpected(Refused{written.error(), {}});
    DefinitionStatus status = StatusOf(*desk_.registry().Find(registered.id));
    status.is_new = registered.is_new;
    status.position = written->position;
    return status;
  });
}

Result<std::vector<DefinitionStatus>> Definitions::List(const Caller& caller,
                                                        const std::string& name) {
  STELE_RETURN_IF_ERROR(desk_.Allow(caller, Permission::kReadDefinitions, name));
  if (!name.empty())
    if (const auto known = desk_.FindDefinition(caller, name, 0, false); !known.has_value())
      return std::unexpected(known.error());
  const Sight sight = desk_.SightOf(caller, Permission::kReadDefinitions);
  std::vector<DefinitionStatus> statuses;
  for (const model::RegisteredDefinition& registered : desk_.registry().definitions)
    if ((name.empty() || registered.name == name) && sight.Sees(registered.name))
      statuses.push_back(StatusOf(registered));
  return statuses;
}

Result<DefinitionStatus> Definitions::Get(const Caller& caller, const std::string& name,
                                          uint32_t version) {
  STELE_RETURN_IF_ERROR(desk_.Allow(caller, Permission::kReadDefinitions, name));
  const auto found = desk_.FindDefinition(caller, name, version, false);
  if (!found.has_value()) return std::unexpected(found.error());
  return StatusOf(**found);
}

Result<std::string> Definitions::Source(const Caller& caller, const std::string& name,
                                        uint32_t version,
                                        std::optional<definition::Dialect> dialect,
                                        definition::Syntax syntax) {
  STELE_RETURN_IF_ERROR(desk_.Allow(caller, Permission::kReadDefinitions, name));
  const auto found = desk_.FindDefinition(caller, name, version, false);
  if (!found.has_value()) return std::unexpected(found.error());
  if (!dialect.has_value()) return (*found)->source;
  return definition::Export(*(*found)->definition, *dialect, syntax);
}

Promised<DefinitionStatus> Definitions::Change(const Caller& caller, const std::string& name,
                                               uint32_t version, model::DefinitionState state,
                                               const std::string& reason) {
  const auto refuse = [](const Error& error) {
    return Result<DefinitionStatus>(std::unexpected(error));
  };
  if (const Status allowed = desk_.Allow(caller, Permission::kDefine, name); !allowed.has_value())
    return refuse(allowed.error());
  const auto found = desk_.FindDefinition(caller, name, version, false);
  if (!found.has_value()) return refuse(found.error());
  // A version that begins or ends to count opens no more than one that is registered.
  const auto& counting = CountingAfter(desk_.registry(), **found, state);
  if (const Status allowed = desk_.AllowPermissions(caller, name, desk_.PermissionsOf(counting));
      !allowed.has_value())
    return refuse(allowed.error());
  auto answering = desk_.Await();
  const DefinitionId id = (*found)->id;
  desk_.shard().ChangeDefinition(id, state, reason, AskerOf(caller), std::move(answering.answer));
  return answering.promise.then([this, id](Result<Written> written) -> Result<DefinitionStatus> {
    if (!written.has_value()) return std::unexpected(written.error());
    DefinitionStatus status = StatusOf(*desk_.registry().Find(id));
    status.position = written->position;
    return status;
  });
}

Result<Array> Definitions::Types(const Caller& caller) {
  STELE_RETURN_IF_ERROR(desk_.Allow(caller, Permission::kReadDefinitions));
  Array types;
  for (const auto& [name, type] : desk_.engine().types->all()) {
    Object document{{"type", name}};
    if (type.document.is_object())
      for (const Member& member : type.document.as_object()) document.Set(member.key, member.value);
    types.push_back(std::move(document));
  }
  return types;
}

Promised<Written> Definitions::ChangeType(const Caller& caller, const std::string& name,
                                          const std::string& document) {
  auto answering = desk_.Await();
  desk_.shard().ChangeSetting(
      std::string(runtime::kTypePrefix) + name, document, AskerOf(caller),
      [&desk = desk_, answer = std::move(answering.answer)](const Result<Position>& written) {
        // Whether or not somebody still waits to be told.
        if (written.has_value()) desk.engine().take_up_types();
        answer(written);
      });
  return kj::mv(answering.promise);
}

Promised<Written> Definitions::RegisterType(const Caller& caller, const std::string& name,
                                            const Value& document) {
  const auto refuse = [](const Error& error) { return Result<Written>(std::unexpected(error)); };
  if (const Status allowed = desk_.Allow(caller, Permission::kDefine); !allowed.has_value())
    return refuse(allowed.error());
  if (const Status fits = runtime::CheckTypeName(name); !fits.has_value())
    return refuse(fits.error());
  if (const auto type = runtime::ReadCustomType(name, document); !type.has_value())
    return refuse(type.error());
  return ChangeType(caller, name, stele::ToJson(document));
}

Promised<Written> Definitions::RemoveType(const Caller& caller, const std::string& name) {
  const auto refuse = [](const Error& error) { return Result<Written>(std::unexpected(error)); };
  if (const Status allowed = desk_.Allow(caller, Permission::kDefine); !allowed.has_value())
    return refuse(allowed.error());
  if (!desk_.engine().types->all().contains(name))
    return refuse({ErrorCode::kUnknownType,
                   fmt::format("Expected a registered type but found \"{}\"", name)});
  return ChangeType(caller, name, "");
}

kj::Promise<Judged<DefinitionStatus>> RegisterWithWorkers(Definitions& definitions, Desk& desk,
                                                          const Caller& caller,
                                                          const DefinitionText& text,
                                                          const std::set<std::string>& types) {
  using Answer = Judged<DefinitionStatus>;
  const runtime::CustomTypes& registered = *desk.engine().types;
  std::set<std::string> missing = types;
  for (const auto& [name, type] : registered.all()) missing.erase(name);
  if (missing.empty()) return definitions.Register(caller, text);
  if (const Status allowed = desk.Allow(caller, Permission::kDefine); !allowed.has_value())
    return Answer(std::unexpected(Refused{allowed.error(), {}}));
  for (const std::string& name : missing)
    if (const Status fits = runtime::CheckTypeName(name); !fits.has_value())
      return Answer(std::unexpected(Refused{fits.error(), {}}));
  definition::LoadResult loaded = LoadWith(desk, text, TypesWith(registered, missing));
  if (!loaded.has_value()) return Answer(std::unexpected(RefusedFor(std::move(loaded.error()))));
  if (const Status allowed = AllowLoaded(desk, caller, **loaded); !allowed.has_value())
    return Answer(std::unexpected(Refused{allowed.error(), {}}));
  auto made = kj::Vector<Promised<Written>>();
  for (const std::string& name : missing)
    made.add(definitions.RegisterType(caller, name, WorkerType()));
  return kj::joinPromises(made.releaseAsArray())
      .then([&definitions, caller,
             text](kj::Array<Result<Written>> all) -> kj::Promise<Judged<DefinitionStatus>> {
        for (const Result<Written>& one : all)
          if (!one.has_value()) return Answer(std::unexpected(Refused{one.error(), {}}));
        return definitions.Register(caller, text);
      });
}

}  // namespace stele::server
