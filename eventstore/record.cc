#include "eventstore/record.h"

#include "base/check.h"
#include "eventstore/format.h"
#include "eventstore/limits.h"

namespace stele::eventstore {

void Batch::Add(const RecordHeader& header, std::string_view body) {
  const size_t size = FrameSize(header.actor.size() + header.source.size(), body.size());
  CHECK(body.size() % kFrameAlignment == 0, "body of {} bytes", body.size());
  CHECK(header.actor.size() <= kMaxActorBytes, "actor of {} bytes", header.actor.size());
  CHECK(header.source.size() <= kMaxSourceBytes, "source of {} bytes", header.source.size());
  CHECK(size <= kMaxRecordBytes, "record of {} bytes", size);
  CHECK(frames_.size() + size <= UINT32_MAX, "batch of {} bytes", frames_.size());
  offsets_.push_back(static_cast<uint32_t>(frames_.size()));
  AppendFrame(header, body, &frames_);
}

void Batch::AddFrame(std::string_view frame) {
  offsets_.push_back(static_cast<uint32_t>(frames_.size()));
  frames_.append(frame);
}

void Batch::Append(const Batch& other, uint32_t from) {
  if (from >= other.count()) return;
  const uint32_t start = other.offsets_[from];
  const size_t base = frames_.size();
  CHECK(base + other.bytes() <= UINT32_MAX, "batch of {} bytes", base);
  frames_.append(other.frames_, start);
  for (uint32_t i = from; i < other.count(); ++i)
    offsets_.push_back(static_cast<uint32_t>(base + other.offsets_[i] - start));
}

void Batch::Truncate(uint32_t count) {
  CHECK(count <= offsets_.size(), "{} of {} records", count, offsets_.size());
  if (count == offsets_.size()) return;
  frames_.resize(offsets_[count]);
  offsets_.resize(count);
}

void Batch::Clear() {
  frames_.clear();
  offsets_.clear();
}

}  // namespace stele::eventstore
