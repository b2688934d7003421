#include "replay/redecide.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "engine/apply/apply.h"
#include "engine/model/beginning.h"
#include "engine/model/codec.h"
#include "engine/model/event_json.h"
#include "eventstore/for_each_record.h"

namespace stele::replay {

namespace {

using eventstore::RecordView;
using model::Event;
using Outcome = Redecision::Outcome;

constexpr size_t kMaxShownBytes = 400;

// The definition that the instance runs before its first event; zero: no history begins so.
DefinitionId FirstDefinition(const Event& first) {
  return model::BeginsInstance(first) ? model::DefinitionBehind(first) : DefinitionId();
}

// What it migrates to with the event; zero: it does not.
DefinitionId MigratesTo(const Event& cause) {
  if (const auto* migrated = std::get_if<model::InstanceMigrated>(&cause))
    return migrated->definition;
  if (const auto* forked = std::get_if<model::InstanceForked>(&cause)) return forked->definition;
  return DefinitionId();
}

Redecision& OutOfPlace(Redecision& out, std::string expected, std::string found = "") {
  out.outcome = Outcome::kOutOfPlace;
  out.expected = std::move(expected);
  out.found = std::move(found);
  return out;
}

}  // namespace

std::string ShowEvent(const Event& event, const definition::Definition* definition) {
  return ShowDocument(model::EventToJson(event, definition));
}

std::string ShowDocument(const Value& document) {
  std::string text = ToJson(document);
  if (text.size() <= kMaxShownBytes) return text;
  size_t end = kMaxShownBytes;
  // Not inside a character.
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  return text + "…";
}

Result<std::vector<Event>> DecodeRecord(const RecordView& record) {
  Result<std::vector<Event>> events = model::Decode(record.body);
  if (events.has_value()) return events;
  return Fail(events.error().code,
              fmt::format("{} (position {})", events.error().message, record.position.value));
}

const model::Instance* Redecider::Find(InstanceId instance) const {
  const auto found = followed_.find(instance);
  return found == followed_.end() ? nullptr : &found->second.instance;
}

Result<Redecision> Redecider::Take(const RecordView& record) {
  Result<std::vector<Event>> events = DecodeRecord(record);
  if (!events.has_value()) return std::unexpected(events.error());
  recorded_ = *std::move(events);
  decided_.clear();
  // Whoever sends records may not say how many events they have.
  const uint32_t count = record.header.event_count;
  const bool is_counted = count != 0 || options_.whole_log;
  if (!recorded_.empty() && (recorded_.size() == count || !is_counted)) return TakeEvents(record);
  Redecision out;
  return OutOfPlace(out, fmt::format("a record of {} events", record.header.event_count),
                    fmt::format("{}", recorded_.size()));
}

Result<Redecision> Redecider::TakeEvents(const RecordView& record) {
  Redecision out;
  const Result<Followed*> found = FollowedBy(record, out);
  if (!found.has_value()) return std::unexpected(found.error());
  if (*found == nullptr) return out;
  Followed& followed = **found;
  const std::optional<model::Command> command = decide::CommandOf(recorded_.front());
  if (!command.has_value()) return OutOfPlace(out, "a cause");
  const model::RegisteredDefinition* ran = registry_.Find(followed.definition);
  if (ran == nullptr)
    return OutOfPlace(out, "a registered definition",
                      fmt::format("number {}", followed.definition.value));
  out.ran = out.decided = ran->definition.get();

  followed.erased |= record.erased;
  if (followed.erased) {
    out.outcome = Outcome::kErased;
    // A state that was made otherwise is no state that they follow.
    if (options_.alternative == nullptr)
      for (const Event& event : recorded_)
        apply::Apply(followed.instance, event, {record.position, record.header.time});
  } else {
    STELE_RETURN_IF_ERROR(Decide(record, *command, *ran, followed, out));
  }
  if (const DefinitionId next = MigratesTo(recorded_.front())) followed.definition = next;
  if (model::HasEnded(followed.instance.status) && !options_.keeps_ended && !reopening_)
    LetGo(record.header.instance, followed);
  return out;
}

void Redecider::LetGo(InstanceId instance, const Followed& followed) {
  if (!followed.retried || followed.instance.status != model::Status::kFailed)
    return Forget(instance);
  kept_.push_back(instance);
  if (kept_.size() > kKeptRetried) Forget(kept_.front());
}

void Redecider::Forget(InstanceId instance) {
  followed_.erase(instance);
  std::erase(kept_, instance);
}

void Redecider::ForgetAll() {
  followed_.clear();
  kept_.clear();
}

// The state before the record, or why there is none that it could follow.
Result<Redecider::Followed*> Redecider::FollowedBy(const RecordView& record, Redecision& out) {
  const Seq first = record.header.first_seq;
  const bool is_retry = std::holds_alternative<model::InstanceRetryRequested>(recorded_.front());
  const bool was_kept = std::erase(kept_, record.header.instance) > 0;
  if (was_kept && !is_retry) followed_.erase(record.header.instance);
  const auto found = followed_.find(record.header.instance);
  if (found != followed_.end()) {
    // What is decided in place of the history has other numbers.
    const Seq next = found->second.instance.seq.Next();
    if (options_.alternative != nullptr || first == next) return &found->second;
    OutOfPlace(out, fmt::format("seq {}", next.value), fmt::format("{}", first.value));
    return nullptr;
  }
  const bool in_order = options_.whole_log && !reopening_;
  const bool has_been = in_order ? record.header.instance <= last_started_ : first != Seq(1);
  if (is_retry && has_been && !reopening_ && options_.source != nullptr) return Reopen(record, out);
  if (!has_been && first == Seq(1) && FirstDefinition(recorded_.front())) return Begin(record, out);
  if (options_.whole_log) {
    OutOfPlace(out, has_been ? "no more records of an instance that has ended"
                             : "the start of the instance");
  } else {
    out.outcome = Outcome::kUnfollowed;
  }
  return nullptr;
}

Result<Redecider::Followed*> Redecider::Begin(const RecordView& record, Redecision& out) {
  const InstanceId id = record.header.instance;
  const DefinitionId definition = FirstDefinition(recorded_.front());
  const model::RegisteredDefinition* registered = registry_.Find(definition);
  if (registered != nullptr && options_.follows) {
    const Result<bool> wanted = options_.follows(id, *registered);
    if (!wanted.has_value()) return std::unexpected(wanted.error());
    if (!*wanted) {
      out.outcome = Outcome::kUnfollowed;
      return nullptr;
    }
  }
  Result<bool> erased = false;
  if (options_.is_erased) erased = options_.is_erased(id);
  if (!erased.has_value()) return std::unexpected(erased.error());
  const auto* fork = std::get_if<model::InstanceForked>(&recorded_.front());
  const bool is_checked = options_.check_fork && !reopening_ && !*erased && !record.erased;
  if (fork != nullptr && is_checked) STELE_RETURN_IF_ERROR(options_.check_fork(record, *fork));
  last_started_ = std::max(last_started_, id);
  out.begins = true;
  Followed& followed = followed_[id];
  followed.instance.id = id;
  followed.definition = definition;
  followed.erased = *erased;
  return &followed;
}

// A failed instance goes on: its state is what its records before this one make, once more.
Result<Redecider::Followed*> Redecider::Reopen(const RecordView& record, Redecision& out) {
  const InstanceId id = record.header.instance;
  if (std::ranges::find(unfollowed_, id) != unfollowed_.end()) {
    out.outcome = Outcome::kUnfollowed;
    return nullptr;
  }
  std::vector<Event> recorded = std::move(recorded_);
  reopening_ = true;
  bool same = true;
  const auto take = [&](const RecordView& before) -> Result<bool> {
    if (before.position >= record.position) return false;
    const Result<Redecision> again = Take(before);
    if (!again.has_value()) return std::unexpected(again.error());
    same = again->outcome == Outcome::kSame || again->outcome == Outcome::kErased;
    return same;
  };
  const Status read = eventstore::ForEachRecord(options_.source->Records(id), take);
  reopening_ = false;
  recorded_ = std::move(recorded);
  decided_.clear();
  if (!read.has_value()) return std::unexpected(read.error());
  const auto found = followed_.find(id);
  // Of an erased one nothing can be told again: it is done with where its first record was.
  const bool is_told = options_.whole_log || (found != followed_.end() && !found->second.erased);
  if (same && found != followed_.end() && is_told) {
    found->second.retried = true;
    return FollowedBy(record, out);
  }
  // It has parted from its history before, or is of no interest.
  Forget(id);
  unfollowed_.push_back(id);
  if (unfollowed_.size() > kKeptRetried) unfollowed_.pop_front();
  out.outcome = Outcome::kUnfollowed;
  return nullptr;
}

Status Redecider::Decide(const RecordView& record, model::Command command,
                         const model::RegisteredDefinition& ran, Followed& followed,
                         Redecision& out) {
  const model::RecordContext context{record.position, record.header.time};
  Alternative::Terms terms{.definition = ran.definition.get()};
  if (options_.alternative != nullptr) {
    terms = options_.alternative->TermsOf(command, ran, context);
  } else if (const DefinitionId next = MigratesTo(recorded_.front())) {
    const model::RegisteredDefinition* target = registry_.Find(next);
    terms.target = target == nullptr ? nullptr : target->definition.get();
  }
  if (terms.kind == Alternative::Terms::Kind::kPass) return {};
  if (terms.kind == Alternative::Terms::Kind::kGone) {
    out.outcome = Outcome::kGone;
    return {};
  }
  out.decided = terms.definition;
  out.rejection = decider_.Decide(followed.instance, command,
                                  {*terms.definition, context, terms.target}, decided_);
  if (out.rejection.has_value()) {
    out.outcome = Outcome::kRefused;
  } else {
    Compare(record, ran, out);
  }
  return {};
}

void Redecider::Compare(const RecordView& record, const model::RegisteredDefinition& ran,
                        Redecision& out) {
  if (options_.alternative != nullptr) {
    const auto parting = options_.alternative->Compare(recorded_, decided_, ran, record);
    if (!parting.has_value()) return;
    out.recorded_at = parting->recorded;
    out.decided_at = parting->decided;
  } else {
    if (decided_ == recorded_) return;
    const auto [recorded, decided] = std::ranges::mismatch(recorded_, decided_);
    out.recorded_at = static_cast<size_t>(recorded - recorded_.begin());
    out.decided_at = static_cast<size_t>(decided - decided_.begin());
  }
  out.outcome = Outcome::kDiffers;
}

}  // namespace stele::replay
