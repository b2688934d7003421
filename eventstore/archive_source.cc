#include "eventstore/archive_source.h"

#include <algorithm>

namespace stele::eventstore {

ArchiveSource::ArchiveSource(const ShardArchive& archive, std::string directory,
                             std::unique_ptr<BlockSource> log, bool sequential)
    : archive_(archive),
      directory_(std::move(directory)),
      log_(std::move(log)),
      sequential_(sequential),
      view_(archive.view()) {}

void ArchiveSource::Refresh() {
  auto now = archive_.view();
  if (now == view_) return;
  reader_.reset();
  segment_ = nullptr;
  view_ = std::move(now);
}

Status ArchiveSource::OpenSegment(Position position) {
  const NotedSegment& wanted = view_->Of(position);
  if (segment_ == &wanted) return {};
  segment_ = nullptr;
  const SegmentHeader& header = wanted.header;
  auto reader = SegmentReader::Open(
      directory_ + "/" + SegmentFileName(header.shard, header.first, wanted.generation), header,
      sequential_);
  if (!reader) return std::unexpected(std::move(reader).error());
  reader_ = std::move(*reader);
  segment_ = &wanted;
  return {};
}

Result<std::optional<StoredBlock>> ArchiveSource::FindArchived(Position position) {
  STELE_RETURN_IF_ERROR(OpenSegment(position));
  auto block = reader_->Find(position);
  if (!block) return std::unexpected(std::move(block).error());
  return *block;
}

Result<std::optional<StoredBlock>> ArchiveSource::AfterArchived(Position position) {
  const Position end = view_->end().next;
  for (Position next = position.Next(); next < end; next = segment_->header.last.Next()) {
    STELE_RETURN_IF_ERROR(OpenSegment(next));
    auto block = reader_->After(position);
    if (!block || *block) return block;
  }
  return std::nullopt;
}

// A segment may be replaced and removed in the moment in which it is opened, and a block leave the
// hot log for the archive in the moment in which it is looked for there. Asked again then.
template <class Ask>
Result<std::optional<StoredBlock>> ArchiveSource::Settled(Ask ask) {
  for (;;) {
    Refresh();
    Result<std::optional<StoredBlock>> block = ask(view_->end().next);
    if (archive_.view() == view_) return block;
  }
}

Result<std::optional<StoredBlock>> ArchiveSource::Find(Position position) {
  return Settled([&](Position end) -> Result<std::optional<StoredBlock>> {
    if (position.value > 0 && position < end) return FindArchived(position);
    auto block = log_->Find(position);
    if (!block || *block || end == Position(1) || position < end) return block;
    return FindArchived(Position(end.value - 1));
  });
}

Result<std::optional<StoredBlock>> ArchiveSource::After(Position position) {
  return Settled([&](Position end) -> Result<std::optional<StoredBlock>> {
    auto block = AfterArchived(position);
    if (!block || *block) return block;
    return log_->After(std::max(position, Position(end.value - 1)));
  });
}

}  // namespace stele::eventstore
