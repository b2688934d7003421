#include "cli/remote/triggers.h"

#include <fmt/format.h>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/remote/asker.h"
#include "cli/remote/command.h"
#include "cli/remote/following.h"
#include "server/rpc/show.h"
#include "server/rpc/text.h"

namespace stele::cli {

namespace {

// REQUIRES: the server goes on as long as the answer.
api::Triggers::Client TriggersOf(Remote& server) {
  return server.session().triggersRequest().send().getTriggers();
}

Result<std::unique_ptr<Remote>> Open(const Arguments& arguments) {
  STELE_RETURN_IF_ERROR(CheckAtServer(arguments));
  return Remote::Open(arguments);
}

}  // namespace

Result<TriggerId> AddTriggerAtServer(const Arguments& arguments, const Object& trigger) {
  const auto server = Open(arguments);
  if (!server.has_value()) return std::unexpected(server.error());
  auto request = TriggersOf(**server).addRequest();
  request.setDefinition(server::rpc::TextOf(arguments.operands()[0]));
  request.setTrigger(server::rpc::TextOf(ToJson(Value(trigger))));
  const auto added = (*server)->Wait(request.send());
  if (!added.has_value()) return std::unexpected(added.error());
  return TriggerId(added->getTrigger().getId());
}

Status ChangeTriggerAtServer(const Arguments& arguments, TriggerId id, model::TriggerState state) {
  const auto server = Open(arguments);
  if (!server.has_value()) return std::unexpected(server.error());
  auto request = TriggersOf(**server).changeRequest();
  request.setId(id.value);
  request.setState(server::rpc::StateNumber(state));
  request.setReason(server::rpc::TextOf(arguments.Get("--reason")));
  const auto changed = (*server)->Wait(request.send());
  if (!changed.has_value()) return std::unexpected(changed.error());
  return {};
}

Result<triggers::Backfilled> BackfillAtServer(const Arguments& arguments, TriggerId id, TimeUs from,
                                              TimeUs to) {
  const auto server = Open(arguments);
  if (!server.has_value()) return std::unexpected(server.error());
  auto request = TriggersOf(**server).backfillRequest();
  request.setId(id.value);
  request.setFrom(from.value);
  request.setTo(to.value);
  const auto filled = (*server)->Wait(request.send());
  if (!filled.has_value()) return std::unexpected(filled.error());
  return triggers::Backfilled{.fired = filled->getFired(), .known = filled->getKnown()};
}

int FireTriggerAtServer(const Arguments& arguments, const Terminal& terminal, TriggerId id,
                        const Payload& input) {
  const auto server = Open(arguments);
  if (!server.has_value()) return Refuse(terminal, server.error());
  auto request = TriggersOf(**server).fireRequest();
  request.setId(id.value);
  request.setKey(server::rpc::TextOf(arguments.Get("--key")));
  if (input.has_value()) request.setInput(server::rpc::TextOf(std::string(input.text())));
  const auto fired = (*server)->Wait(request.send());
  if (!fired.has_value()) return Refuse(terminal, fired.error());
  const InstanceId instance(fired->getInstance());
  if (!instance) return ReportFired(arguments, terminal, id);
  Following following(**server, terminal, arguments);
  following.Follow(instance);
  following.Run();
  if (following.IsUnread(instance)) return ReportFired(arguments, terminal, id, instance);
  return following.Report(true);
}

}  // namespace stele::cli
