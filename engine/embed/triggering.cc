// Triggers that Stele runs: which there are, and what is asked of them.
#include <fmt/format.h>

#include "base/json.h"
#include "engine/embed/core.h"
#include "engine/triggers/next_firing.h"

namespace stele::embed {

namespace {

int64_t NextOf(const triggers::KnownTrigger& trigger, TimeUs now) {
  const auto next = triggers::NextFiringOf(trigger, now);
  return next.has_value() ? next->scheduled_us : 0;
}

TriggerInfo ToInfo(const triggers::KnownTrigger& trigger,
                   const model::RegisteredTrigger& registered, TimeUs now) {
  const auto* webhook = trigger.As<triggers::WebhookConfig>();
  return {.id = trigger.id.value,
          .definition = trigger.definition,
          .name = trigger.stored.name,
          .kind = trigger.kind,
          .state = std::string(model::TriggerStateName(trigger.state)),
          .reason = trigger.reason,
          .declared = trigger.stored.declared,
          .config = trigger.stored.trigger.is_object() ? ToJson(trigger.stored.trigger)
                                                       : registered.config,
          .path = webhook == nullptr ? std::string() : webhook->path,
          .next_us = NextOf(trigger, now),
          .fired = registered.fired,
          .last = registered.last_outcome};
}

WebVerdict ToVerdict(const triggers::Delivered& delivered) {
  WebVerdict verdict{.trigger = delivered.trigger.value};
  if (const auto* fired = std::get_if<triggers::Delivered::Fired>(&delivered.verdict)) {
    verdict.verdict = "fired";
    if (fired->instance) verdict.instance = fired->instance->value;
  } else if (const auto* ignored = std::get_if<triggers::WebhookIgnored>(&delivered.verdict)) {
    verdict.verdict = "ignored";
    verdict.reason = ignored->reason;
  } else {
    verdict.verdict = "refused";
    verdict.reason = std::get<triggers::WebhookRefused>(delivered.verdict).error.ToString();
  }
  return verdict;
}

WebAnswer ToAnswer(const triggers::Delivery& delivery) {
  WebAnswer answer;
  if (delivery.refusal.has_value()) {
    answer.status = delivery.refusal->status;
    answer.error = ToError(delivery.refusal->error);
  }
  for (const triggers::Delivered& delivered : delivery.triggers)
    answer.triggers.push_back(ToVerdict(delivered));
  return answer;
}

stele::Result<TriggerId> ToId(uint64_t number) {
  if (number == 0 || number > UINT32_MAX)
    return Fail(ErrorCode::kUnknownTrigger,
                fmt::format("Expected a trigger but found no {}", number));
  return TriggerId(static_cast<uint32_t>(number));
}

}  // namespace

Result<std::vector<TriggerInfo>> Engine::Triggers(bool removed) {
  using Found = std::vector<TriggerInfo>;
  return core_->Ask<Found>([core = core_.get(), removed](const Core::Reply<Found>& reply) {
    Found found;
    for (const auto& [id, trigger] : core->service().table().all())
      if (removed || trigger.state != model::TriggerState::kRemoved)
        found.push_back(ToInfo(trigger, *core->shard().registry().Find(id), core->clock().Now()));
    reply(std::move(found));
  });
}

Result<uint64_t> Engine::AddTrigger(const std::string& definition, const std::string& trigger) {
  const auto given = ParseObject(trigger, "a trigger");
  if (!given.has_value()) return std::unexpected(given.error());
  return core_->Ask<uint64_t>([&, core = core_.get()](const Core::Reply<uint64_t>& reply) {
    auto id = std::make_shared<TriggerId>();
    *id = core->service().Add(definition, given->value_or(Value(Object())), core->asker(),
                              [core, id, reply](const stele::Result<Position>& answer) {
                                if (!answer.has_value())
                                  return reply(std::unexpected(ToError(answer.error())));
                                core->Settle(1, [id, reply] { reply(id->value); });
                              });
  });
}

Status Engine::ChangeTrigger(uint64_t trigger, const std::string& state,
                             const std::string& reason) {
  const auto id = ToId(trigger);
  if (!id.has_value()) return std::unexpected(ToError(id.error()));
  return core_->Ask<void>([&, core = core_.get()](const Core::Reply<void>& reply) {
    core->service().Change(*id, *model::FindTriggerState(state), reason, core->asker(),
                           [core, reply](const stele::Result<Position>& answer) {
                             if (!answer.has_value())
                               return reply(std::unexpected(ToError(answer.error())));
                             core->Settle(1, [reply] { reply({}); });
                           });
  });
}

Status Engine::PauseTrigger(uint64_t trigger, const std::string& reason) {
  return ChangeTrigger(trigger, "paused", reason);
}

Status Engine::ResumeTrigger(uint64_t trigger, const std::string& reason) {
  return ChangeTrigger(trigger, "active", reason);
}

Status Engine::RemoveTrigger(uint64_t trigger, const std::string& reason) {
  return ChangeTrigger(trigger, "removed", reason);
}

Result<uint64_t> Engine::FireTrigger(uint64_t trigger, const std::string& key,
                                     const std::string& input) {
  const auto id = ToId(trigger);
  if (!id.has_value()) return std::unexpected(ToError(id.error()));
  const auto given = ParseObject(input, "the input of a firing");
  if (!given.has_value()) return std::unexpected(given.error());
  return core_->Ask<uint64_t>([&, core = core_.get()](const Core::Reply<uint64_t>& reply) {
    core->TakeUpTypes();
    core->service().Fire(*id, key, given->value_or(Value()), core->asker(),
                         [reply](const stele::Result<std::optional<InstanceId>>& started) {
                           if (!started.has_value())
                             return reply(std::unexpected(ToError(started.error())));
                           reply(started->value_or(InstanceId()).value);
                         });
  });
}

Result<Backfilled> Engine::Backfill(uint64_t trigger, int64_t from_us, int64_t to_us) {
  const auto id = ToId(trigger);
  if (!id.has_value()) return std::unexpected(ToError(id.error()));
  return core_->Ask<Backfilled>([&, core = core_.get()](const Core::Reply<Backfilled>& reply) {
    core->TakeUpTypes();
    core->service().Backfill(*id, TimeUs(from_us), TimeUs(to_us), core->asker(),
                             [reply](const stele::Result<triggers::Backfilled>& filled) {
                               if (!filled.has_value())
                                 return reply(std::unexpected(ToError(filled.error())));
                               reply(Backfilled{filled->fired, filled->known});
                             });
  });
}

Result<WebAnswer> Engine::Deliver(const WebRequest& request) {
  return core_->Ask<WebAnswer>([&, core = core_.get()](const Core::Reply<WebAnswer>& reply) {
    core->TakeUpTypes();
    core->service().Deliver(
        {request.method, request.path, request.query, request.headers, request.body}, core->asker(),
        [reply](const triggers::Delivery& delivery) { reply(ToAnswer(delivery)); });
  });
}

}  // namespace stele::embed
