#include "projections/views/triggers.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "base/json.h"
#include "projections/keys.h"
#include "projections/row.h"

namespace stele::projections {

namespace {

constexpr std::string_view kOther = "other";

std::string RowKey(TriggerId trigger) {
  return KeyWriter('r').Number(trigger.value).Take();
}

std::string PlaceKey(const TriggerRow& row) {
  return KeyWriter('d').Text(row.definition).Number(row.trigger.value).Take();
}

// The registry keeps a JSON object: the name, whether it is declared, the trigger as written.
void ReadConfig(TriggerRow& row) {
  const Result<Value> config = ParseJson(row.config);
  if (!config.has_value()) return;
  if (const Value* name = config->Find("name"); name != nullptr && name->is_string())
    row.name = name->as_string();
  if (const Value* declared = config->Find("declared")) row.declared = *declared == Value(true);
}

void Count(TriggerRow& row, std::string_view outcome) {
  const std::string_view word = outcome.substr(0, outcome.find_first_of(": "));
  const auto at = [&](std::string_view name) {
    return std::ranges::lower_bound(row.outcomes, name, {}, &OutcomeCount::outcome);
  };
  auto found = at(word);
  if (found == row.outcomes.end() || found->outcome != word) {
    const bool full = row.outcomes.size() >= kMaxTriggerOutcomes;
    const std::string_view name = full ? kOther : word;
    found = at(name);
    if (found == row.outcomes.end() || found->outcome != name)
      found = row.outcomes.insert(found, {std::string(name), 0});
  }
  ++found->count;
}

bool IsByHand(const model::TriggerFired& event) {
  // Keys of firings by hand; other keys of a schedule are moments (docs/triggers.md).
  return event.key.starts_with("manual-");
}

Error Unreadable() {
  return {ErrorCode::kStoreCorrupt,
          fmt::format("Expected a row of the view {} but found none that can be read; "
                      "`stele projections rebuild` makes it anew",
                      kTriggersView)};
}

bool Fits(const TriggerRow& row, const TriggerFilter& filter) {
  if (!filter.definition.empty() && row.definition != filter.definition) return false;
  if (!filter.kind.empty() && row.kind != filter.kind) return false;
  if (filter.state.has_value()) return row.state == *filter.state;
  return filter.removed || row.state != model::TriggerState::kRemoved;
}

Value Whole(uint64_t number) {
  return static_cast<int64_t>(number);
}

Value Moment(TimeUs time) {
  return time ? Value(time.value) : Value();
}

}  // namespace

std::string_view TriggersView::keys() const {
  return "d DEFINITION TRIGGER: those of a definition\n"
         "r TRIGGER: a trigger\n";
}

TriggerRow& TriggersView::RowOf(TriggerId trigger, ViewWriter& writer) {
  const auto [found, is_new] = rows_.try_emplace(trigger);
  if (is_new) {
    found->second.trigger = trigger;
    if (const auto bytes = writer.Get(RowKey(trigger)); bytes.has_value())
      CHECK(DecodeRow(*bytes, &found->second), "the row of trigger {} is none", trigger.value);
  }
  return found->second;
}

void TriggersView::OnRegistry(const model::Event& event, const model::Registry& after,
                              const RecordInfo& record, ViewWriter& writer) {
  if (const auto* registered = std::get_if<model::TriggerRegistered>(&event)) {
    TriggerRow& row = RowOf(registered->trigger, writer);
    row.definition = registered->definition;
    row.kind = registered->kind;
    row.config = registered->config;
    row.registered = row.since = record.time;
    ReadConfig(row);
  } else if (const auto* changed = std::get_if<model::TriggerStateChanged>(&event)) {
    TriggerRow& row = RowOf(changed->trigger, writer);
    row.state = model::FindTriggerState(changed->state).value_or(row.state);
    row.reason = changed->reason;
    if (row.state == model::TriggerState::kActive) row.since = record.time;
  } else if (const auto* fired = std::get_if<model::TriggerFired>(&event)) {
    TriggerRow& row = RowOf(fired->trigger, writer);
    ++row.fired;
    Count(row, fired->outcome);
    row.last_fired = std::max(row.last_fired, record.time);
    row.last_time = std::max(row.last_time, fired->time);
    if (!IsByHand(*fired)) row.last_scheduled = std::max(row.last_scheduled, fired->time);
    row.last_outcome = fired->outcome;
  }
}

void TriggersView::EndBatch(ViewWriter& writer) {
  for (const auto& [trigger, row] : rows_) {
    writer.Put(RowKey(trigger), EncodeRow(row));
    writer.Put(PlaceKey(row), "");
  }
  rows_.clear();
}

Result<std::optional<TriggerRow>> FindTrigger(const ViewReader& reader, TriggerId trigger) {
  const auto bytes = reader.Get(RowKey(trigger));
  if (!bytes.has_value()) return std::unexpected(bytes.error());
  if (!bytes->has_value()) return std::nullopt;
  TriggerRow row;
  if (!DecodeRow(**bytes, &row)) return std::unexpected(Unreadable());
  return row;
}

Result<TriggerPage> ListTriggers(const ViewReader& reader, const TriggerFilter& filter,
                                 size_t limit, TriggerId after) {
  TriggerPage page{.position = reader.position(), .triggers = {}, .next = {}};
  const std::string prefix =
      filter.definition.empty() ? "r" : KeyWriter('d').Text(filter.definition).Take();
  KeyCursor keys = reader.Keys(prefix);
  if (after) keys.Seek(prefix + RowKey(after.Next()).substr(1));
  TriggerId last = after;
  size_t looked_at = 0;
  for (; keys.valid(); keys.Next(), ++looked_at) {
    if (page.triggers.size() == limit || looked_at == kMaxTriggersLookedAt) {
      page.next = last;
      break;
    }
    last = TriggerId(static_cast<uint32_t>(KeyReader(keys.key().substr(prefix.size())).Number()));
    const auto row = FindTrigger(reader, last);
    if (!row.has_value()) return std::unexpected(row.error());
    if (!row->has_value()) return std::unexpected(Unreadable());
    if (Fits(**row, filter)) page.triggers.push_back(**row);
  }
  STELE_RETURN_IF_ERROR(keys.status());
  return page;
}

Object ToJson(const TriggerRow& row, const NextFiring& next) {
  Object outcomes;
  for (const OutcomeCount& one : row.outcomes) outcomes.Set(one.outcome, Whole(one.count));
  Object object{{"trigger", Whole(row.trigger.value)},
                {"definition", row.definition},
                {"name", row.name},
                {"kind", row.kind},
                {"declared", row.declared},
                {"state", model::TriggerStateName(row.state)}};
  if (!row.reason.empty()) object.Set("reason", row.reason);
  const Result<Value> config = ParseJson(row.config);
  const Value* written = config.has_value() ? config->Find("trigger") : nullptr;
  object.Set("config", written == nullptr ? Value(row.config) : *written);
  object.Set("registered", Moment(row.registered));
  object.Set("since", Moment(row.since));
  object.Set("fired", Whole(row.fired));
  object.Set("outcomes", std::move(outcomes));
  object.Set("last_fired", Moment(row.last_fired));
  object.Set("last_time", Moment(row.last_time));
  object.Set("last_outcome", row.last_outcome.empty() ? Value() : Value(row.last_outcome));
  const std::optional<TimeUs> at = next ? next(row) : std::nullopt;
  object.Set("next", at.has_value() ? Value(at->value) : Value());
  return object;
}

Object ToJson(const TriggerPage& page, const NextFiring& next) {
  Array triggers;
  for (const TriggerRow& row : page.triggers) triggers.push_back(ToJson(row, next));
  return {{"position", Whole(page.position.value)},
          {"triggers", std::move(triggers)},
          {"next", page.next ? Whole(page.next.value) : Value()}};
}

}  // namespace stele::projections
