#include "engine/triggers/occurrences.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "engine/model/beginning.h"
#include "engine/triggers/firing_input.h"

namespace stele::triggers {

namespace {

template <class... Events>
bool IsOneOf(const model::Event& event) {
  return (std::holds_alternative<Events>(event) || ...);
}

bool IsOfRegistry(const model::Event& event) {
  return IsOneOf<model::DefinitionRegistered, model::DefinitionStateChanged,
                 model::TriggerRegistered, model::TriggerFired, model::TriggerStateChanged,
                 model::InstancesPurged>(event);
}

std::string KeyOfCondition(Position began) {
  return fmt::format("{}", began.value);
}

}  // namespace

bool Occurrences::Reads(const model::Event& event) {
  return IsOfRegistry(event) ||
         IsOneOf<model::InstanceStarted, model::InstanceForked, model::InstanceCompleted,
                 model::InstanceFailed, model::InstanceCancelled, model::InstanceTerminated,
                 model::InstanceRetryRequested, model::MessagePublished>(event);
}

void Occurrences::Fold(std::span<const model::Event> events, const model::RecordContext& record,
                       std::string_view definition) {
  // What had held long enough before this record fired before it.
  Elapse(record.time);
  bool look = false;
  uint32_t published = 0;
  for (const model::Event& event : events) {
    if (const auto* message = std::get_if<model::MessagePublished>(&event)) {
      FoldMessage(*message, record, published++);
    } else if (IsOfRegistry(event)) {
      table_.Apply(event, record);
      FoldTrigger(event);
      look = look || !std::holds_alternative<model::TriggerFired>(event);
    } else {
      look = FoldInstance(event, definition) || look;
    }
  }
  if (look) LookAt(record);
}

void Occurrences::FoldMessages(std::span<const model::Event> events,
                               const model::RecordContext& record) {
  uint32_t published = 0;
  for (const model::Event& event : events) {
    if (const auto* message = std::get_if<model::MessagePublished>(&event)) {
      FoldMessage(*message, record, published++);
    } else if (IsOfRegistry(event)) {
      table_.Apply(event, record);
      FoldTrigger(event);
    }
  }
}

void Occurrences::FoldTrigger(const model::Event& event) {
  if (const auto* registered = std::get_if<model::DefinitionRegistered>(&event)) {
    views_.DefinitionSeen(registered->name);
  } else if (const auto* fired = std::get_if<model::TriggerFired>(&event)) {
    std::erase_if(occurred_, [&](const Occurrence& one) {
      return one.trigger == fired->trigger && one.key == fired->key;
    });
    const auto condition = conditions_.find(fired->trigger);
    if (condition != conditions_.end() && fired->key == KeyOfCondition(condition->second.position))
      condition->second.fired = true;
  } else if (const auto* changed = std::get_if<model::TriggerStateChanged>(&event)) {
    if (changed->state == model::TriggerStateName(model::TriggerState::kRemoved))
      conditions_.erase(changed->trigger);
  }
}

bool Occurrences::FoldInstance(const model::Event& event, std::string_view definition) {
  if (model::BeginsInstance(event)) {
    views_.Started(definition);
  } else if (std::holds_alternative<model::InstanceCompleted>(event)) {
    views_.Ended(definition, model::Status::kCompleted);
  } else if (std::holds_alternative<model::InstanceFailed>(event)) {
    views_.Ended(definition, model::Status::kFailed);
  } else if (std::holds_alternative<model::InstanceCancelled>(event)) {
    views_.Ended(definition, model::Status::kCancelled);
  } else if (std::holds_alternative<model::InstanceTerminated>(event)) {
    views_.Ended(definition, model::Status::kTerminated);
  } else if (std::holds_alternative<model::InstanceRetryRequested>(event)) {
    views_.Retried(definition);
  } else {
    return false;
  }
  return true;
}

void Occurrences::FoldMessage(const model::MessagePublished& message,
                              const model::RecordContext& record, uint32_t ordinal) {
  for (const auto& [id, trigger] : table_.all()) {
    const auto* wanted = trigger.As<EventTrigger>();
    if (wanted == nullptr || !trigger.active() || wanted->event != message.name) continue;
    const Object roots{
        {"name", message.name},
        {"key", message.key},
        {"payload", message.payload.has_value() ? message.payload.value() : Value()}};
    if (!WhyConditionsFail(*trigger.config, roots).empty()) continue;
    occurred_.push_back({.trigger = id,
                         .key = KeyOfMessage(record.position, ordinal),
                         .time = record.time,
                         .input = InputOf(*trigger.config, roots, *roots.Find("payload")),
                         .message_id = message.message_id,
                         .position = record.position,
                         .ordinal = ordinal});
  }
}

void Occurrences::LookAt(const model::RecordContext& record) {
  for (const auto& [id, trigger] : table_.all())
    if (trigger.As<ConditionTrigger>() != nullptr && trigger.state != model::TriggerState::kRemoved)
      LookAt(trigger, record);
}

void Occurrences::LookAt(const KnownTrigger& trigger, const model::RecordContext& record) {
  Condition& condition = conditions_[trigger.id];
  // One that cannot be evaluated does not hold.
  const bool holds = WhyConditionsFail(*trigger.config, views_.roots()).empty();
  if (!holds) {
    condition = {};
  } else if (!condition.holds) {
    condition = {.holds = true, .since = record.time, .position = record.position};
  }
  // What begins to hold while the trigger is paused is not made up for.
  if (condition.holds && !trigger.active()) condition.fired = true;
  if (condition.holds && !condition.fired && trigger.As<ConditionTrigger>()->hold_us == 0)
    Fire(trigger, condition);
}

void Occurrences::Elapse(TimeUs now) {
  for (auto& [id, condition] : conditions_) {
    const KnownTrigger* trigger = table_.Find(id);
    if (!condition.holds || condition.fired || trigger == nullptr) continue;
    if (trigger->As<ConditionTrigger>() == nullptr) continue;
    if (condition.since.Plus(trigger->As<ConditionTrigger>()->hold_us) <= now)
      Fire(*trigger, condition);
  }
}

void Occurrences::Fire(const KnownTrigger& trigger, Condition& condition) {
  condition.fired = true;
  occurred_.push_back({.trigger = trigger.id,
                       .key = KeyOfCondition(condition.position),
                       .time = condition.since,
                       .input = InputOf(*trigger.config, views_.roots(), Value()),
                       .message_id = {},
                       .position = condition.position});
}

std::vector<Occurrence> Occurrences::Take() {
  return std::exchange(occurred_, {});
}

std::optional<TimeUs> Occurrences::NextMoment() const {
  std::optional<TimeUs> next;
  for (const auto& [id, condition] : conditions_) {
    const KnownTrigger* trigger = table_.Find(id);
    if (!condition.holds || condition.fired || trigger == nullptr) continue;
    if (trigger->As<ConditionTrigger>() == nullptr) continue;
    const TimeUs at = condition.since.Plus(trigger->As<ConditionTrigger>()->hold_us);
    if (!next || at < *next) next = at;
  }
  return next;
}

Value Occurrences::ToValue() const {
  Array conditions;
  for (const auto& [id, condition] : conditions_)
    conditions.push_back(Array{static_cast<int64_t>(id.value), condition.holds, condition.fired,
                               condition.since.value,
                               static_cast<int64_t>(condition.position.value)});
  Object state{{"views", views_.roots()}, {"conditions", std::move(conditions)}};
  Array firings;
  for (const Occurrence& one : occurred_)
    if (IsOfCondition(one))
      firings.push_back(Array{static_cast<int64_t>(one.trigger.value),
                              static_cast<int64_t>(one.position.value), one.time.value,
                              one.input.has_value() ? one.input->value() : Value()});
  if (!firings.empty()) state.Set("firings", std::move(firings));
  return state;
}

bool Occurrences::IsOfCondition(const Occurrence& one) const {
  const KnownTrigger* trigger = table_.Find(one.trigger);
  return trigger != nullptr && trigger->As<ConditionTrigger>() != nullptr;
}

// One that has no input could not have any, and has none again.
void Occurrences::RestoreFiring(const Array& parts) {
  const KnownTrigger* trigger = table_.Find(TriggerId(static_cast<uint32_t>(parts[0].as_int())));
  if (trigger == nullptr || trigger->As<ConditionTrigger>() == nullptr) return;
  const Position position(static_cast<uint64_t>(parts[1].as_int()));
  occurred_.push_back({.trigger = trigger->id,
                       .key = KeyOfCondition(position),
                       .time = TimeUs(parts[2].as_int()),
                       .input = parts[3].is_null()
                                    ? InputOf(*trigger->config, views_.roots(), Value())
                                    : Result<Payload>(Payload::FromValue(parts[3])),
                       .message_id = {},
                       .position = position});
}

bool Occurrences::Restore(const Value& state) {
  const Value* views = state.Find("views");
  const Value* conditions = state.Find("conditions");
  if (views == nullptr || !views->is_object() || conditions == nullptr || !conditions->is_array())
    return false;
  views_.Restore(views->as_object());
  conditions_.clear();
  std::erase_if(occurred_, [this](const Occurrence& one) { return IsOfCondition(one); });
  for (const Value& one : conditions->as_array()) {
    const Array& parts = one.as_array();
    conditions_[TriggerId(static_cast<uint32_t>(parts[0].as_int()))] = {
        .holds = parts[1].as_bool(),
        .fired = parts[2].as_bool(),
        .since = TimeUs(parts[3].as_int()),
        .position = Position(static_cast<uint64_t>(parts[4].as_int()))};
  }
  const Value* firings = state.Find("firings");
  if (firings != nullptr && firings->is_array())
    for (const Value& one : firings->as_array()) RestoreFiring(one.as_array());
  return true;
}

std::string KeyOfMessage(Position position, uint32_t ordinal) {
  return fmt::format("{}-{}", position.value, ordinal);
}

std::optional<Position> MessageOf(std::string_view kind, std::string_view key) {
  if (kind != kEventKind) return std::nullopt;
  uint64_t position = 0;
  uint32_t ordinal = 0;
  const char* const end = key.data() + key.size();
  const auto [dash, at] = std::from_chars(key.data(), end, position);
  if (at != std::errc() || dash == end || *dash != '-') return std::nullopt;
  const auto [rest, ordinal_at] = std::from_chars(dash + 1, end, ordinal);
  if (ordinal_at != std::errc() || rest != end) return std::nullopt;
  return Position(position);
}

}  // namespace stele::triggers
