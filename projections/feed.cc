#include "projections/feed.h"

#include <algorithm>

#include "engine/apply/apply.h"
#include "engine/model/codec.h"

namespace stele::projections {

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
  Position last = position_;
  while (records < max_records) {
    const auto record = Peek(end);
    if (!record.has_value()) return std::unexpected(record.error());
    if (*record == nullptr) break;
    last = (*record)->position;
    STELE_RETURN_IF_ERROR(Take(**record));
    next_.reset();
    ++records;
  }
  if (records == 0) return 0;
  position_ = last;
  STELE_RETURN_IF_ERROR(Write());
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
  return model::DecodeEach(record.body, [&](const model::Event& event) {
    apply::Apply(tracker_.registry(), event, context);
    for (Member& member : members_)
      member.view->OnRegistry(event, tracker_.registry(), info, *member.writer);
  });
}

Status Feed::Write() {
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
  return store_.Write(changes, position_);
}

}  // namespace stele::projections
