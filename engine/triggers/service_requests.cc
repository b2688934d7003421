// Firings that somebody asks for: by hand, for a range of a schedule, by a request.
#include <fmt/format.h>

#include <algorithm>

#include "engine/triggers/firing_input.h"
#include "engine/triggers/service.h"

namespace stele::triggers {

namespace {

Error Unknown(TriggerId id) {
  return {ErrorCode::kUnknownTrigger, fmt::format("Expected a trigger but found no {}", id.value)};
}

// What a firing by hand starts with.
Result<Payload> InputByHand(const KnownTrigger& trigger, const Value& input, TimeUs now) {
  const bool by_hand =
      trigger.As<ManualTrigger>() != nullptr || trigger.As<ApiTrigger>() != nullptr;
  if (by_hand) {
    const Object roots{{"input", input.is_null() ? Value(Object()) : input}};
    if (const std::string why = WhyConditionsFail(*trigger.config, roots); !why.empty())
      return Fail(ErrorCode::kWrongState,
                  "Expected an input that the trigger's conditions let pass but " + why);
    return InputOf(*trigger.config, roots, input);
  }
  if (trigger.As<ScheduleTrigger>() != nullptr && input.is_null()) {
    const Object roots{{"trigger", Object{{"name", trigger.stored.name},
                                          {"scheduled_time", MomentText(now.value)}}}};
    return InputOf(*trigger.config, roots, Value());
  }
  return InputOf(TriggerConfig(), Object(), input);
}

// Of a delivery that is under way.
struct Delivering {
  Delivery delivery;
  size_t open = 1;  // the one who asks counts
  std::function<void(const Delivery&)> answer;
  void Done() {
    if (--open == 0) answer(delivery);
  }
};

// A backfill that is under way.
struct Filling {
  Backfilled done;
  size_t open = 1;
  std::optional<Error> error;
  std::function<void(const Result<Backfilled>&)> answer;
  void Filled(const Result<std::optional<InstanceId>>& started) {
    if (started.has_value()) {
      ++done.fired;
    } else if (!error) {
      error = started.error();
    }
    Done();
  }
  void Done() {
    if (--open > 0) return;
    answer(error ? Result<Backfilled>(std::unexpected(*error)) : Result<Backfilled>(done));
  }
};

WebhookRefused RefusalOf(const Error& error) {
  switch (error.code) {
    case ErrorCode::kShardStopped:
    case ErrorCode::kDefinitionState:
      return {503, error};
    case ErrorCode::kLimitExceeded:
      return {413, error};
    default:
      return {422, error};
  }
}

}  // namespace

void TriggerService::Fire(TriggerId id, const std::string& key, const Value& input,
                          model::Asker asker, Started started) {
  const model::RegisteredTrigger* registered = shard_->registry().Find(id);
  const KnownTrigger* trigger = table_.Find(id);
  if (registered == nullptr || trigger == nullptr ||
      registered->state == model::TriggerState::kRemoved)
    return started(std::unexpected(Unknown(id)));
  if (registered->state == model::TriggerState::kPaused)
    return started(
        Fail(ErrorCode::kWrongState,
             fmt::format("Expected trigger {} to be active but it is paused", id.value)));
  if (key.size() > kMaxDeduplicationKeyBytes)
    return started(Fail(ErrorCode::kLimitExceeded,
                        fmt::format("Expected a key of at most {} bytes but found {}",
                                    kMaxDeduplicationKeyBytes, key.size())));
  const TimeUs now = parts_.clock->Now();
  Result<Payload> rendered = InputByHand(*trigger, input, now);
  if (!rendered.has_value()) return started(std::unexpected(rendered.error()));
  // The registry's numbers never come again.
  const std::string name =
      key.empty() ? fmt::format("{}", shard_->registry().seq.value + 1) : "key-" + key;
  ShootOnce({.trigger = id,
             .key = std::string(kByHand) + name,
             .time = now,
             .input = *std::move(rendered),
             .at_once = true,
             .asker = asker.Keep(),
             .started = std::move(started)});
}

void TriggerService::FireSeen(TriggerId id, const std::string& key, Payload input,
                              model::Asker asker, Started started) {
  const model::RegisteredTrigger* registered = shard_->registry().Find(id);
  if (registered == nullptr) return started(std::unexpected(Unknown(id)));
  if (!IsKnown(id, key)) {
    if (registered->state != model::TriggerState::kActive)
      return started(Fail(ErrorCode::kWrongState,
                          fmt::format("Expected trigger {} to be active but found it {}", id.value,
                                      model::TriggerStateName(registered->state))));
    if (shard_->registry().Startable(registered->definition) == nullptr)
      return started(
          Fail(ErrorCode::kDefinitionState,
               fmt::format("Expected an active version of \"{}\" for trigger {} but found none",
                           registered->definition, id.value)));
  }
  ShootOnce({.trigger = id,
             .key = key,
             .time = parts_.clock->Now(),
             .input = std::move(input),
             .at_once = true,
             .asker = asker.Keep(),
             .started = std::move(started)});
}

Result<std::vector<Firing>> TriggerService::FiringsToFill(TriggerId id, TimeUs from, TimeUs to) {
  const KnownTrigger* trigger = table_.Find(id);
  if (trigger == nullptr || trigger->state == model::TriggerState::kRemoved)
    return std::unexpected(Unknown(id));
  const auto* detail = trigger->As<ScheduleTrigger>();
  if (detail == nullptr)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("Expected a schedule to backfill but trigger {} is of the kind \"{}\"",
                            id.value, trigger->kind));
  if (to <= from)
    return Fail(ErrorCode::kInvalidInput,
                "Expected the end of the range to be after its begin but found it before or at it");
  timetables_.Follow(table_);
  const int64_t now = parts_.clock->Now().value;
  // Behind that, firings come by themselves.
  int64_t last = now;
  if (const auto cursor = timetables_.CursorOf(id))
    last =
        std::max(*cursor, now - std::max(detail->catch_up_us, kPunctualUs) - detail->jitter_us - 1);
  std::vector<Firing> firings =
      ScheduleOf(*trigger).Firings(from.value, std::min(to.value, last + 1), kMaxFirings + 1);
  if (firings.size() > kMaxFirings)
    return Fail(
        ErrorCode::kLimitExceeded,
        fmt::format("Expected a range with at most {} firings but found more", kMaxFirings));
  for (const Firing& firing : firings) {
    const std::string key = MomentText(firing.scheduled_us);
    if (SecondOf(key) > trigger->purged_to || IsKnown(id, key)) continue;
    return Fail(
        ErrorCode::kWrongState,
        fmt::format("Expected a range behind {}Z but found {} in it: instances that trigger "
                    "{} had started were purged, and which of the moments up to there "
                    "have started none is not known any more",
                    trigger->purged_to, key, id.value));
  }
  return firings;
}

void TriggerService::Backfill(TriggerId id, TimeUs from, TimeUs to, model::Asker asker,
                              std::function<void(const Result<Backfilled>&)> answer) {
  const Result<std::vector<Firing>> firings = FiringsToFill(id, from, to);
  if (!firings.has_value()) return answer(std::unexpected(firings.error()));
  const KnownTrigger& trigger = *table_.Find(id);
  const Overlap overlap = trigger.As<ScheduleTrigger>()->overlap;
  const bool in_line = overlap != Overlap::kAllow && overlap != Overlap::kCancelOther;
  const size_t waiting = pending_.CountBuffered(id);
  if (in_line && waiting + firings->size() > kMaxFilling)
    return answer(Fail(ErrorCode::kLimitExceeded,
                       fmt::format("Expected at most {} firings of trigger {} in line but found {} "
                                   "that wait and {} more",
                                   kMaxFilling, id.value, waiting, firings->size())));
  auto filling = std::make_shared<Filling>();
  filling->answer = std::move(answer);
  for (const Firing& firing : *firings) {
    const std::string key = MomentText(firing.scheduled_us);
    if (IsKnown(id, key)) {
      ++filling->done.known;
      continue;
    }
    const Object roots{{"trigger", Object{{"name", trigger.stored.name}, {"scheduled_time", key}}}};
    if (!WhyConditionsFail(*trigger.config, roots).empty()) continue;
    Result<Payload> input = InputOf(*trigger.config, roots, Value());
    if (!input.has_value()) {
      filling->error = input.error();
      break;
    }
    ++filling->open;
    Shoot({.trigger = id,
           .key = key,
           .time = TimeUs(firing.scheduled_us),
           .input = *std::move(input),
           .buffered = in_line,
           .asker = asker.Keep(),
           .started = [filling](const auto& started) { filling->Filled(started); }});
  }
  filling->Done();
}

void TriggerService::Deliver(const WebhookRequest& request, model::Asker asker,
                             std::function<void(const Delivery&)> answer) {
  std::vector<WebhookConfig> configs;
  std::vector<const KnownTrigger*> triggers;
  for (const auto& [id, trigger] : table_.all()) {
    const auto* webhook = trigger.As<WebhookConfig>();
    if (webhook == nullptr || trigger.state == model::TriggerState::kRemoved) continue;
    configs.push_back(*webhook);
    triggers.push_back(&trigger);
  }
  WebhookAnswer decided = DecideWebhooks(configs, request, [this](std::string_view name) {
    return secrets_ == nullptr ? std::nullopt : secrets_->Find(name);
  });
  auto delivering = std::make_shared<Delivering>();
  delivering->answer = std::move(answer);
  delivering->delivery.refusal = std::move(decided.refusal);
  for (const auto& [index, verdict] : decided.verdicts)
    delivering->delivery.triggers.push_back({triggers[index]->id, WebhookIgnored{}});
  size_t place = 0;
  for (auto& [index, verdict] : decided.verdicts) {
    const size_t at = place++;
    ++delivering->open;
    const auto given = [delivering, at](Delivered::Verdict what) {
      delivering->delivery.triggers[at].verdict = std::move(what);
      delivering->Done();
    };
    if (auto* ignored = std::get_if<WebhookIgnored>(&verdict)) {
      given(std::move(*ignored));
    } else if (auto* refused = std::get_if<WebhookRefused>(&verdict)) {
      given(std::move(*refused));
    } else {
      FireDelivered(*triggers[index], std::get<WebhookFires>(verdict), asker, given);
    }
  }
  delivering->Done();
}

void TriggerService::FireDelivered(const KnownTrigger& trigger, const WebhookFires& fires,
                                   model::Asker asker,
                                   std::function<void(Delivered::Verdict)> given) {
  const model::Registry& registry = shard_->registry();
  // One whose removal is not durable yet still fires: what replaces it can be found no sooner.
  if (registry.Find(trigger.id)->state == model::TriggerState::kPaused)
    return given(WebhookIgnored{"the trigger is paused"});
  if (registry.Startable(trigger.definition) == nullptr)
    return given(RefusalOf(
        {ErrorCode::kDefinitionState,
         fmt::format("Expected an active version of \"{}\" but found none", trigger.definition)}));
  Result<Payload> input = InputOf(TriggerConfig(), Object(), fires.input);
  if (!input.has_value()) return given(RefusalOf(input.error()));
  // The registry's numbers never come again.
  const std::string key = fires.deduplication_key.empty()
                              ? fmt::format("new-{}", registry.seq.value + 1)
                              : "id-" + fires.deduplication_key;
  ShootOnce({.trigger = trigger.id,
             .key = key,
             .time = parts_.clock->Now(),
             .input = *std::move(input),
             .at_once = true,
             .asker = asker.Keep(),
             .trace_parent = fires.trace_parent,
             .started =
                 [key, given = std::move(given)](const Result<std::optional<InstanceId>>& started) {
                   if (!started.has_value()) return given(RefusalOf(started.error()));
                   given(Delivered::Fired{key, *started});
                 }});
}

}  // namespace stele::triggers
