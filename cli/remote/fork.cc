// `stele fork --live` and `stele reset` at a server.
#include "engine/requests/fork.h"

#include <fmt/format.h>

#include <memory>

#include "cli/commands.h"
#include "cli/given.h"
#include "cli/given_definition.h"
#include "cli/given_start.h"
#include "cli/live_fork.h"
#include "cli/remote/asker.h"
#include "cli/remote/command.h"
#include "cli/remote/definitions.h"
#include "cli/remote/following.h"
#include "cli/source.h"
#include "engine/decide/start_check.h"
#include "engine/model/snapshot.h"
#include "replay/what_if/what_if.h"
#include "server/rpc/text.h"

namespace stele::cli {

namespace {

using server::rpc::TextOf;

struct ToSend {
  std::vector<model::NamedPayload> variables;
  uint32_t version = 0;  // 0: the origin's own
  replay::When at;       // an event or a time; of neither a server would not know which one
};

void Show(const GivenFork& given, const ToSend& send, api::ForkRequest::Builder to) {
  if (send.at.time) {
    to.initMoment().setTime(send.at.time.value);
  } else {
    to.initMoment().setSeq(send.at.seq.value);
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

// Asked before anything is recorded there: a version is not registered for a fork that is refused.
Status CheckBefore(Remote& server, const model::Registry& registry, const GivenFork& given,
                   const ToSend& send, const definition::Definition& other) {
  const auto source = SourceOf(server);
  const auto machine = replay::TimeMachine::Open(*source, given.origin, registry);
  if (!machine.has_value()) return std::unexpected(machine.error());
  const auto state = requests::StateToFork(**machine, send.at);
  if (!state.has_value()) return std::unexpected(state.error());
  const definition::Definition& ran = *registry.Find((*state)->definition)->definition;
  model::ForkInstance fork{
      .origin = given.origin,
      .origin_seq = (*state)->seq,
      .state = model::ForkedState(std::make_shared<const model::Instance>(model::CopyOf(**state))),
      .variables = send.variables,
      .definition = DefinitionId(static_cast<uint32_t>(registry.definitions.size() + 1)),
      .plan = given.plan};
  if (const auto rejection = decide::RejectFork(fork, ran, &other))
    return std::unexpected<Error>(*rejection);
  return {};
}

// The version to go on in: a file is registered there, as a draft.
Result<uint32_t> VersionOf(const Arguments& arguments, const Terminal& terminal, Remote& server,
                           const model::Registry& registry, const GivenFork& given,
                           const ToSend& send,
                           const std::shared_ptr<const definition::Definition>& other) {
  model::Registry with_other;
  with_other.definitions = registry.definitions;
  const DefinitionId id = replay::IdOf(with_other, other);
  if (const auto* known = registry.Find(id)) return known->version;
  STELE_RETURN_IF_ERROR(CheckBefore(server, registry, given, send, *other));
  const auto file = ReadSentDefinition(arguments.Get("--definition"), /*draft=*/true);
  if (!file.has_value()) return std::unexpected(file.error());
  const auto registered = RegisterAtServer(server, *file);
  if (!registered.has_value()) return std::unexpected(registered.error().error);
  if (registered->is_new) terminal.PrintNote(DraftNote(registered->name, registered->version));
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
  send.at = given.at;
  if (!send.at.time && !send.at.seq) send.at.seq = now->instance->seq;
  if (const Status fits = CheckOther(*now->definition, other->get()); !fits.has_value())
    return Refuse(terminal, fits.error());
  const definition::Definition& runs = *other == nullptr ? *now->definition : **other;
  auto variables =
      GivenVariables(arguments.All("--set"), "--set NAME=JSON", runs.bodies[0].variables);
  if (!variables.has_value()) return Refuse(terminal, variables.error());
  send.variables = *std::move(variables);
  const std::vector<std::string> unknown = replay::UnknownOf(send.variables, *now->instance, runs);
  if (*other != nullptr) {
    const auto version = VersionOf(arguments, terminal, **server, **registry, given, send, *other);
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
  NoteUnknown(terminal, unknown);
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
