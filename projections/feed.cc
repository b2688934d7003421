#include "projections/feed.h"

#include <algorithm>

#include "base/instance_ranges.h"
#include "engine/apply/apply.h"
#include "engine/model/codec.h"
#include "projections/limits.h"
#include "projections/log_mark.h"
#include "projections/removal.h"

namespace stele::projections {

namespace {

Result<bool> IsRemoval(const eventstore::RecordView& record) {
  if (record.header.instance) return false;
  bool removes = false;
  STELE_RETURN_IF_ERROR(model::DecodeEach(record.body, [&](const model::Event& event) {
    removes = removes || std::holds_alternative<model::InstancesPurged>(event) ||
              std::holds_alternative<model::InstancesErased>(event);
  }));
  return removes;
}

}  // namespace

void Feed::Add(std::unique_ptr<View> view, std::shared_ptr<Generation> generation) {
  auto writer = std::make_unique<ViewWriter>(*generation);
  members_.push_back({std::move(view), std::move(generation), std::move(writer)});
}

void Feed::Join(Feed& other) {
  std::ranges::move(other.members_, std::back_inserter(members_));
  other.members_.clear();
}

void Feed::Remove(const Generation& generation) {
  std::erase_if(members_,
                [&](const Member& member) { return member.generation.get() == &generation; });
}

Result<uint64_t> Feed::Step(uint64_t max_records, Position end) {
  if (cursor_ == nullptr) {
    STELE_RETURN_IF_ERROR(tracker_.Begin(position_));
    auto cursor = log_.Read(shard_, position_.Next());
    if (!cursor.has_value()) return std::unexpected(cursor.error());
    cursor_ = *std::move(cursor);
  }
  uint64_t records = 0;
  size_t bytes = 0;
  Position last = position_;
  eventstore::RecordHeader last_header;
  while (records < max_records && bytes < kBatchBytes) {
    const auto record = Peek(end);
    if (!record.has_value()) return std::unexpected(record.error());
    if (*record == nullptr) break;
    // What takes rows away is a batch of its own: it finds those that are written.
    const Result<bool> removes = IsRemoval(**record);
    if (!removes.has_value()) return std::unexpected(removes.error());
    if (*removes && records > 0) break;
    last = (*record)->position;
    last_header = (*record)->header;
    bytes += (*record)->body.size();
    STELE_RETURN_IF_ERROR(Take(**record));
    next_.reset();
    ++records;
    if (*removes) break;
  }
  if (records == 0) return 0;
  position_ = last;
  const std::string mark = MarkOf(last_header);
  STELE_RETURN_IF_ERROR(Write(mark));
  return records;
}

// The next record; null: there is none up to `end`.
Result<const eventstore::RecordView*> Feed::Peek(Position end) {
  if (!next_.has_value()) {
    auto record = cursor_->Next();
    if (!record.has_value()) return std::unexpected(record.error());
    next_ = *record;
  }
  return next_.has_value() && next_->position <= end ? &*next_ : nullptr;
}

Status Feed::Take(const eventstore::RecordView& record) {
  if (!record.header.instance) return TakeRegistry(record);
  Result<model::Instance*> instance = tracker_.Before(record);
  if (!instance.has_value()) return std::unexpected(instance.error());
  const model::RecordContext context{record.position, record.header.time};
  const RecordInfo info{record.header.instance, record.position, record.header.time,
                        record.header.actor};
  return model::DecodeEach(record.body, [&](const model::Event& event) {
    for (Member& member : members_)
      member.view->OnEvent(event, **instance, tracker_.registry(), info, *member.writer);
    apply::Apply(**instance, event, context);
  });
}

Status Feed::TakeRegistry(const eventstore::RecordView& record) {
  const model::RecordContext context{record.position, record.header.time};
  const RecordInfo info{record.header.instance, record.position, record.header.time,
                        record.header.actor};
  return model::DecodeEach(record.body, [&](const model::Event& event) -> Status {
    apply::Apply(tracker_.registry(), event, context);
    for (Member& member : members_)
      member.view->OnRegistry(event, tracker_.registry(), info, *member.writer);
    if (const auto* purged = std::get_if<model::InstancesPurged>(&event))
      return TakePurge(*purged, record.position);
    if (const auto* erased = std::get_if<model::InstancesErased>(&event))
      return TakeErasure(*erased, record.position);
    return {};
  });
}

// A generation that began before they were cut out has seen them, unless it has come here so late
// that some were gone: then nobody knows what it lacks, and it has to begin anew.
Status Feed::TakePurge(const model::InstancesPurged& purged, Position position) {
  const Result<bool> is_cut = WasCutOut(log_, shard_, purged.instances);
  if (!is_cut.has_value()) return std::unexpected(is_cut.error());
  const std::vector<InstanceId> instances = InstancesIn(purged.instances);
  for (Member& member : members_) {
    const bool unseen = position <= member.generation->cut_before();
    if (*is_cut && !unseen) return CutMeanwhile(position);
    for (const InstanceId instance : instances) member.view->Forget(instance, *member.writer);
    if (!unseen || !member.view->keeps_totals()) continue;
    for (const model::ViewRow& row : purged.totals)
      if (row.view == member.view->name()) member.view->Merge(row, *member.writer);
  }
  return {};
}

// What they are without payloads is what every building has of them from here on, whether it saw
// the payloads or not.
Status Feed::TakeErasure(const model::InstancesErased& erased, Position position) {
  const std::vector<InstanceId> instances = InstancesIn(erased.instances);
  std::vector<ViewFeeding> feedings;
  for (Member& member : members_) {
    if (member.view->keeps_totals()) continue;
    for (const InstanceId instance : instances) member.view->Forget(instance, *member.writer);
    feedings.push_back({member.view.get(), member.writer.get()});
  }
  // Those that were purged later, and cut out before these buildings began, are not there.
  const bool may_lack = std::ranges::all_of(
      members_, [&](const Member& member) { return member.generation->cut_before() > position; });
  for (const InstanceId instance : instances) {
    const Status fed =
        FeedInstance(log_, shard_, instance, tracker_.registry(), Payloads::kBlanked, feedings);
    const bool is_gone = !fed.has_value() && fed.error().code == ErrorCode::kInstanceErased;
    if (!fed.has_value() && !(is_gone && may_lack)) return fed;
  }
  return {};
}

Status Feed::Write(std::string_view mark) {
  std::vector<ViewStore::Change> changes;
  for (Member& member : members_) {
    tracker_.ForEachTouched([&](const model::Instance& instance) {
      member.view->OnInstance(instance, tracker_.registry(), *member.writer);
    });
    member.view->EndBatch(*member.writer);
    STELE_RETURN_IF_ERROR(member.writer->status());
    changes.push_back({member.generation.get(), member.writer.get()});
  }
  tracker_.Trim();
  return store_.Write(changes, position_, mark);
}

}  // namespace stele::projections
