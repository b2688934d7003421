#include "engine/triggers/service.h"

#include <algorithm>

#include "base/check.h"
#include "engine/model/beginning.h"
#include "engine/model/codec.h"
#include "engine/runtime/notes.h"
#include "engine/triggers/conditions_at.h"
#include "eventstore/for_each_record.h"

namespace stele::triggers {

namespace {

// A note: the definition of every open instance. No other note begins with T, but for
// kConditionsNote.
std::string OpenNote(InstanceId instance) {
  return "Td" + runtime::KeyPart(instance.value);
}

// Calls visit(record, events) for each record of the cursor.
template <class Visit>
Status Walk(Result<std::unique_ptr<eventstore::Cursor>> cursor, Visit visit) {
  return eventstore::ForEachRecord(
      std::move(cursor), [&](const eventstore::RecordView& record) -> Result<bool> {
        Result<std::vector<model::Event>> events = model::Decode(record.body);
        if (!events.has_value()) return std::unexpected(events.error());
        return visit(record, *std::move(events));
      });
}

}  // namespace

TriggerService::TriggerService(const ServiceParts& parts) : parts_(parts), timer_(new uv_timer_t) {
  uv_timer_init(parts.loop, timer_);
  timer_->data = this;
}

TriggerService::~TriggerService() {
  uv_close(reinterpret_cast<uv_handle_t*>(timer_),
           [](uv_handle_t* handle) { delete reinterpret_cast<uv_timer_t*>(handle); });
}

Status TriggerService::ReadTable(Position to) {
  table_ = TriggerTable();
  return Walk(store_->ReadInstance(parts_.shard, InstanceId(), Seq(1)),
              [&](const eventstore::RecordView& record, const std::vector<model::Event>& events) {
                if (record.position > to) return false;
                table_position_ = record.position;
                for (const model::Event& event : events)
                  table_.Apply(event, {record.position, record.header.time});
                return true;
              });
}

Status TriggerService::Attach(runtime::Shard* shard, const eventstore::EventStore* store,
                              const secrets::Secrets* secrets) {
  CHECK(shard_ == nullptr, "the service has a shard already");
  shard_ = shard;
  store_ = store;
  secrets_ = secrets;
  STELE_RETURN_IF_ERROR(ReadTable(Position(UINT64_MAX)));
  const auto left = shard->board().PendingFirings();
  if (!left.has_value()) return std::unexpected(left.error());
  for (const runtime::PendingFiring& firing : *left)
    pending_.Add({.trigger = firing.trigger,
                  .key = firing.key,
                  .time = firing.time,
                  .input = firing.payload,
                  .buffered = firing.outcome == "buffer",
                  .durable = true,
                  .again = {},
                  .told = {}});
  ReconcileAll();
  return {};
}

Status TriggerService::Begin() {
  CHECK(shard_ != nullptr && !begun_, "the service has begun already, or has no shard");
  STELE_RETURN_IF_ERROR(CatchUp());
  begun_ = true;
  Process();
  StartPending(parts_.clock->Now(), true);
  StartBuffered();
  Tick();
  return {};
}

void TriggerService::End() {
  over_ = true;
  uv_timer_stop(timer_);
}

// The fold as it was noted, and the log from there on. Up to what a purge has recorded the log
// lacks what conditions count, and is read for the messages alone.
Status TriggerService::CatchUp() {
  const auto note = shard_->board().notes().Get(kConditionsNote);
  if (!note.has_value()) return std::unexpected(note.error());
  if (note->has_value())
    if (const auto noted = ConditionsAt::FromText(**note);
        noted.has_value() && occurrences_.Restore(noted->state))
      noted_ = noted->position;
  folded_ = noted_;
  std::optional<ConditionsAt> ahead;
  if (shard_->registry().purge.position > noted_) {
    auto recorded = FurthestRecorded(*store_, parts_.shard, noted_);
    if (!recorded.has_value()) return std::unexpected(recorded.error());
    ahead = *std::move(recorded);
  }
  STELE_RETURN_IF_ERROR(ReadTable(noted_));
  return Walk(store_->Read(parts_.shard, noted_.Next()),
              [&](const eventstore::RecordView& record, std::vector<model::Event> events) {
                std::erase_if(events, [&](const auto& event) {
                  // A message that was erased fires nothing more: nobody could tell of which kind
                  // it was.
                  return !Occurrences::Reads(event) ||
                         (record.erased && std::holds_alternative<model::MessagePublished>(event));
                });
                if (ahead.has_value() && record.position > ahead->position) {
                  occurrences_.Restore(ahead->state);
                  ahead.reset();
                }
                const model::RecordContext context{record.position, record.header.time};
                if (ahead.has_value()) {
                  occurrences_.FoldMessages(events, context);
                } else if (!events.empty()) {
                  Absorb({record.header.instance, std::move(events), context});
                }
                folded_ = record.position;
                return true;
              });
}

void TriggerService::OnRecord(InstanceId instance, std::span<const model::Event> events,
                              const model::RecordContext& record) {
  if (parts_.next != nullptr && parts_.next->wants_records())
    parts_.next->OnRecord(instance, events, record);
  passed_ = record.position;
  if (shard_ == nullptr || over_ || (!begun_ && instance)) return;
  Seen seen{instance, {}, record};
  for (const model::Event& event : events)
    if (Occurrences::Reads(event)) seen.events.push_back(event);
  if (seen.events.empty()) return;
  seen_.push_back(std::move(seen));
  if (std::exchange(posted_, true)) return;
  shard_->Post(WhileAlive([this] {
    posted_ = false;
    Process();
  }));
}

void TriggerService::OnEnded(const model::Instance& instance) {
  if (parts_.next != nullptr) parts_.next->OnEnded(instance);
}

void TriggerService::OnFatal(const Error& error) {
  End();
  if (parts_.next != nullptr) parts_.next->OnFatal(error);
}

void TriggerService::Process() {
  bool ended = false;
  bool changed = false;
  std::set<std::string, std::less<>> definitions;
  while (!seen_.empty()) {
    const Seen seen = std::move(seen_.front());
    seen_.pop_front();
    for (const model::Event& event : seen.events) {
      if (const auto* registered = std::get_if<model::DefinitionRegistered>(&event)) {
        definitions.insert(registered->name);
      } else if (const auto* state = std::get_if<model::DefinitionStateChanged>(&event)) {
        definitions.insert(shard_->registry().Find(state->definition)->name);
      } else if (std::holds_alternative<model::TriggerStateChanged>(event)) {
        changed = true;
      }
    }
    ended = ended || seen.instance;
    if (begun_) {
      if (seen.record.position > folded_) Absorb(seen);
    } else if (seen.record.position > table_position_) {
      for (const model::Event& event : seen.events) table_.Apply(event, seen.record);
      table_position_ = seen.record.position;
    }
  }
  if (over_) return;
  for (const std::string& definition : definitions) TellHidden(definition);
  if (!begun_) return;
  folded_ = std::max(folded_, passed_);
  FireOccurrences();
  if (!definitions.empty()) StartPending(parts_.clock->Now(), true);
  if (ended || changed) StartBuffered();
  Note();
  Arm();
}

void TriggerService::Absorb(const Seen& seen) {
  occurrences_.Fold(seen.events, seen.record, DefinitionNameOf(seen));
  folded_ = seen.record.position;
}

// Of records in which an instance starts, ends or is retried; else empty. An open instance's is
// noted, so that its end need not load it.
std::string TriggerService::DefinitionNameOf(const Seen& seen) {
  if (!seen.instance) return {};
  const model::Registry& registry = shard_->registry();
  runtime::Notes& notes = shard_->board().notes();
  bool ends = false;
  DefinitionId definition;
  for (const model::Event& event : seen.events) {
    if (model::BeginsInstance(event)) definition = model::DefinitionBehind(event);
    ends = ends || !(model::BeginsInstance(event) ||
                     std::holds_alternative<model::MessagePublished>(event) ||
                     std::holds_alternative<model::InstanceRetryRequested>(event));
  }
  const bool only_messages = std::ranges::all_of(seen.events, [](const model::Event& event) {
    return std::holds_alternative<model::MessagePublished>(event);
  });
  if (only_messages) return {};
  if (!definition) {
    if (const auto note = notes.Get(OpenNote(seen.instance));
        note.has_value() && note->has_value()) {
      std::string_view bytes = **note;
      definition = DefinitionId(runtime::TakeNumber32(bytes));
    } else if (const auto instance = shard_->Find(seen.instance); instance.has_value()) {
      definition = (*instance)->definition;
    }
  }
  if (ends) {
    notes.Erase(OpenNote(seen.instance));
  } else {
    notes.Put(OpenNote(seen.instance), runtime::KeyPart(definition.value));
  }
  const model::RegisteredDefinition* found = registry.Find(definition);
  return found == nullptr ? std::string() : found->name;
}

void TriggerService::FireOccurrences() {
  for (Occurrence& one : occurrences_.Take()) {
    const model::RegisteredTrigger* trigger = shard_->registry().Find(one.trigger);
    if (trigger == nullptr || trigger->state == model::TriggerState::kRemoved) continue;
    if (!one.message_id.empty()) {
      // Published twice under one id, which counts once.
      const Result<bool> repeated =
          shard_->board().IsRepeated(one.message_id, one.position, one.ordinal);
      if (repeated.has_value() && *repeated) continue;
    }
    if (!one.input.has_value()) {
      NoteOutcome(one.trigger, one.key, one.time, "refused: " + one.input.error().message);
      continue;
    }
    ShootOnce({.trigger = one.trigger,
               .key = one.key,
               .time = one.time,
               .input = *std::move(one.input),
               .asker = {},
               .trace_parent = {},
               .started = {}});
  }
}

// The note must not be ahead of firings that follow from what it holds; those are in the log's
// batch by now, unless the shard takes no more.
void TriggerService::Note() {
  if (over_ || folded_.value - noted_.value < parts_.note_records) return;
  shard_->board().notes().Put(std::string(kConditionsNote),
                              ConditionsAt{folded_, occurrences_.ToValue()}.ToText());
  noted_ = folded_;
}

void TriggerService::Tick() {
  if (!begun_ || over_) return;
  const TimeUs now = parts_.clock->Now();
  occurrences_.Elapse(now);
  FireOccurrences();
  FireSchedules(now);
  StartPending(now, false);
  Arm();
}

void TriggerService::Arm() {
  if (!begun_ || over_) return;
  const int64_t now = parts_.clock->Now().value;
  int64_t wait_us = kMaxSleepUs;
  bool any = false;
  const auto wake = [&](int64_t at) {
    any = true;
    wait_us = std::min(wait_us, std::max<int64_t>(at - now, 0));
  };
  timetables_.Follow(table_);
  if (const auto next = timetables_.NextMoment()) wake(*next);
  if (const auto next = occurrences_.NextMoment()) wake(next->value);
  pending_.ForEach([&](Pending& pending) {
    if (pending.again) wake(pending.again.value);
  });
  if (!any) {
    uv_timer_stop(timer_);
    return;
  }
  uv_update_time(parts_.loop);
  uv_timer_start(
      timer_, [](uv_timer_t* timer) { static_cast<TriggerService*>(timer->data)->Tick(); },
      static_cast<uint64_t>((wait_us + 999) / 1000), 0);
}

}  // namespace stele::triggers
