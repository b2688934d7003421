// `stele fork --live` and `stele reset` at a server.
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/given.h"
#include "cli/given_definition.h"
#include "cli/given_start.h"
#include "cli/live_fork.h"
#include "cli/remote/asker.h"
#include "cli/remote/command.h"
#include "cli/remote/definitions.h"
#include "cli/remote/following.h"
#include "cli/workflow_file.h"
#include "server/rpc/text.h"

namespace stele::cli {

namespace {

using server::rpc::TextOf;

struct ToSend {
  std::vector<model::NamedPayload> variables;
  uint32_t version = 0;  // 0: the origin's own
};

void Show(const GivenFork& given, const ToSend& send, api::ForkRequest::Builder to) {
  if (given.at.time) {
    to.initMoment().setTime(given.at.time.value);
  } else {
    to.initMoment().setSeq(given.at.seq.value);
  }
  auto variables = to.initVariables(static_cast<unsigned>(send.variables.size()));
  for (unsigned i = 0; i < variables.size(); ++i) {
    variables[i].setName(TextOf(send.variables[i].name));
    variables[i].setValue(TextOf(std::string(send.variables[i].value.text())));
  }
  to.setVersion(send.version);
  to.setPlan(TextOf(given.plan));
  to.setBusinessKey(TextOf(given.business_key));
  to.setUnique(given.unique);
  to.setIdempotencyKey(TextOf(given.idempotency_key));
  to.setDeadline(given.deadline.value);
  to.setPaused(given.paused);
  to.setResets(given.resets);
  to.setReason(TextOf(given.reason));
  to.setTraceParent(TextOf(given.trace_parent));
}

// The version to go on in: registered there, if it is a file.
Result<uint32_t> VersionOf(const Arguments& arguments, Remote& server,
                           const model::Registry& registry,
                           const definition::Definition& definition) {
  for (const model::RegisteredDefinition& registered : registry.definitions)
    if (registered.definition.get() == &definition) return registered.version;
  const auto file = ReadSentDefinition(arguments.Get("--definition"), /*draft=*/false);
  if (!file.has_value()) return std::unexpected(file.error());
  const auto registered = RegisterAtServer(server, *file);
  if (!registered.has_value()) return std::unexpected(registered.error().error);
  return registered->version;
}

}  // namespace

int ForkAtServer(const Arguments& arguments, const Terminal& terminal, const GivenFork& given) {
  if (const Status fits = CheckAtServer(arguments); !fits.has_value())
    return Refuse(terminal, fits.error());
  const auto server = Remote::Open(arguments);
  if (!server.has_value()) return Refuse(terminal, server.error());
  const bool waits = !arguments.Has("--no-wait");
  Following following(**server, terminal, arguments, !waits);
  const auto registry = following.Registry();
  if (!registry.has_value()) return Refuse(terminal, registry.error());
  const auto other = GivenDefinition(arguments, terminal, **registry);
  if (!other.has_value()) return other.error();
  ToSend send;
  const auto now = following.Look(given.origin);
  if (!now.has_value()) return Refuse(terminal, now.error());
  if (const Status fits = CheckOther(*now->definition, other->get()); !fits.has_value())
    return Refuse(terminal, fits.error());
  const definition::Definition& runs = *other == nullptr ? *now->definition : **other;
  auto variables =
      GivenVariables(arguments.All("--set"), "--set NAME=JSON", runs.bodies[0].variables);
  if (!variables.has_value()) return Refuse(terminal, variables.error());
  send.variables = *std::move(variables);
  if (*other != nullptr) {
    const auto version = VersionOf(arguments, **server, **registry, **other);
    if (!version.has_value()) return Refuse(terminal, version.error());
    send.version = *version;
  }
  auto instances = (*server)->session().instancesRequest().send().getInstances();
  auto get = instances.getRequest();
  get.setId(given.origin.value);
  auto request = get.send().getInstance().forkRequest();
  Show(given, send, request);
  const auto answer = (*server)->Wait(request.send());
  if (!answer.has_value()) return Refuse(terminal, answer.error());
  const InstanceId instance(answer->getStarted().getId());
  const bool known = answer->getStarted().getKnown();
  if (known) terminal.PrintNote(KnownStartNote(instance));
  if (waits && known)
    if (const auto before = following.Look(instance);
        !before.has_value() && before.error().code != ErrorCode::kForbidden)
      return Refuse(terminal, before.error());
  if (waits) {
    following.Follow(instance);
    following.Run();
  }
  if (waits && !following.IsUnread(instance)) return following.Report(true);
  ReportForked(arguments, terminal, instance, given, Seq(answer->getAt()));
  return kExitDone;
}

}  // namespace stele::cli
