#include "replay/audit/deed_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "engine/model/codec.h"
#include "engine/model/instance.h"
#include "eventstore/for_each_record.h"
#include "replay/moment.h"

namespace stele::replay {

namespace {

std::unexpected<Error> NoPlace(std::string_view text) {
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("Expected the place at which a page of this report has ended but found "
                          "\"{}\"",
                          text.substr(0, 80)));
}

// The step of an instance's run, and the definition that it runs, as its history tells.
class StepNames {
 public:
  StepNames(const model::Registry& known, RunId run) : known_(known), run_(run) {}

  void Follow(const model::Event& event) {
    if (const auto* started = std::get_if<model::InstanceStarted>(&event)) {
      runs_ = started->definition;
    } else if (const auto* forked = std::get_if<model::InstanceForked>(&event)) {
      runs_ = forked->state.has_value() ? forked->state->definition : DefinitionId();
      const model::StepRun* run =
          forked->state.has_value() ? forked->state->FindRun(run_) : nullptr;
      if (run != nullptr) name_ = NameOf(run->step);
      if (forked->definition) runs_ = forked->definition;
    } else if (const auto* moved = std::get_if<model::InstanceMigrated>(&event)) {
      runs_ = moved->definition;
    } else if (const auto* activated = std::get_if<model::StepActivated>(&event)) {
      if (activated->run == run_) name_ = NameOf(activated->step);
    }
  }
  std::string NameOf(StepIndex step) const {
    const model::RegisteredDefinition* registered = known_.Find(runs_);
    const bool there = registered != nullptr && registered->definition != nullptr &&
                       step.value < registered->definition->steps.size();
    return there ? registered->definition->step(step).id : std::string();
  }
  const std::string& name() const { return name_; }

 private:
  const model::Registry& known_;
  const RunId run_;
  DefinitionId runs_;
  std::string name_;
};

void AddTarget(Deed& deed, const std::string& what) {
  deed.target = deed.target.empty() ? what : fmt::format("{}, {}", what, deed.target);
}

}  // namespace

std::string PlaceText(const DeedPlace& place, const DeedFilter& filter) {
  if (!filter.instance) return fmt::format("{}", place.position.value);
  return fmt::format("{}-{}-{}", place.position.value, place.of_instance.value,
                     place.of_registry.value);
}

Result<DeedPlace> ParsePlace(std::string_view text, const DeedFilter& filter) {
  if (text.empty()) return DeedPlace();
  std::array<uint64_t, 3> numbers{1, 1, 1};
  const size_t count = filter.instance ? 3 : 1;
  std::string_view rest = text;
  for (size_t i = 0; i < count; ++i) {
    const char* const end = rest.data() + rest.size();
    const auto read = std::from_chars(rest.data(), end, numbers[i]);
    const bool is_last = i + 1 == count;
    const bool ends_well = is_last ? read.ptr == end : read.ptr != end && *read.ptr == '-';
    if (read.ec != std::errc() || !ends_well || numbers[i] == 0) return NoPlace(text);
    if (!is_last) rest.remove_prefix(static_cast<size_t>(read.ptr - rest.data()) + 1);
  }
  return DeedPlace{Position(numbers[0]), Seq(numbers[1]), Seq(numbers[2])};
}

Status DeedReader::Open() {
  opened_ = true;
  if (filter_.since.value > 0) {
    const auto before = PositionAt(store_, shard_, TimeUs(filter_.since.value - 1));
    if (!before.has_value()) return std::unexpected(before.error());
    place_.position = std::max(place_.position, before->Next());
  }
  const auto open = [&](Stream& stream, Result<std::unique_ptr<eventstore::Cursor>> cursor) {
    if (!cursor.has_value()) return Status(std::unexpected(cursor.error()));
    stream.cursor = *std::move(cursor);
    return Advance(stream);
  };
  if (!filter_.instance) return open(log_, store_.Read(shard_, place_.position));
  auto own = store_.ReadInstance(shard_, filter_.instance, place_.of_instance);
  // What is left of one that was removed is what the registry says.
  const bool removed = !own.has_value() && own.error().code == ErrorCode::kInstanceErased;
  if (!removed) STELE_RETURN_IF_ERROR(open(log_, std::move(own)));
  return open(registry_, store_.ReadInstance(shard_, InstanceId(), place_.of_registry));
}

Status DeedReader::Advance(Stream& stream) {
  auto next = stream.cursor->Next();
  if (!next.has_value()) return std::unexpected(next.error());
  stream.next = *next;
  return {};
}

DeedReader::Stream* DeedReader::First() {
  Stream* first = log_.next.has_value() ? &log_ : nullptr;
  if (registry_.next.has_value() &&
      (first == nullptr || registry_.next->position < first->next->position))
    first = &registry_;
  // Times of a log never go back: behind the first record that is too late there is no other.
  const bool is_behind =
      first != nullptr && (first->next->position >= end_ ||
                           (filter_.until && first->next->header.time >= filter_.until));
  return is_behind ? nullptr : first;
}

void DeedReader::Pass(const eventstore::RecordView& record) {
  place_.position = record.position.Next();
  const Seq next(record.header.first_seq.value + record.header.event_count);
  (record.header.instance ? place_.of_instance : place_.of_registry) = next;
}

Result<std::optional<Deed>> DeedReader::Next(uint64_t most_records) {
  if (!opened_) STELE_RETURN_IF_ERROR(Open());
  for (uint64_t here = 0; here < most_records; ++here) {
    Stream* const stream = First();
    ended_ = stream == nullptr;
    if (ended_) return std::nullopt;
    const eventstore::RecordView& record = *stream->next;
    auto deed = Take(record);
    if (!deed.has_value()) return std::unexpected(deed.error());
    Pass(record);
    ++looked_;
    STELE_RETURN_IF_ERROR(Advance(*stream));
    if (deed->has_value()) return deed;
  }
  return std::nullopt;
}

Result<std::optional<Deed>> DeedReader::Take(const eventstore::RecordView& record) {
  const eventstore::RecordHeader& header = record.header;
  if (filter_.since && header.time < filter_.since) return std::nullopt;
  if (!filter_.actor.empty() && header.actor != filter_.actor) return std::nullopt;
  if (!filter_.all && !MayBeDeed(header)) return std::nullopt;
  const auto events = model::Decode(record.body);
  if (!events.has_value()) return std::unexpected(events.error());
  Deed deed = DeedOf(record, *events);
  if (deed.kind == DeedKind::kEngine && !filter_.all) return std::nullopt;
  if (!filter_.kinds.empty() && std::ranges::find(filter_.kinds, deed.kind) == filter_.kinds.end())
    return std::nullopt;
  STELE_RETURN_IF_ERROR(NameDefinition(deed));
  if (!Fits(deed)) return std::nullopt;
  STELE_RETURN_IF_ERROR(Complete(deed));
  return deed;
}

bool DeedReader::Fits(const Deed& deed) const {
  if (!filter_.definition.empty() && deed.definition != filter_.definition) return false;
  return !filter_.instance || deed.instance == filter_.instance ||
         Contains(deed.instances, filter_.instance);
}

Status DeedReader::NameDefinition(Deed& deed) {
  if (!deed.definition.empty()) return {};
  if (deed.about_trigger) {
    if (const auto* trigger = known_->Find(deed.about_trigger))
      deed.definition = trigger->definition;
    return {};
  }
  DefinitionId runs = deed.about_definition;
  if (!runs && deed.instance) {
    const auto first = FirstOf(deed.instance);
    if (!first.has_value()) return std::unexpected(first.error());
    runs = *first;
  }
  if (const auto* registered = known_->Find(runs)) deed.definition = registered->name;
  return {};
}

Status DeedReader::Complete(Deed& deed) {
  if (deed.about_trigger) AddTarget(deed, fmt::format("trigger {}", deed.about_trigger.value));
  if (const auto* registered = known_->Find(deed.about_definition);
      registered != nullptr && !deed.run)
    AddTarget(deed, fmt::format("version {}", registered->version));
  if (!deed.about_account.empty()) return accounts_.Tell(deed);
  return deed.run || deed.step.has_value() ? NameStep(deed) : Status();
}

Status DeedReader::NameStep(Deed& deed) const {
  StepNames names(*known_, deed.run);
  const Status read = eventstore::ForEachRecord(
      store_.ReadInstance(shard_, deed.instance, Seq(1)),
      [&](const eventstore::RecordView& record) -> Result<bool> {
        if (record.position >= deed.position) return false;
        STELE_RETURN_IF_ERROR(model::DecodeEach(
            record.body, [&](const model::Event& event) { names.Follow(event); }));
        // Where it goes back to is a step of what it runs at last.
        return deed.step.has_value() || names.name().empty();
      });
  // The number alone is known of a run whose instance was cut out meanwhile.
  if (!read.has_value() && read.error().code != ErrorCode::kInstanceErased) return read;
  if (deed.step.has_value())
    if (const std::string step = names.NameOf(*deed.step); !step.empty())
      AddTarget(deed, "to step " + step);
  if (!deed.run) return {};
  AddTarget(deed, names.name().empty()
                      ? fmt::format("run {}", deed.run.value)
                      : fmt::format("step {} (run {})", names.name(), deed.run.value));
  return {};
}

Result<DefinitionId> DeedReader::FirstOf(InstanceId instance) {
  if (const auto known = first_.find(instance); known != first_.end()) return known->second;
  DefinitionId first;
  const Status read = eventstore::ForEachRecord(
      store_.ReadInstance(shard_, instance, Seq(1)),
      [&](const eventstore::RecordView& record) -> Result<bool> {
        STELE_RETURN_IF_ERROR(model::DecodeEach(record.body, [&](const model::Event& event) {
          if (const auto* started = std::get_if<model::InstanceStarted>(&event))
            first = started->definition;
          if (const auto* forked = std::get_if<model::InstanceForked>(&event)) {
            first = forked->definition;
            if (!first && forked->state.has_value()) first = forked->state->definition;
          }
        }));
        return false;
      });
  // Nobody knows any more what those ran that were removed.
  if (!read.has_value() && read.error().code != ErrorCode::kInstanceErased)
    return std::unexpected(read.error());
  if (first_.size() >= kKnownBegins) first_.clear();
  first_[instance] = first;
  return first;
}

}  // namespace stele::replay
