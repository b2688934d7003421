// The public methods: opening, stopping, and what is registered. starting.cc, operating.cc and
// reading.cc have the others.
#include "stele/engine.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/json.h"
#include "engine/definition/load.h"
#include "engine/embed/core.h"
#include "engine/requests/definitions.h"
#include "engine/runtime/registered_templates.h"

namespace stele::embed {

namespace {

Definition ToDefinition(const model::RegisteredDefinition& registered) {
  return {registered.name, registered.version,
          std::string(model::DefinitionStateName(registered.state))};
}

}  // namespace

Engine::Engine(std::unique_ptr<Core> core) : core_(std::move(core)) {}

Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::Open(const Options& options, const std::string& directory) {
  Result<std::unique_ptr<Core>> core = Core::Open(options, directory);
  if (!core.has_value()) return std::unexpected(core.error());
  return std::unique_ptr<Engine>(new Engine(*std::move(core)));
}

Status Engine::Stop() {
  return core_->Stop();
}

Status Engine::RegisterFunction(const std::string& task_type, TaskFunction function,
                                ExecutorOptions options) {
  if (!function)
    return Refuse(ErrorCode::kInvalidInput, "Expected a function for a task type but found none");
  return core_->AddExecutor(
      task_type,
      [core = core_.get(), function = std::move(function)]() -> std::shared_ptr<AsyncExecutor> {
        return std::make_shared<FunctionTask>(core->pool(), function);
      },
      options);
}

Status Engine::RegisterExecutor(const std::string& task_type,
                                std::unique_ptr<AsyncExecutor> executor, ExecutorOptions options) {
  if (executor == nullptr)
    return Refuse(ErrorCode::kInvalidInput, "Expected an executor for a task type but found none");
  return core_->AddExecutor(
      task_type, [shared = std::shared_ptr<AsyncExecutor>(std::move(executor))] { return shared; },
      options);
}

Status Engine::RegisterType(const std::string& name, const std::string& document) {
  const auto given = ParseObject(document, "the document of a type");
  if (!given.has_value()) return std::unexpected(given.error());
  if (const auto fits = runtime::CheckTypeName(name); !fits.has_value())
    return std::unexpected(ToError(fits.error()));
  const Value type = given->value_or(Value(Object()));
  if (const auto read = runtime::ReadCustomType(name, type); !read.has_value())
    return std::unexpected(ToError(read.error()));
  return core_->Ask<void>([&, core = core_.get()](const Core::Reply<void>& reply) {
    core->shard().ChangeSetting(std::string(runtime::kTypePrefix) + name, ToJson(type),
                                core->asker(),
                                [core, reply](const stele::Result<Position>& answer) {
                                  if (!answer.has_value())
                                    return reply(std::unexpected(ToError(answer.error())));
                                  core->ReadTypes();
                                  reply({});
                                });
  });
}

Status Engine::RegisterPlugin(std::unique_ptr<Plugin> plugin) {
  if (plugin == nullptr)
    return Refuse(ErrorCode::kInvalidInput, "Expected a plugin but found none");
  auto shared = std::make_shared<std::unique_ptr<Plugin>>(std::move(plugin));
  return core_->Ask<void>([core = core_.get(), shared](const Core::Reply<void>& reply) {
    core->feed().AddPlugin(std::move(*shared));
    reply({});
  });
}

Result<uint64_t> Engine::RegisterTrigger(const std::string& definition, const std::string& type,
                                         const std::string& config,
                                         std::unique_ptr<Trigger> trigger) {
  const auto parsed = ParseObject(config, "the config of a trigger");
  if (!parsed.has_value()) return std::unexpected(parsed.error());
  if (trigger == nullptr || type.empty())
    return Refuse(ErrorCode::kInvalidInput, "Expected a trigger with a type but found none");
  Core* core = core_.get();
  const Value document = parsed->value_or(Value(Object()));
  const Result<uint64_t> number =
      core->Ask<uint64_t>([&, core](const Core::Reply<uint64_t>& reply) {
        core->triggers().Find(definition, type, document, reply);
      });
  if (!number.has_value()) return number;
  // What the trigger holds may outlive the engine: the door tells whether it is still there.
  Fire fire = [core, door = core->door(), number = *number](
                  std::string key, const std::string& input) -> Result<uint64_t> {
    const Visit visit(*door);
    if (!visit.entered()) return RefuseStopped();
    const auto given = ParseObject(input, "the input of a firing");
    if (!given.has_value()) return std::unexpected(given.error());
    return core->Ask<uint64_t>([&, core](const Core::Reply<uint64_t>& reply) {
      core->triggers().Fire(TriggerId(static_cast<uint32_t>(number)), key,
                            given->value_or(Value(Object())), reply);
    });
  };
  if (core->triggers().Add(*number, std::move(trigger), std::move(fire), core->problem()))
    return number;
  return Refuse(
      ErrorCode::kDuplicateKey,
      fmt::format("Expected a trigger that is not registered yet but found it as {}", *number));
}

Result<Definition> Engine::RegisterText(const std::string& text, const std::string& name) {
  return core_->Ask<Definition>([&, core = core_.get()](const Core::Reply<Definition>& reply) {
    const runtime::RegisteredTemplates templates(core->shard().registry());
    const definition::LoadResult loaded =
        requests::Load(text, definition::SyntaxOf(name, text), name,
                       {core->tasks(), core->custom_types()}, &templates);
    if (!loaded.has_value()) return reply(std::unexpected(ToError(loaded.error())));
    auto id = std::make_shared<DefinitionId>();
    const requests::RegisterRequest request{.definition = *loaded, .text = text, .file = name};
    *id = requests::Register(core->shard(), request, core->asker(),
                             [core, id, reply](const stele::Result<Position>& answer) {
                               if (!answer.has_value())
                                 return reply(std::unexpected(ToError(answer.error())));
                               // What it declares is taken up behind its record.
                               core->Settle(1, [core, id, reply] {
                                 reply(ToDefinition(*core->shard().registry().Find(*id)));
                               });
                             })
              .id;
  });
}

Result<Definition> Engine::RegisterFile(const std::string& path) {
  std::error_code ignored;
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path, ignored))
    return Refuse(ErrorCode::kIo, "Expected a definition in " + path + " but could not read it");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  return RegisterText(text, std::filesystem::path(path).stem().string());
}

Result<std::vector<Definition>> Engine::Definitions() {
  using Found = std::vector<Definition>;
  return core_->Ask<Found>([core = core_.get()](const Core::Reply<Found>& reply) {
    Found found;
    for (const model::RegisteredDefinition& each : core->shard().registry().definitions)
      found.push_back(ToDefinition(each));
    core->shard().WhenDurable([reply, found](const stele::Result<Position>& answer) {
      if (!answer.has_value()) return reply(std::unexpected(ToError(answer.error())));
      reply(found);
    });
  });
}

Status Engine::Elapse() {
  return core_->Ask<void>([core = core_.get()](const Core::Reply<void>& reply) {
    core->Elapse([reply] { reply({}); });
  });
}

Result<uint64_t> Engine::Continue() {
  Core* core = core_.get();
  const Result<uint64_t> resumed = core->Ask<uint64_t>([core](const Core::Reply<uint64_t>& reply) {
    core->TakeUpTypes();
    const size_t count = core->shard().Resume(core->asker());
    if (const auto begun = core->BeginTriggers(); !begun.has_value())
      return reply(std::unexpected(ToError(begun.error())));
    core->Settle(1, [count, reply] { reply(count); });
  });
  if (resumed.has_value()) core->triggers().StartAll(core->problem());
  return resumed;
}

}  // namespace stele::embed
