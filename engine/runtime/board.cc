#include "engine/runtime/board.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace stele::runtime {

namespace {

uint64_t Number(std::string_view bytes) {
  return TakeNumber64(bytes);
}

std::string Pair(char kind, std::string_view a, std::string_view b) {
  return kind + KeyPart(a) + KeyPart(b);
}

// The higher priority sorts first; then who came first.
uint32_t QueueOrder(const model::Instance& instance) {
  return ~(static_cast<uint32_t>(instance.priority) ^ 1u << 31);
}

std::string QueueKey(std::string_view definition, std::string_view key, uint32_t order,
                     InstanceId instance) {
  return Pair('q', definition, key) + KeyPart(order) + KeyPart(instance.value);
}

std::string PlaceKey(const model::Instance& instance, std::string_view definition) {
  return Pair('r', definition, instance.concurrency_key) + KeyPart(instance.id.value);
}

std::string MessageKey(const model::MessagePublished& message, Position position,
                       uint32_t ordinal) {
  return Pair('m', message.name, message.key) + KeyPart(position.value) + KeyPart(ordinal);
}

// Of the first message with an id, as it is noted: position, ordinal, expiry.
TimeUs ExpiryOf(std::string_view first) {
  TakeNumber64(first);
  TakeNumber32(first);
  // Earlier builds did not note it.
  return first.empty() ? TimeUs(INT64_MAX) : TimeUs(static_cast<int64_t>(TakeNumber64(first)));
}

}  // namespace

struct Board::Folding {
  const model::Instance& instance;
  const definition::Definition& definition;
  std::vector<RunId>& waiting;
};

std::vector<RunId> Board::WaitingRuns(const model::Instance& instance) {
  std::vector<RunId> runs;
  for (const model::StepRun& run : instance.runs)
    if (!run.waits.empty()) runs.push_back(run.id);
  return runs;
}

void Board::Fold(const model::Instance& instance, const definition::Definition& definition,
                 std::span<const model::Event> events, const model::RecordContext& record,
                 std::vector<RunId>& waiting) {
  const Folding folding{instance, definition, waiting};
  uint32_t published = 0;
  for (const model::Event& event : events) {
    if (const auto* activated = std::get_if<model::StepActivated>(&event)) {
      if (!activated->waits.empty()) Wait(folding, activated->run, activated->waits, true);
    } else if (const auto* attempt = std::get_if<model::AttemptStarted>(&event)) {
      if (const model::StepRun* run = instance.FindRun(attempt->run); run && !run->waits.empty())
        Wait(folding, attempt->run, run->waits, false);
    } else if (const auto* started = std::get_if<model::InstanceStarted>(&event)) {
      Begin(folding, started->queued, true);
    } else if (const auto* forked = std::get_if<model::InstanceForked>(&event)) {
      Begin(folding, forked->queued, true);
      for (const model::StepRun& run : forked->state->runs)
        if (run.state == model::RunState::kWaiting) Wait(folding, run.id, run.waits, true);
    } else if (const auto* message = std::get_if<model::MessagePublished>(&event)) {
      Publish(*message, record, published++);
    } else if (const auto* met = std::get_if<model::MessageCorrelated>(&event)) {
      Consume({met->message_position, met->message_ordinal});
      EndWait(folding, met->run);
    } else if (std::holds_alternative<model::InstanceAdmitted>(event)) {
      LeaveQueue(instance, definition.name);
      Begin(folding, false, false);
    } else if (const auto* retried = std::get_if<model::InstanceRetryRequested>(&event)) {
      Begin(folding, retried->queued, false);
    } else if (std::holds_alternative<model::InstanceCompleted>(event) ||
               std::holds_alternative<model::InstanceFailed>(event) ||
               std::holds_alternative<model::InstanceCancelled>(event) ||
               std::holds_alternative<model::InstanceTerminated>(event)) {
      End(folding);
    } else if (const auto* paused = std::get_if<model::InstancePaused>(&event)) {
      if (instance.linked && paused->with_parent) notes_.Put('c' + KeyPart(instance.id.value), "");
    } else if (const auto* resumed = std::get_if<model::InstanceResumed>(&event)) {
      if (instance.linked && resumed->steps == 0) notes_.Erase('c' + KeyPart(instance.id.value));
    } else if (!waiting.empty()) {
      if (const auto* completed = std::get_if<model::StepCompleted>(&event)) {
        EndWait(folding, completed->run);
      } else if (const auto* failed = std::get_if<model::StepFailed>(&event)) {
        EndWait(folding, failed->run);
      } else if (const auto* cancelled = std::get_if<model::StepCancelled>(&event)) {
        EndWait(folding, cancelled->run);
      }
    }
  }
}

Result<std::vector<RunId>> Board::NotedWaits(InstanceId instance) const {
  const std::string prefix = 'x' + KeyPart(instance.value);
  std::vector<RunId> runs;
  STELE_RETURN_IF_ERROR(notes_.Scan(prefix, [&](std::string_view at, std::string_view) {
    at.remove_prefix(prefix.size());
    runs.emplace_back(TakeNumber32(at));
    return true;
  }));
  return runs;
}

void Board::FoldRegistry(std::span<const model::Event> events, const model::RecordContext& record) {
  uint32_t published = 0;
  for (const model::Event& event : events) {
    if (const auto* message = std::get_if<model::MessagePublished>(&event)) {
      Publish(*message, record, published++);
    } else if (const auto* fired = std::get_if<model::TriggerFired>(&event)) {
      if (fired->outcome != "start" && fired->outcome != "buffer") {
        // Given up, or never meant to start anything.
        ForgetFiring(fired->trigger, fired->key);
        continue;
      }
      notes_.Put('t' + KeyPart(fired->trigger.value) + KeyPart(fired->key),
                 KeyPart(static_cast<uint64_t>(fired->time.value)) + KeyPart(fired->outcome) +
                     std::string(fired->payload.text()));
    } else if (const auto* purged = std::get_if<model::InstancesPurged>(&event)) {
      Forget(*purged);
    }
  }
}

// The instances' records say no more which firings had started them, which messages of others they
// had met, and which came under the id of a message of theirs: those are in the log as before.
void Board::Forget(const model::InstancesPurged& purged) {
  for (const std::string& key : purged.firings)
    if (const auto firing = FiringOf(key)) ForgetFiring(firing->first, firing->second);
  for (const MessagePlace& message : purged.messages) Consume(message);
  for (const std::string& id : purged.message_ids) {
    const auto first = FirstWithId(id);
    if (!first.has_value() || !first->has_value()) continue;
    Consume(**first);
    notes_.Erase('d' + id);
  }
}

// The keys of an open instance.
void Board::Begin(const Folding& folding, bool queued, bool is_new) {
  const model::Instance& instance = folding.instance;
  const std::string& name = folding.definition.name;
  const std::string id = KeyPart(instance.id.value);
  if (!instance.business_key.empty()) Note(Pair('b', name, instance.business_key) + id, "", is_new);
  if (folding.definition.concurrency.has_value()) {
    if (queued) {
      Queue(instance, name, is_new);
    } else {
      Hold(instance, name, is_new);
    }
  }
  if (instance.idempotency_key.empty()) return;
  Note('i' + instance.idempotency_key, id, is_new);
  if (const auto firing = FiringOf(instance.idempotency_key)) {
    ForgetFiring(firing->first, firing->second);
    Note('o' + KeyPart(firing->first.value) + id, "", is_new);
  }
}

void Board::End(const Folding& folding) {
  const model::Instance& instance = folding.instance;
  const std::string& name = folding.definition.name;
  const std::string id = KeyPart(instance.id.value);
  if (!instance.business_key.empty()) notes_.Erase(Pair('b', name, instance.business_key) + id);
  if (folding.definition.concurrency.has_value()) {
    LeaveQueue(instance, name);
    Release(instance, name);
  }
  if (const auto firing = FiringOf(instance.idempotency_key))
    notes_.Erase('o' + KeyPart(firing->first.value) + id);
  if (instance.parent_instance) notes_.Erase('c' + id);
  while (!folding.waiting.empty()) EndWait(folding, folding.waiting.back());
}

void Board::Migrated(const model::Instance& instance, const definition::Definition& to) {
  if (!to.concurrency.has_value()) {
    // Nothing that comes later knows that it ever had a limit.
    LeaveQueue(instance, to.name);
    Release(instance, to.name);
  } else if (!instance.queued && !model::HasEnded(instance.status)) {
    Hold(instance, to.name, false);
  }
}

void Board::Note(std::string key, std::string value, bool is_new) {
  if (is_new) {
    notes_.PutNew(std::move(key), std::move(value));
  } else {
    notes_.Put(std::move(key), std::move(value));
  }
}

void Board::Hold(const model::Instance& instance, std::string_view definition, bool is_new) {
  Note(PlaceKey(instance, definition), "", is_new);
  if (Places* places = KnownPlaces(definition, instance.concurrency_key))
    places->holders.insert(instance.id);
}

void Board::Release(const model::Instance& instance, std::string_view definition) {
  notes_.Erase(PlaceKey(instance, definition));
  if (Places* places = KnownPlaces(definition, instance.concurrency_key))
    places->holders.erase(instance.id);
}

void Board::Queue(const model::Instance& instance, std::string_view definition, bool is_new) {
  const uint32_t order = QueueOrder(instance);
  Note(QueueKey(definition, instance.concurrency_key, order, instance.id), "", is_new);
  if (Places* places = KnownPlaces(definition, instance.concurrency_key))
    places->queue.emplace(order, instance.id);
}

void Board::LeaveQueue(const model::Instance& instance, std::string_view definition) {
  const uint32_t order = QueueOrder(instance);
  notes_.Erase(QueueKey(definition, instance.concurrency_key, order, instance.id));
  if (Places* places = KnownPlaces(definition, instance.concurrency_key))
    places->queue.erase({order, instance.id});
}

void Board::LeaveQueue(std::string_view definition, std::string_view key, InstanceId instance) {
  Places* places = KnownPlaces(definition, key);
  if (places == nullptr) return;
  const auto found =
      std::ranges::find(places->queue, instance, &std::pair<uint32_t, InstanceId>::second);
  if (found == places->queue.end()) return;
  notes_.Erase(QueueKey(definition, key, found->first, instance));
  places->queue.erase(found);
}

Places* Board::KnownPlaces(std::string_view definition, std::string_view key) {
  if (places_.empty()) return nullptr;
  const auto found = places_.find(Less::View(definition, key));
  return found == places_.end() ? nullptr : &found->second;
}

// `is_new`: a run begins to wait. A retry waits for what the attempt before it waited for;
// meanwhile the wait may have been forgotten, or the run have fallen back.
void Board::Wait(const Folding& folding, RunId id, std::span<const model::Wait> waits,
                 bool is_new) {
  const std::string run = KeyPart(folding.instance.id.value) + KeyPart(id.value);
  std::string keys;
  for (uint32_t i = 0; i < waits.size(); ++i) {
    const model::Wait& wait = waits[i];
    if (wait.kind != model::WaitKind::kMessage) continue;
    std::string key = Pair('w', wait.name, wait.key) + run + KeyPart(i);
    keys += KeyPart(key);
    Note(std::move(key), "", is_new);
  }
  if (keys.empty()) return;
  Note('x' + run, std::move(keys), is_new);
  if (std::ranges::find(folding.waiting, id) == folding.waiting.end())
    folding.waiting.push_back(id);
}

void Board::EndWait(const Folding& folding, RunId run) {
  if (std::erase(folding.waiting, run) == 0) return;
  std::string key = 'x' + KeyPart(folding.instance.id.value) + KeyPart(run.value);
  const auto waits = notes_.Get(key);
  if (!waits.has_value() || !waits->has_value()) return;
  std::string_view rest = **waits;
  while (!rest.empty()) notes_.Erase(std::string(TakeText(rest)));
  notes_.Erase(std::move(key));
}

void Board::Publish(const model::MessagePublished& message, const model::RecordContext& record,
                    uint32_t ordinal) {
  const Position position = record.position;
  const std::string expires = KeyPart(static_cast<uint64_t>(message.expires.value));
  if (!message.message_id.empty()) {
    std::string id = 'd' + message.message_id;
    const std::string first = KeyPart(position.value) + KeyPart(ordinal);
    const auto known = notes_.Get(id);
    // One that had expired by then is only here because nothing has looked since.
    if (known.has_value() && known->has_value() && !(*known)->starts_with(first) &&
        ExpiryOf(**known) > record.time)
      return;
    notes_.Put('e' + expires + id, "");
    notes_.Put(std::move(id), first + expires);
  }
  std::string key = MessageKey(message, position, ordinal);
  std::string place = 'p' + KeyPart(position.value) + KeyPart(ordinal);
  notes_.PutNew('e' + expires + key, "");
  notes_.PutNew('e' + expires + place, "");
  notes_.PutNew(std::move(place), key);
  notes_.PutNew(std::move(key), expires + std::string(message.payload.text()));
}

void Board::Consume(const MessagePlace& message_place) {
  if (!message_place.position) return;
  std::string place = 'p' + KeyPart(message_place.position.value) + KeyPart(message_place.ordinal);
  const auto key = notes_.Get(place);
  if (!key.has_value() || !key->has_value()) return;
  const auto message = notes_.Get(**key);
  const bool is_kept = message.has_value() && message->has_value();
  const auto expires = is_kept ? static_cast<int64_t>(Number(**message)) : 0;
  ForgetMessage(**key, std::move(place), TimeUs(expires));
}

Status Board::ForgetMessages(Position published) {
  const std::string prefix = 'p' + KeyPart(published.value);
  std::vector<MessagePlace> gone;
  STELE_RETURN_IF_ERROR(notes_.Scan(prefix, [&](std::string_view place, std::string_view) {
    place.remove_prefix(prefix.size());
    gone.push_back({published, TakeNumber32(place)});
    return true;
  }));
  for (const MessagePlace& each : gone) Consume(each);
  return {};
}

void Board::ForgetMessage(const std::string& key, std::string place, TimeUs expires) {
  const std::string expiry = 'e' + KeyPart(static_cast<uint64_t>(expires.value));
  notes_.Erase(expiry + key);
  notes_.Erase(expiry + place);
  notes_.Erase(key);
  notes_.Erase(std::move(place));
}

Result<std::optional<InstanceId>> Board::ByIdempotencyKey(std::string_view key) const {
  const auto found = notes_.Get(IdempotencyNote(key));
  if (!found.has_value()) return std::unexpected(found.error());
  if (!found->has_value()) return std::nullopt;
  return InstanceId(Number(**found));
}

Result<std::optional<InstanceId>> Board::ByBusinessKey(std::string_view definition,
                                                       std::string_view key) const {
  const std::string prefix = Pair('b', definition, key);
  std::optional<InstanceId> found;
  STELE_RETURN_IF_ERROR(notes_.Scan(prefix, [&](std::string_view at, std::string_view) {
    found = InstanceId(Number(at.substr(prefix.size())));
    return false;
  }));
  return found;
}

Result<const Places*> Board::PlacesOf(std::string_view definition, std::string_view key) {
  if (const Places* known = KnownPlaces(definition, key)) return known;
  Places places;
  const std::string holders = Pair('r', definition, key);
  STELE_RETURN_IF_ERROR(notes_.Scan(holders, [&](std::string_view at, std::string_view) {
    places.holders.emplace(Number(at.substr(holders.size())));
    return true;
  }));
  const std::string queue = Pair('q', definition, key);
  STELE_RETURN_IF_ERROR(notes_.Scan(queue, [&](std::string_view at, std::string_view) {
    at.remove_prefix(queue.size());
    const uint32_t order = TakeNumber32(at);
    places.queue.emplace(order, InstanceId(TakeNumber64(at)));
    return true;
  }));
  return &places_.insert_or_assign({std::string(definition), std::string(key)}, std::move(places))
              .first->second;
}

Result<std::vector<std::pair<std::string, std::string>>> Board::Queues() const {
  return DistinctPairs("q");
}

Result<std::vector<std::pair<std::string, std::string>>> Board::Topics() const {
  return DistinctPairs("m");
}

Result<std::vector<std::pair<std::string, std::string>>> Board::DistinctPairs(
    std::string_view kind) const {
  std::vector<std::pair<std::string, std::string>> pairs;
  STELE_RETURN_IF_ERROR(notes_.Scan(kind, [&](std::string_view at, std::string_view) {
    at.remove_prefix(kind.size());
    std::string first(TakeText(at));
    std::string second(TakeText(at));
    if (pairs.empty() || pairs.back().first != first || pairs.back().second != second)
      pairs.emplace_back(std::move(first), std::move(second));
    return true;
  }));
  return pairs;
}

Result<std::vector<KeptMessage>> Board::Messages(std::string_view name, std::string_view key,
                                                 TimeUs now, size_t most) {
  const std::string prefix = Pair('m', name, key);
  std::vector<KeptMessage> messages;
  std::vector<std::pair<std::string, TimeUs>> over;
  STELE_RETURN_IF_ERROR(notes_.Scan(prefix, [&](std::string_view at, std::string_view value) {
    const TimeUs expires(static_cast<int64_t>(TakeNumber64(value)));
    if (expires <= now) {
      over.emplace_back(at, expires);
      return true;
    }
    at.remove_prefix(prefix.size());
    KeptMessage& message = messages.emplace_back();
    message.position = Position(TakeNumber64(at));
    message.ordinal = TakeNumber32(at);
    message.name = name;
    message.key = key;
    message.expires = expires;
    if (!value.empty()) message.payload = Payload::FromText(value);
    return messages.size() < most;
  }));
  for (const auto& [message, expires] : over)
    ForgetMessage(message, 'p' + message.substr(prefix.size()), expires);
  return messages;
}

Result<std::vector<WaitingRun>> Board::Waits(std::string_view name, std::string_view key,
                                             size_t most) const {
  const std::string prefix = Pair('w', name, key);
  std::vector<WaitingRun> waits;
  STELE_RETURN_IF_ERROR(notes_.Scan(prefix, [&](std::string_view at, std::string_view) {
    at.remove_prefix(prefix.size());
    WaitingRun& wait = waits.emplace_back();
    wait.instance = InstanceId(TakeNumber64(at));
    wait.run = RunId(TakeNumber32(at));
    wait.event = TakeNumber32(at);
    return waits.size() < most;
  }));
  return waits;
}

void Board::ForgetWait(std::string_view name, std::string_view key, const WaitingRun& wait) {
  notes_.Erase(Pair('w', name, key) + KeyPart(wait.instance.value) + KeyPart(wait.run.value) +
               KeyPart(wait.event));
}

Result<bool> Board::WasPausedWithParent(InstanceId child) const {
  const auto found = notes_.Get('c' + KeyPart(child.value));
  if (!found.has_value()) return std::unexpected(found.error());
  return found->has_value();
}

Result<std::optional<MessagePlace>> Board::FirstWithId(std::string_view message_id) const {
  const auto first = notes_.Get('d' + std::string(message_id));
  if (!first.has_value()) return std::unexpected(first.error());
  if (!first->has_value()) return std::nullopt;
  std::string_view place = **first;
  MessagePlace found;
  found.position = Position(TakeNumber64(place));
  found.ordinal = TakeNumber32(place);
  return found;
}

Result<bool> Board::IsRepeated(std::string_view message_id, Position position,
                               uint32_t ordinal) const {
  const auto first = FirstWithId(message_id);
  if (!first.has_value()) return std::unexpected(first.error());
  return first->has_value() && **first != MessagePlace{position, ordinal};
}

Status Board::Expire(TimeUs now) {
  std::vector<std::string> over;
  STELE_RETURN_IF_ERROR(notes_.Scan("e", [&](std::string_view key, std::string_view) {
    std::string_view rest = key.substr(1);
    if (TimeUs(static_cast<int64_t>(TakeNumber64(rest))) > now) return false;
    over.emplace_back(key);
    over.emplace_back(rest);
    return true;
  }));
  // An id that was taken anew since then stays taken.
  std::erase_if(over, [&](const std::string& key) {
    if (!key.starts_with('d')) return false;
    const auto first = notes_.Get(key);
    return first.has_value() && first->has_value() && ExpiryOf(**first) > now;
  });
  for (std::string& key : over) notes_.Erase(std::move(key));
  std::erase_if(places_, [](const auto& known) {
    return known.second.holders.empty() && known.second.queue.empty();
  });
  return {};
}

}  // namespace stele::runtime
