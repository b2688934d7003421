#include "engine/triggers/trigger_table.h"

#include <algorithm>

#include "base/json.h"
#include "engine/runtime/board.h"

namespace stele::triggers {

std::string StoredTrigger::ToText() const {
  Object object{{"name", name}};
  if (declared) object.Set("declared", true);
  object.Set("trigger", trigger);
  return ToJson(std::move(object));
}

std::optional<StoredTrigger> StoredTrigger::FromText(std::string_view text) {
  const Result<Value> value = ParseJson(text);
  if (!value) return std::nullopt;
  const Value* name = value->Find("name");
  const Value* trigger = value->Find("trigger");
  if (name == nullptr || !name->is_string() || trigger == nullptr || !trigger->is_object())
    return std::nullopt;
  const Value* declared = value->Find("declared");
  return StoredTrigger{.name = name->as_string(),
                       .declared = declared != nullptr && *declared == Value(true),
                       .trigger = *trigger};
}

namespace {

struct KindName {
  std::string_view operator()(const ManualTrigger&) const { return "manual"; }
  std::string_view operator()(const ApiTrigger&) const { return "api"; }
  std::string_view operator()(const ScheduleTrigger&) const { return "schedule"; }
  std::string_view operator()(const WebhookConfig& webhook) const {
    return WebhookKindName(webhook.kind);
  }
  std::string_view operator()(const EventTrigger&) const { return kEventKind; }
  std::string_view operator()(const ConditionTrigger&) const { return "condition"; }
};

void ReadConfig(KnownTrigger& trigger, std::string_view text) {
  auto stored = StoredTrigger::FromText(text);
  if (!stored) {
    trigger.fault = "It is not one of those that a definition may declare";
    return;
  }
  trigger.stored = *std::move(stored);
  TriggerSection section = ReadTriggers(Array{trigger.stored.trigger});
  if (section.triggers.empty()) {
    trigger.fault = section.faults.empty() ? "" : section.faults.front().message;
    return;
  }
  TriggerConfig config = std::move(section.triggers.front());
  config.name = trigger.stored.name;
  if (auto* webhook = std::get_if<WebhookConfig>(&config.detail); webhook && webhook->path.empty())
    webhook->path = "/hooks/" + trigger.definition + "/" + config.name;
  trigger.config = std::make_shared<const TriggerConfig>(std::move(config));
}

}  // namespace

std::string_view KindOf(const TriggerConfig& config) {
  return std::visit(KindName(), config.detail);
}

void TriggerTable::Apply(const model::Event& event, const model::RecordContext& record) {
  if (const auto* registered = std::get_if<model::TriggerRegistered>(&event)) {
    KnownTrigger& trigger = triggers_[registered->trigger];
    trigger.id = registered->trigger;
    trigger.definition = registered->definition;
    trigger.kind = registered->kind;
    trigger.since = record.time;
    ReadConfig(trigger, registered->config);
  } else if (const auto* changed = std::get_if<model::TriggerStateChanged>(&event)) {
    KnownTrigger& trigger = triggers_[changed->trigger];
    trigger.state = model::FindTriggerState(changed->state).value_or(trigger.state);
    trigger.reason = changed->reason;
    if (trigger.state == model::TriggerState::kActive) trigger.since = record.time;
  } else if (const auto* fired = std::get_if<model::TriggerFired>(&event)) {
    KnownTrigger& trigger = triggers_[fired->trigger];
    if (!fired->key.starts_with(kByHand) && fired->time > trigger.last_scheduled)
      trigger.last_scheduled = fired->time;
  } else if (const auto* purged = std::get_if<model::InstancesPurged>(&event)) {
    for (const std::string& idempotency_key : purged->firings) {
      const auto firing = runtime::FiringOf(idempotency_key);
      if (!firing.has_value() || firing->second.starts_with(kByHand)) continue;
      std::string& purged_to = triggers_[firing->first].purged_to;
      purged_to = std::max(purged_to, std::string(SecondOf(firing->second)));
    }
  }
}

const KnownTrigger* TriggerTable::Find(TriggerId id) const {
  const auto found = triggers_.find(id);
  return found == triggers_.end() ? nullptr : &found->second;
}

}  // namespace stele::triggers
