// Messages and signals: what a waiting step waits for, what meets it, what is published; and the
// children of calls.
//
// A message is matched by its name and its correlation key, and goes to one wait; the shard keeps
// it until one comes. A signal is sent to one instance, which keeps it itself; it meets any wait of
// its name, whatever the key.
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "engine/decide/limits.h"
#include "engine/decide/turn.h"
#include "engine/definition/duration.h"
#include "engine/definition/moment.h"

namespace stele::decide {

namespace {

using model::Wait;
using model::WaitKind;

Problem BadWait(std::string message) {
  return {"expression", std::move(message), false};
}

// The member of that name or of its synonym; null when there is neither.
const Value* MemberOf(const Value& config, std::string_view name, std::string_view synonym = "") {
  const Value* found = config.Find(name);
  return found != nullptr || synonym.empty() ? found : config.Find(synonym);
}

// A name or a key.
std::expected<std::string, Problem> TextOf(const Value& value, std::string_view what) {
  if (value.is_number() || value.is_bool()) return ToJson(value);
  if (!value.is_string())
    return std::unexpected(
        BadWait(fmt::format("Expected a text for {} but found {}", what, KindName(value.kind()))));
  if (value.as_string().size() <= kMaxKeyBytes) return value.as_string();
  return std::unexpected(Problem{"limit",
                                 fmt::format("Expected at most {} bytes for {} but found {}",
                                             kMaxKeyBytes, what, value.as_string().size()),
                                 false});
}

std::expected<TimeUs, Problem> MomentOf(const Turn& turn, const Value& config) {
  if (const Value* after = config.Find("after")) {
    const std::optional<int64_t> delay = DurationUs(*after);
    if (!delay.has_value())
      return std::unexpected(
          BadWait(fmt::format("Expected a duration{} after which but found {}",
                              definition::DurationBound(*after), ToJson(*after))));
    return turn.now().Plus(std::min(*delay, kMaxDelayUs));
  }
  const Value* at = config.Find("at");
  const std::optional<TimeUs> time =
      at != nullptr && at->is_string() ? definition::ParseTime(at->as_string()) : std::nullopt;
  if (!time.has_value())
    return std::unexpected(BadWait(
        fmt::format("Expected a message, a signal, a duration or a time to wait for but found {}",
                    ToJson(config))));
  // A moment that has passed is over at once; 0 would mean that there is none.
  return std::max(*time, TimeUs(1));
}

// One event: {message, key} or {signal} or {after} or {at}.
std::expected<Wait, Problem> WaitOf(const Turn& turn, const Value& config) {
  Wait wait;
  const Value* message = MemberOf(config, "message");
  const Value* named = message != nullptr ? message : MemberOf(config, "signal");
  wait.kind = message != nullptr ? WaitKind::kMessage : WaitKind::kSignal;
  if (named == nullptr) {
    wait.kind = WaitKind::kTimer;
    const std::expected<TimeUs, Problem> due = MomentOf(turn, config);
    if (!due.has_value()) return std::unexpected(due.error());
    wait.due = *due;
    return wait;
  }
  std::expected<std::string, Problem> name = TextOf(*named, "the name of what is waited for");
  if (!name.has_value()) return std::unexpected(name.error());
  wait.name = *std::move(name);
  if (const Value* key = MemberOf(config, "key", "correlation_key")) {
    std::expected<std::string, Problem> text = TextOf(*key, "the correlation key");
    if (!text.has_value()) return std::unexpected(text.error());
    wait.key = *std::move(text);
  }
  return wait;
}

// A message or signal step waits for the one event that its config is.
std::expected<Wait, Problem> OnlyWaitOf(const Turn& turn, const Step& step, const Value& config) {
  const Value* name = config.Find("name");
  if (name == nullptr) return WaitOf(turn, config);
  Object event{{step.task_type == "signal" ? "signal" : "message", *name}};
  if (const Value* key = MemberOf(config, "key", "correlation_key")) event.Set("key", *key);
  return WaitOf(turn, std::move(event));
}

bool Meets(const Wait& wait, const model::Signal& signal) {
  return wait.kind != WaitKind::kTimer && wait.name == signal.name;
}

// Lets the run have the oldest signal that meets one of its waits. True when there was one.
bool TakeKeptSignal(Turn& turn, RunId id) {
  const StepRun& run = *turn.instance.FindRun(id);
  for (const model::Signal& signal : turn.instance.signals) {
    for (uint32_t i = 0; i < run.waits.size(); ++i) {
      if (!Meets(run.waits[i], signal)) continue;
      const Payload payload = signal.payload;
      turn.Emit(
          model::MessageCorrelated{.run = id, .name = signal.name, .payload = payload, .wait = i});
      EndWait(turn, id, i, payload);
      return true;
    }
  }
  return false;
}

}  // namespace

std::expected<std::vector<Wait>, Problem> WaitsOf(const Turn& turn, const Step& step,
                                                  const Value& config) {
  std::vector<Wait> waits;
  const Value* events = config.Find("events");
  if (events == nullptr) {
    std::expected<Wait, Problem> wait = OnlyWaitOf(turn, step, config);
    if (!wait.has_value()) return std::unexpected(wait.error());
    waits.push_back(*std::move(wait));
    return waits;
  }
  if (!events->is_array() || events->as_array().empty())
    return std::unexpected(
        BadWait(fmt::format("Expected a list of events but found {}", KindName(events->kind()))));
  for (const Value& event : events->as_array()) {
    std::expected<Wait, Problem> wait = WaitOf(turn, event);
    if (!wait.has_value()) return std::unexpected(wait.error());
    const Value* id = event.Find("id");
    wait->event =
        id != nullptr && id->is_string() ? id->as_string() : std::to_string(waits.size() + 1);
    waits.push_back(*std::move(wait));
  }
  return waits;
}

void BeginWait(Turn& turn, RunId run) {
  TakeKeptSignal(turn, run);
}

void EndWait(Turn& turn, RunId id, uint32_t event, const Payload& payload) {
  const StepRun& run = *turn.instance.FindRun(id);
  const std::string& name = run.waits[event].event;
  if (name.empty()) return CompleteRun(turn, id, payload);
  Object output{{"event", Value(name)}};
  if (payload.has_value()) output.Set("payload", payload.value());
  CompleteRun(turn, id, Payload::FromValue(std::move(output)));
}

void ElapseWait(Turn& turn, RunId id) {
  const StepRun& run = *turn.instance.FindRun(id);
  uint32_t first = kNoIndex;
  for (uint32_t i = 0; i < run.waits.size(); ++i) {
    if (run.waits[i].kind != WaitKind::kTimer) continue;
    if (first == kNoIndex || run.waits[i].due < run.waits[first].due) first = i;
  }
  CHECK(first != kNoIndex, "run {} waits for no timer", id.value);
  EndWait(turn, id, first, Payload());
}

void Publish(Turn& turn, RunId id) {
  const StepRun& run = *turn.instance.FindRun(id);
  const Value& config = ConfigOf(turn, run);
  const auto fail = [&](std::string message) {
    FailForGood(turn, id, BadWait(std::move(message)));
  };
  model::MessagePublished event;
  const Value* name = config.Find("name");
  if (name == nullptr || !name->is_string() || name->as_string().empty())
    return fail("Expected the name of a message to publish but found none");
  std::expected<std::string, Problem> named = TextOf(*name, "the name of a message");
  if (!named.has_value()) return FailForGood(turn, id, named.error());
  event.name = *std::move(named);
  if (const Value* key = MemberOf(config, "key", "correlation_key")) {
    std::expected<std::string, Problem> text = TextOf(*key, "the correlation key");
    if (!text.has_value()) return FailForGood(turn, id, text.error());
    event.key = *std::move(text);
  }
  if (const Value* own = config.Find("id")) {
    std::expected<std::string, Problem> text = TextOf(*own, "the message's id");
    if (!text.has_value()) return FailForGood(turn, id, text.error());
    event.message_id = *std::move(text);
  }
  if (const Value* payload = config.Find("payload")) event.payload = Payload::FromValue(*payload);
  int64_t ttl = kMessageTimeToLiveUs;
  if (const Value* given = MemberOf(config, "ttl", "time_to_live")) {
    const std::optional<int64_t> duration = DurationUs(*given);
    if (!duration.has_value())
      return fail(fmt::format("Expected a duration{} for ttl but found {}",
                              definition::DurationBound(*given), ToJson(*given)));
    ttl = std::min(*duration, kMaxDelayUs);
  }
  event.expires = turn.now().Plus(ttl);
  turn.Emit(std::move(event));
  CompleteRun(turn, id, Payload());
}

std::optional<Rejection> Signal(Turn& turn, const model::SendSignal& command) {
  if (auto rejection = RejectEnded(turn.instance)) return rejection;
  if (command.name.empty())
    return Rejection{ErrorCode::kInvalidInput, "Expected the name of a signal but found none"};
  if (auto rejection = RejectDocument(command.payload, "a signal")) return rejection;
  const model::Signal signal{command.name, command.payload};
  const auto waits = [&](const StepRun& run) {
    return run.state == RunState::kWaiting &&
           std::ranges::any_of(run.waits, [&](const Wait& wait) { return Meets(wait, signal); });
  };
  const auto run = std::ranges::find_if(turn.instance.runs, waits);
  const bool met = run != turn.instance.runs.end();
  if (!met && turn.instance.signals.size() >= kMaxKeptSignals)
    return Rejection{
        ErrorCode::kLimitExceeded,
        fmt::format("Expected at most {} signals that nothing has waited for but found as many",
                    kMaxKeptSignals)};
  turn.Emit(model::SignalReceived{command.name, command.payload});
  if (met) TakeKeptSignal(turn, run->id);
  return std::nullopt;
}

std::optional<Rejection> Correlate(Turn& turn, const model::CorrelateMessage& command) {
  if (auto rejection = RejectEnded(turn.instance)) return rejection;
  const StepRun* run = turn.instance.FindRun(command.run);
  if (run == nullptr) return NoSuchRun(turn, command.run);
  const bool waits = run->state == RunState::kWaiting && command.event < run->waits.size() &&
                     run->waits[command.event].kind == WaitKind::kMessage &&
                     run->waits[command.event].name == command.name;
  if (!waits || !command.message_position)
    return Rejection{ErrorCode::kWrongState,
                     fmt::format("Expected run {} to wait for the message \"{}\" but it does not",
                                 command.run.value, command.name)};
  turn.Emit(model::MessageCorrelated{command.run, command.name, command.payload,
                                     command.message_position, command.message_ordinal,
                                     command.event});
  EndWait(turn, command.run, command.event, command.payload);
  return std::nullopt;
}

std::optional<Rejection> Note(Turn& turn, const model::NoteChild& command) {
  if (auto rejection = RejectEnded(turn.instance)) return rejection;
  const StepRun* run = turn.instance.FindRun(command.run);
  if (run == nullptr) return NoSuchRun(turn, command.run);
  if (run->state != RunState::kAttempt || turn.StepOf(*run).task_type != "call" || run->child ||
      !command.child)
    return Rejection{ErrorCode::kWrongState,
                     fmt::format("Expected run {} to wait for its child to start but it does not",
                                 command.run.value)};
  turn.Emit(model::ChildStarted{command.run, command.child});
  return std::nullopt;
}

}  // namespace stele::decide
