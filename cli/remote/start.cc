// `stele run` and `stele start` at a server.
#include <filesystem>

#include "cli/commands.h"
#include "cli/given.h"
#include "cli/given_start.h"
#include "cli/remote/asker.h"
#include "cli/remote/command.h"
#include "cli/remote/definitions.h"
#include "cli/remote/following.h"
#include "cli/workflow_file.h"
#include "engine/requests/definitions.h"
#include "engine/runtime/registered_templates.h"
#include "server/rpc/text.h"

namespace stele::cli {

namespace {

// What is started: a version that is registered, or a file that is to be.
struct Startable {
  std::optional<SentDefinition> file;
  std::shared_ptr<const definition::Definition> definition;
  uint32_t version = 0;
};

// The exit code when it has faults, or cannot be read.
std::optional<int> LoadFile(const std::string& path, Remote& server,
                            const model::Registry& registry, const Terminal& terminal,
                            Startable& source) {
  const auto refuse = [&](const std::vector<definition::Fault>& faults) {
    return RefuseFaulty(terminal, {{path, faults}});
  };
  auto file = ReadSentDefinition(path, /*draft=*/false);
  if (!file.has_value()) return refuse({{file.error().code, file.error().message, {}}});
  const auto faults = ValidateAtServer(server, *file);
  if (!faults.has_value()) return Refuse(terminal, faults.error());
  if (!faults->empty()) return refuse(*faults);
  const runtime::RegisteredTemplates templates(registry);
  const auto loaded = definition::Load(file->text, definition::SyntaxOf(path, file->text),
                                       std::filesystem::path(path).stem().string(), &templates);
  if (!loaded.has_value()) return refuse(loaded.error());
  source = {.file = *std::move(file), .definition = *loaded};
  return std::nullopt;
}

Status FindRegistered(const Arguments& arguments, const model::Registry& registry,
                      Startable& source) {
  const auto version = GivenNumber(arguments, "--version", 1, UINT32_MAX);
  if (!version.has_value()) return std::unexpected(version.error());
  const auto found = requests::FindDefinition(registry, arguments.operands()[0],
                                              static_cast<uint32_t>(version->value_or(0)),
                                              /*startable=*/true);
  if (!found.has_value()) return std::unexpected(found.error());
  STELE_RETURN_IF_ERROR(replay::CheckMayBeRead(**found));
  source = {.file = {}, .definition = (*found)->definition, .version = (*found)->version};
  return {};
}

void Show(const model::StartInstance& start, const Startable& source, bool unique,
          api::StartRequest::Builder to) {
  const auto text = [](const Payload& payload) {
    return payload.has_value() ? std::string(payload.text()) : std::string();
  };
  to.setDefinition(server::rpc::TextOf(source.definition->name));
  to.setVersion(source.version);
  to.setInput(server::rpc::TextOf(text(start.input)));
  auto variables = to.initVariables(static_cast<unsigned>(start.variables.size()));
  for (unsigned i = 0; i < variables.size(); ++i) {
    variables[i].setName(server::rpc::TextOf(start.variables[i].name));
    variables[i].setValue(server::rpc::TextOf(text(start.variables[i].value)));
  }
  to.setBusinessKey(server::rpc::TextOf(start.business_key));
  to.setUnique(unique);
  to.setIdempotencyKey(server::rpc::TextOf(start.idempotency_key));
  auto tags = to.initTags(static_cast<unsigned>(start.tags.size()));
  for (unsigned i = 0; i < tags.size(); ++i) tags.set(i, server::rpc::TextOf(start.tags[i]));
  to.setPriority(start.priority);
  to.setDeadline(start.deadline.value);
  to.setPaused(start.paused);
  to.setTraceParent(server::rpc::TextOf(start.trace_parent));
}

struct Started {
  InstanceId instance;
  bool known = false;
};
Result<Started> Send(Remote& server, const model::StartInstance& start, const Startable& source,
                     bool unique) {
  auto request = server.session().instancesRequest().send().getInstances().startRequest();
  Show(start, source, unique, request);
  const auto answer = server.Wait(request.send());
  if (!answer.has_value()) return std::unexpected(answer.error());
  return Started{InstanceId(answer->getStarted().getId()), answer->getStarted().getKnown()};
}

}  // namespace

int StartAtServer(const Arguments& arguments, const Terminal& terminal, bool is_file) {
  Status fits = CheckAtServer(arguments);
  if (fits.has_value()) fits = CheckVersion(arguments, is_file);
  if (!fits.has_value()) return Refuse(terminal, fits.error());
  const auto server = Remote::Open(arguments);
  if (!server.has_value()) return Refuse(terminal, server.error());
  Following following(**server, terminal, arguments, arguments.Has("--no-wait"));
  const auto registry = following.Registry();
  if (!registry.has_value()) return Refuse(terminal, registry.error());
  const std::string& operand = arguments.operands()[0];
  Startable source;
  if (is_file) {
    if (const auto code = LoadFile(operand, **server, **registry, terminal, source)) return *code;
  } else if (const Status found = FindRegistered(arguments, **registry, source);
             !found.has_value()) {
    return Refuse(terminal, found.error());
  }
  const auto start = ReadStart(arguments, terminal, *source.definition, SystemClock().Now());
  if (!start.has_value()) return Refuse(terminal, start.error());
  if (source.file.has_value()) {
    const auto registered = RegisterAtServer(**server, *source.file);
    if (!registered.has_value()) return Refuse(terminal, registered.error().error);
    source.version = registered->version;
  }
  const auto started = Send(**server, *start, source, arguments.Has("--unique"));
  if (!started.has_value()) return Refuse(terminal, started.error());
  if (started->known) terminal.PrintNote(KnownStartNote(started->instance));
  const bool waits = !arguments.Has("--no-wait");
  // What had happened when the key was used before is no news.
  if (waits && started->known)
    if (const auto now = following.Look(started->instance);
        !now.has_value() && now.error().code != ErrorCode::kForbidden)
      return Refuse(terminal, now.error());
  if (waits) {
    following.Follow(started->instance);
    following.Run();
  }
  // It is recorded, whoever may read it.
  if (waits && !following.IsUnread(started->instance)) return following.Report(true);
  ReportStarted(arguments, terminal, started->instance, source.definition->name, started->known);
  return kExitDone;
}

}  // namespace stele::cli
