#include "server/rpc/triggers.h"

#include "server/rpc/answer.h"
#include "server/rpc/given.h"
#include "server/rpc/show.h"

namespace stele::server::rpc {

namespace {

auto ShowTrigger(auto context) {
  return [context](const TriggerStatus& status) mutable {
    Show(status, context.getResults().initTrigger());
  };
}

}  // namespace

kj::Promise<void> TriggersServer::list(ListContext context) {
  const auto params = context.getParams();
  Given given;
  given.Add(access_->Check());
  const std::string definition = given.Name(params.getDefinition(), "definition");
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  return Answer(
      access_->operations().triggers.List(access_->caller(), definition, params.getRemoved()),
      [context](const std::vector<TriggerStatus>& statuses) mutable {
        auto list = context.getResults().initTriggers(static_cast<unsigned>(statuses.size()));
        for (unsigned i = 0; i < statuses.size(); ++i) Show(statuses[i], list[i]);
      });
}

kj::Promise<void> TriggersServer::get(GetContext context) {
  if (const Status valid = access_->Check(); !valid.has_value()) return Refuse(valid.error());
  return Answer(
      access_->operations().triggers.Get(access_->caller(), TriggerId(context.getParams().getId())),
      ShowTrigger(context));
}

kj::Promise<void> TriggersServer::add(AddContext context) {
  const auto params = context.getParams();
  Given given;
  given.Add(access_->Check());
  const std::string definition = given.Name(params.getDefinition(), "definition");
  const Value trigger = given.Document(params.getTrigger(), "trigger");
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  return Answer(access_->operations().triggers.Add(access_->caller(), definition, trigger),
                ShowTrigger(context));
}

kj::Promise<void> TriggersServer::change(ChangeContext context) {
  const auto params = context.getParams();
  Given given;
  given.Add(access_->Check());
  const std::string reason = given.Text(params.getReason(), "reason");
  const auto state = StateOf(params.getState());
  if (!state.has_value()) given.Add(state.error().code, state.error().message);
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  return Answer(access_->operations().triggers.Change(access_->caller(), TriggerId(params.getId()),
                                                      *state, reason),
                ShowTrigger(context));
}

kj::Promise<void> TriggersServer::fire(FireContext context) {
  const auto params = context.getParams();
  Given given;
  given.Add(access_->Check());
  const std::string key = given.Name(params.getKey(), "key");
  const Value input = given.Document(params.getInput(), "input");
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  return Answer(
      access_->operations().triggers.Fire(access_->caller(), TriggerId(params.getId()), key, input),
      [context](const std::optional<InstanceId>& started) mutable {
        context.getResults().setInstance(started.value_or(InstanceId()).value);
      });
}

kj::Promise<void> TriggersServer::backfill(BackfillContext context) {
  const auto params = context.getParams();
  if (const Status valid = access_->Check(); !valid.has_value()) return Refuse(valid.error());
  return Answer(
      access_->operations().triggers.Backfill(access_->caller(), TriggerId(params.getId()),
                                              TimeUs(params.getFrom()), TimeUs(params.getTo())),
      [context](const triggers::Backfilled& filled) mutable {
        context.getResults().setFired(filled.fired);
        context.getResults().setKnown(filled.known);
      });
}

}  // namespace stele::server::rpc
