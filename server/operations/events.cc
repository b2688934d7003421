#include "server/operations/events.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/json.h"
#include "server/auth/accounts.h"
#include "server/operations/limits.h"

namespace stele::server {

namespace {

size_t BytesOf(const replay::ShownEvent& event) {
  return sizeof(event) + event.json.size() + event.definition.size() + event.actor.size() +
         event.source.size();
}

bool TellsOfAccounts(const replay::ShownEvent& event) {
  return event.name == "setting_changed" || event.name == "access_denied";
}

// Without what a setting of accounts holds: digests of passwords and keys are nobody's to see.
void LeaveOutSecrets(replay::ShownEvent& event) {
  if (event.name != "setting_changed") return;
  auto shown = ParseJson(event.json, nullptr, kWrittenJson);
  CHECK(shown.has_value() && shown->is_object(), "an event is no object");
  const Value* name = shown->Find("name");
  if (name == nullptr || !name->is_string() || !IsOfAccounts(name->as_string())) return;
  Object rest;
  for (const Member& member : shown->as_object())
    if (member.key != "document") rest.Set(member.key, member.value);
  event.json = ToJson(Value(std::move(rest)));
}

}  // namespace

bool EventFilter::Fits(const replay::ShownEvent& event) const {
  if (!with_accounts && TellsOfAccounts(event)) return false;
  return (!instance || event.instance == instance) &&
         (definition.empty() || event.definition == definition) &&
         (names.empty() || names.contains(event.name));
}

Events::Told Events::ToldTo(const Caller& caller) const {
  return {desk_.SightOf(caller, Permission::kRead),
          desk_.SightOf(caller, Permission::kReadDefinitions)};
}

bool Events::MayTell(const replay::ShownEvent& event, const Told& told) const {
  if (told.read.sees_all() && told.definitions.sees_all()) return true;
  if (!event.definition.empty()) return told.read.Sees(event.definition);
  const model::Registry& registry = desk_.registry();
  if (const auto* registered = registry.Find(event.about_definition))
    return told.definitions.Sees(registered->name);
  if (const auto* trigger = registry.Find(event.about_trigger))
    return told.definitions.Sees(trigger->definition);
  return false;
}

Events::Follower::Follower(Events& events, Caller caller, EventFilter filter, EventPlace place)
    : events_(events), caller_(std::move(caller)), filter_(std::move(filter)), place_(place) {
  events_.followers_.insert(this);
}

Events::Follower::~Follower() {
  events_.followers_.erase(this);
  events_.of_all_.erase(this);
  if (const auto found = events_.of_instance_.find(filter_.instance);
      found != events_.of_instance_.end() && found->second.erase(this) > 0 && found->second.empty())
    events_.of_instance_.erase(found);
  if (events_.followers_.empty()) {
    events_.reader_ = nullptr;
    events_.recent_.clear();
    events_.recent_bytes_ = 0;
  }
}

Promised<std::vector<EventPointer>> Events::Follower::Next() {
  if (events_.desk_.closed()) return Result<std::vector<EventPointer>>();
  if (events_.failure_.has_value())
    return Result<std::vector<EventPointer>>(std::unexpected(*events_.failure_));
  if (place_.position < events_.recent_from_) return ReadBehind();
  reader_ = nullptr;
  std::vector<EventPointer> events = TakeRecent();
  if (!events.empty()) return Result<std::vector<EventPointer>>(std::move(events));
  return WaitForMore().then([this] { return Next(); });
}

bool Events::Follower::MayBeTold(const EventPointer& event, const Told& told) const {
  const bool is_wanted = event->position > place_.position || event->ordinal >= place_.ordinal;
  return is_wanted && filter_.Fits(*event) && events_.MayTell(*event, told);
}

Promised<std::vector<EventPointer>> Events::Follower::ReadBehind() {
  if (reader_ == nullptr) reader_ = events_.ReaderFrom(filter_.instance, place_.position);
  return events_.Read(reader_).then(
      [this](Result<Batch> batch) -> Promised<std::vector<EventPointer>> {
        if (!batch.has_value())
          return Result<std::vector<EventPointer>>(std::unexpected(batch.error()));
        std::vector<EventPointer> events;
        const Told told = events_.ToldTo(caller_);
        for (EventPointer& event : batch->events)
          if (MayBeTold(event, told)) events.push_back(std::move(event));
        place_ = {batch->end};
        if (!events.empty()) return Result<std::vector<EventPointer>>(std::move(events));
        return Next();
      });
}

std::vector<EventPointer> Events::Follower::TakeRecent() {
  const auto& recent = events_.recent_;
  auto at = std::ranges::lower_bound(recent, place_.position, {},
                                     [](const EventPointer& event) { return event->position; });
  std::vector<EventPointer> events;
  if (at != recent.end())
    for (const Told told = events_.ToldTo(caller_); at != recent.end(); ++at)
      if (MayBeTold(*at, told)) events.push_back(*at);
  if (place_.position < events_.recent_end_) place_ = {events_.recent_end_};
  return events;
}

kj::Promise<void> Events::Follower::WaitForMore() {
  auto more = kj::newPromiseAndFulfiller<void>();
  wake_ = kj::mv(more.fulfiller);
  if (filter_.instance) {
    events_.of_instance_[filter_.instance].insert(this);
  } else {
    events_.of_all_.insert(this);
  }
  return kj::mv(more.promise).exclusiveJoin(events_.desk_.WhenClosed());
}

Result<kj::Own<Events::Follower>> Events::Follow(const Caller& caller, EventFilter filter,
                                                 EventPlace place) {
  if (filter.instance) {
    const auto allowed = instances_.Allow(caller, Permission::kRead, filter.instance);
    if (!allowed.has_value()) return std::unexpected(allowed.error());
  } else {
    STELE_RETURN_IF_ERROR(desk_.Allow(caller, Permission::kRead, filter.definition));
  }
  filter.with_accounts = Allows(caller, Permission::kManageUsers, nullptr);
  const Position next = desk_.store().NextPosition(desk_.engine().shard_id);
  if (place.position > next)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("Expected a position of the log, or the next one, {}, but found {}",
                            next.value, place.position.value));
  if (!place.position) place = {next};
  if (reader_ == nullptr) {
    reader_ = ReaderFrom(InstanceId(), next);
    recent_from_ = recent_end_ = next;
    recent_.clear();
    recent_bytes_ = 0;
    failure_.reset();
  }
  return kj::heap<Follower>(*this, caller, std::move(filter), place);
}

std::unique_ptr<replay::EventReader> Events::ReaderFrom(InstanceId instance, Position from) {
  replay::EventReader::Definitions definitions;
  for (const model::RegisteredDefinition& each : desk_.registry().definitions)
    definitions[each.id] = each.definition;
  return std::make_unique<replay::EventReader>(desk_.store(), desk_.engine().shard_id, instance,
                                               from, std::move(definitions));
}

Promised<Events::Batch> Events::Read(const std::shared_ptr<replay::EventReader>& reader) {
  return desk_.Read(
      [reader, log = desk_.engine().store, shard = desk_.engine().shard_id]() -> Result<Batch> {
        Batch batch;
        size_t bytes = 0;
        // What comes while it is read may not be in it.
        const Position end = log->NextPosition(shard);
        while (batch.events.size() < kBehindEvents && bytes < kBehindBytes) {
          auto events = reader->Next();
          if (!events.has_value()) return std::unexpected(events.error());
          if (!events->has_value()) {
            batch.end = std::max(batch.end, end);
            return batch;
          }
          for (replay::ShownEvent& event : **events) {
            batch.end = event.position.Next();
            LeaveOutSecrets(event);
            bytes += BytesOf(event);
            batch.events.push_back(std::make_shared<const replay::ShownEvent>(std::move(event)));
          }
        }
        batch.more = true;
        return batch;
      });
}

void Events::Wake() {
  woken_ = true;
  if (reading_ || reader_ == nullptr) return;
  reading_ = true;
  reading_task_ = ReadRecent().eagerlyEvaluate([this](kj::Exception&& exception) {
    // What the reader has passed is lost with it.
    Break({ErrorCode::kIo, exception.getDescription().cStr()});
    reading_ = false;
  });
}

kj::Promise<void> Events::ReadRecent() {
  woken_ = false;
  return Read(reader_).then(
      [this, reader = reader_](const Result<Batch>& batch) { return HaveRead(reader, batch); });
}

kj::Promise<void> Events::HaveRead(const std::shared_ptr<replay::EventReader>& reader,
                                   const Result<Batch>& batch) {
  // Nobody followed for a while; somebody may again, with another reader.
  if (reader == reader_ && batch.has_value()) Take(*batch);
  if (!batch.has_value() && batch.error().code == ErrorCode::kBackPressure)
    return desk_.timer().afterDelay(kReadAgainMs * kj::MILLISECONDS).then([this] {
      return reader_ == nullptr ? EndReading() : ReadRecent();
    });
  if (reader == reader_ && !batch.has_value()) Break(batch.error());
  const bool more = woken_ || reader != reader_ || (batch.has_value() && batch->more);
  if (reader_ != nullptr && more) return ReadRecent();
  return EndReading();
}

kj::Promise<void> Events::EndReading() {
  reading_ = false;
  return kj::READY_NOW;
}

void Events::Break(const Error& error) {
  failure_ = error;
  reader_ = nullptr;
  WakeAll();
}

void Events::Take(const Batch& batch) {
  const Position begin = recent_end_;
  for (const EventPointer& event : batch.events) {
    recent_.push_back(event);
    recent_bytes_ += BytesOf(*event);
  }
  recent_end_ = std::max(recent_end_, batch.end);
  while (recent_bytes_ > kRecentEventBytes && recent_.size() > batch.events.size()) {
    recent_bytes_ -= BytesOf(*recent_.front());
    recent_from_ = recent_.front()->position.Next();
    recent_.pop_front();
  }
  // Those that wait have seen all that came before.
  std::vector<Follower*> woken(of_all_.begin(), of_all_.end());
  for (const EventPointer& event : batch.events) {
    const auto found = of_instance_.find(event->instance);
    if (found == of_instance_.end()) continue;
    woken.insert(woken.end(), found->second.begin(), found->second.end());
    of_instance_.erase(found);
  }
  of_all_.clear();
  for (Follower* follower : woken) {
    follower->place_ = std::max(follower->place_.position, begin) == follower->place_.position
                           ? follower->place_
                           : EventPlace{begin};
    follower->wake_->fulfill();
  }
}

void Events::WakeAll() {
  for (auto& [instance, waiting] : std::exchange(of_instance_, {}))
    for (Follower* follower : waiting) follower->wake_->fulfill();
  for (Follower* follower : std::exchange(of_all_, {})) follower->wake_->fulfill();
}

}  // namespace stele::server
