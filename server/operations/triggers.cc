#include "server/operations/triggers.h"

#include <fmt/format.h>

#include "base/json.h"
#include "engine/triggers/next_firing.h"

namespace stele::server {

namespace {

// A promise and the function that keeps it.
template <class T>
struct Kept {
  Promised<T> promise;
  std::function<void(Result<T>)> keep;
};

template <class T>
Kept<T> Keep() {
  auto made = kj::newPromiseAndFulfiller<Result<T>>();
  // Shared, since std::function copies.
  const auto fulfiller =
      std::make_shared<kj::Own<kj::PromiseFulfiller<Result<T>>>>(kj::mv(made.fulfiller));
  return {kj::mv(made.promise),
          [fulfiller](Result<T> result) { (*fulfiller)->fulfill(std::move(result)); }};
}

}  // namespace

Object ToJson(const TriggerStatus& status) {
  const auto time = [](TimeUs at) { return at ? Value(at.value) : Value(); };
  const auto text = [](const std::string& given) { return given.empty() ? Value() : Value(given); };
  return Object{{"id", static_cast<int64_t>(status.id.value)},
                {"definition", status.definition},
                {"name", text(status.name)},
                {"kind", status.kind},
                {"state", status.state},
                {"reason", text(status.reason)},
                {"declared", status.declared},
                {"config", status.config},
                {"path", text(status.path)},
                {"next", time(status.next)},
                {"fired", static_cast<int64_t>(status.fired)},
                {"last_outcome", text(status.last_outcome)},
                {"last_time", time(status.last_time)}};
}

TriggerStatus Triggers::StatusOf(const triggers::KnownTrigger& trigger) const {
  const model::RegisteredTrigger& registered = *desk_.registry().Find(trigger.id);
  const auto* webhook = trigger.As<triggers::WebhookConfig>();
  TriggerStatus status{.id = trigger.id,
                       .definition = trigger.definition,
                       .name = trigger.stored.name,
                       .kind = trigger.kind,
                       .state = std::string(model::TriggerStateName(trigger.state)),
                       .reason = trigger.reason,
                       .declared = trigger.stored.declared,
                       .config = trigger.stored.trigger,
                       .path = webhook == nullptr ? std::string() : webhook->path,
                       .next = {},
                       .fired = registered.fired,
                       .last_outcome = registered.last_outcome,
                       .last_time = registered.last_time};
  const auto next = triggers::NextFiringOf(trigger, desk_.Now());
  if (next.has_value()) status.next = TimeUs(next->scheduled_us);
  return status;
}

Result<const triggers::KnownTrigger*> Triggers::Find(const Caller& caller, Permission permission,
                                                     TriggerId trigger) {
  const auto& all = desk_.engine().triggers->table().all();
  const auto found = all.find(trigger);
  STELE_RETURN_IF_ERROR(
      desk_.Allow(caller, permission, found == all.end() ? "" : found->second.definition));
  if (found != all.end()) return &found->second;
  return Fail(ErrorCode::kUnknownTrigger,
              fmt::format("Expected a trigger but found no {}", trigger.value));
}

Result<std::vector<TriggerStatus>> Triggers::List(const Caller& caller,
                                                  const std::string& definition, bool removed) {
  STELE_RETURN_IF_ERROR(desk_.Allow(caller, Permission::kReadDefinitions, definition));
  const Sight sight = desk_.SightOf(caller, Permission::kReadDefinitions);
  std::vector<TriggerStatus> statuses;
  for (const auto& [id, trigger] : desk_.engine().triggers->table().all())
    if ((removed || trigger.state != model::TriggerState::kRemoved) &&
        (definition.empty() || trigger.definition == definition) && sight.Sees(trigger.definition))
      statuses.push_back(StatusOf(trigger));
  return statuses;
}

Result<TriggerStatus> Triggers::Get(const Caller& caller, TriggerId trigger) {
  const auto found = Find(caller, Permission::kReadDefinitions, trigger);
  if (!found.has_value()) return std::unexpected(found.error());
  return StatusOf(**found);
}

Promised<TriggerStatus> Triggers::Shown(TriggerId trigger, Promised<Written> written) {
  return written.then([this, trigger](Result<Written> done) -> Promised<TriggerStatus> {
    if (!done.has_value()) return Result<TriggerStatus>(std::unexpected(done.error()));
    // The table takes the change up behind the record.
    auto settled = Keep<TriggerStatus>();
    desk_.shard().Post([this, trigger, keep = settled.keep] {
      desk_.shard().Post([this, trigger, keep] {
        const auto& all = desk_.engine().triggers->table().all();
        const auto found = all.find(trigger);
        if (found == all.end())
          return keep(Fail(ErrorCode::kUnknownTrigger,
                           fmt::format("Expected a trigger but found no {}", trigger.value)));
        keep(StatusOf(found->second));
      });
    });
    return kj::mv(settled.promise);
  });
}

Promised<TriggerStatus> Triggers::Add(const Caller& caller, const std::string& definition,
                                      const Value& trigger) {
  if (const Status allowed = desk_.Allow(caller, Permission::kTrigger, definition);
      !allowed.has_value())
    return Result<TriggerStatus>(std::unexpected(allowed.error()));
  auto answering = desk_.Await();
  const TriggerId id = desk_.engine().triggers->Add(definition, trigger, AskerOf(caller),
                                                    std::move(answering.answer));
  return Shown(id, kj::mv(answering.promise));
}

Promised<TriggerStatus> Triggers::Replace(const Caller& caller, TriggerId old,
                                          const Value& trigger) {
  if (const auto found = Find(caller, Permission::kTrigger, old); !found.has_value())
    return Result<TriggerStatus>(std::unexpected(found.error()));
  auto answering = desk_.Await();
  const TriggerId id =
      desk_.engine().triggers->Replace(old, trigger, AskerOf(caller), std::move(answering.answer));
  return Shown(id, kj::mv(answering.promise));
}

Promised<TriggerStatus> Triggers::Change(const Caller& caller, TriggerId trigger,
                                         model::TriggerState state, const std::string& reason) {
  if (const auto found = Find(caller, Permission::kTrigger, trigger); !found.has_value())
    return Result<TriggerStatus>(std::unexpected(found.error()));
  auto answering = desk_.Await();
  desk_.engine().triggers->Change(trigger, state, reason, AskerOf(caller),
                                  std::move(answering.answer));
  return Shown(trigger, kj::mv(answering.promise));
}

Promised<std::optional<InstanceId>> Triggers::Fire(const Caller& caller, TriggerId trigger,
                                                   const std::string& key, const Value& input) {
  using Started = std::optional<InstanceId>;
  if (const auto found = Find(caller, Permission::kTrigger, trigger); !found.has_value())
    return Result<Started>(std::unexpected(found.error()));
  auto kept = Keep<Started>();
  desk_.engine().triggers->Fire(
      trigger, key, input, AskerOf(caller),
      [keep = kept.keep](const Result<Started>& started) { keep(started); });
  return kj::mv(kept.promise);
}

Promised<triggers::Backfilled> Triggers::Backfill(const Caller& caller, TriggerId trigger,
                                                  TimeUs from, TimeUs to) {
  if (const auto found = Find(caller, Permission::kTrigger, trigger); !found.has_value())
    return Result<triggers::Backfilled>(std::unexpected(found.error()));
  auto kept = Keep<triggers::Backfilled>();
  desk_.engine().triggers->Backfill(
      trigger, from, to, AskerOf(caller),
      [keep = kept.keep](const Result<triggers::Backfilled>& filled) { keep(filled); });
  return kj::mv(kept.promise);
}

Promised<triggers::Delivery> Triggers::Deliver(const triggers::WebhookRequest& request,
                                               const model::KeptAsker& asker) {
  auto kept = Keep<triggers::Delivery>();
  desk_.engine().triggers->Deliver(
      request, asker, [keep = kept.keep](const triggers::Delivery& delivery) { keep(delivery); });
  return kj::mv(kept.promise);
}

}  // namespace stele::server
