#include "eventstore/archive.h"

#include <fmt/format.h>

#include <algorithm>

#include "eventstore/archive_draft.h"
#include "eventstore/log_rows.h"
#include "eventstore/tree_reader.h"

namespace stele::eventstore {
namespace {

// At least: a small segment has small chunks.
constexpr uint64_t kChunksOfASegment = 4;

}  // namespace

ArchiveStore::ArchiveStore(LogDb& log, ArchiveOptions options, std::string owner)
    : log_(log),
      options_(std::move(options)),
      directory_(options_.directory, std::move(owner), log.database().GetName()) {}

Result<std::unique_ptr<ArchiveStore>> ArchiveStore::Open(LogDb& log, ArchiveOptions options,
                                                         bool writable) {
  auto owner = log.Identity();
  if (!owner) return std::unexpected(std::move(owner).error());
  std::unique_ptr<ArchiveStore> archive(
      new ArchiveStore(log, std::move(options), std::move(*owner)));
  auto shards = ArchivedShards(log);
  if (!shards) return std::unexpected(std::move(shards).error());
  for (ShardId shard : *shards) STELE_RETURN_IF_ERROR(archive->Load(shard));
  if (writable) STELE_RETURN_IF_ERROR(archive->directory_.RemoveStrays(archive->NotedFiles()));
  return archive;
}

Status ArchiveStore::Load(ShardId shard) {
  ArchiveView view;
  auto segments = ReadSegments(log_, shard);
  if (!segments) return std::unexpected(std::move(segments).error());
  view.segments = std::move(*segments);
  auto under_way = ReadCutUnderWay(log_, shard);
  if (!under_way) return std::unexpected(std::move(under_way).error());
  if (*under_way) view.hidden = (*under_way)->instances;
  std::ranges::sort(view.hidden);
  auto last_cut = LastCutInstance(log_, shard);
  if (!last_cut) return std::unexpected(std::move(last_cut).error());
  view.any_cut = *last_cut != InstanceId();
  log_.RaiseFloor(shard, view.end().next);
  Of(shard).Replace(std::move(view));
  return {};
}

ShardArchive& ArchiveStore::Of(ShardId shard) const {
  std::lock_guard lock(mutex_);
  return shards_[shard];
}

std::vector<ShardId> ArchiveStore::Shards() const {
  std::lock_guard lock(mutex_);
  std::vector<ShardId> shards;
  for (const auto& [shard, archive] : shards_)
    if (!archive.view()->segments.empty()) shards.push_back(shard);
  return shards;
}

std::set<std::string> ArchiveStore::NotedFiles() const {
  std::set<std::string> files;
  for (ShardId shard : Shards())
    for (const NotedSegment& segment : View(shard)->segments)
      files.insert(SegmentFileName(shard, segment.header.first, segment.generation));
  return files;
}

std::vector<SegmentInfo> ArchiveStore::Segments(ShardId shard) const {
  std::vector<SegmentInfo> infos;
  for (const auto& [header, generation] : View(shard)->segments)
    infos.push_back({directory_.PathOf(SegmentFileName(shard, header.first, generation)),
                     header.first, header.last, header.earliest, header.latest, header.cut,
                     header.file_bytes, header.raw_bytes, header.hash});
  return infos;
}

std::unique_ptr<BlockSource> ArchiveStore::Source(ShardId shard, std::unique_ptr<BlockSource> hot,
                                                  bool sequential) const {
  return std::make_unique<ArchiveSource>(Of(shard), directory_.path(), std::move(hot), sequential);
}

Result<bool> ArchiveStore::IsCut(ShardId shard, InstanceId instance) const {
  const auto view = View(shard);
  if (!view->any_cut) return false;
  if (view->Hides(instance)) return true;
  return InstanceWasCut(log_, shard, instance);
}

Result<ArchiveStore::Draft> ArchiveStore::Begin(ShardId shard, Position first,
                                                const NotedSegment* old) const {
  Draft draft;
  draft.generation = old == nullptr ? 1 : old->generation + 1;
  draft.aside = SegmentFileName(shard, first, draft.generation) + ".new";
  draft.end = old == nullptr ? View(shard)->end() : LogTail{first, old->header.previous};
  Step("a segment is begun");
  auto writer = SegmentWriter::Create(directory_.PathOf(draft.aside), shard,
                                      options_.target_bytes / kChunksOfASegment);
  if (!writer) return std::unexpected(std::move(writer).error());
  draft.writer = std::move(*writer);
  return draft;
}

Result<NotedSegment> ArchiveStore::Commit(Draft draft, std::span<const NotedSegment> olds,
                                          const std::vector<KeyRow>& rows) {
  Step("the segment's blocks are written");
  auto header = draft.writer->Finish();
  if (!header) return std::unexpected(std::move(header).error());
  Step("the segment is synced");
  // What is deleted next has no other copy.
  STELE_RETURN_IF_ERROR(CheckSegment(directory_.PathOf(draft.aside), *header));
  const NotedSegment segment{*header, draft.generation};
  STELE_RETURN_IF_ERROR(directory_.Place(
      draft.aside, SegmentFileName(header->shard, header->first, draft.generation)));
  draft.writer->Release();
  Step("the segment has its name");
  std::vector<LogDb::MetaChange> notes = ChangesOf(rows);
  notes.push_back(NoteSegment(segment));
  for (const NotedSegment& old : olds)
    if (old.header.first != header->first) notes.push_back(NoteNoSegment(old));
  STELE_RETURN_IF_ERROR(log_.WriteMeta(notes));
  Step("the segment is noted");
  Replace(header->shard, segment, olds);
  for (const NotedSegment& old : olds) {
    STELE_RETURN_IF_ERROR(
        directory_.Remove(SegmentFileName(header->shard, old.header.first, old.generation)));
    Step("the old segment is removed");
  }
  return segment;
}

void ArchiveStore::Replace(ShardId shard, const NotedSegment& segment,
                           std::span<const NotedSegment> olds) {
  ArchiveView view = *View(shard);
  const auto place = std::ranges::lower_bound(view.segments, segment.header.first, {},
                                              [](const NotedSegment& s) { return s.header.first; });
  const auto rest = view.segments.erase(place, place + static_cast<ptrdiff_t>(olds.size()));
  view.segments.insert(rest, segment);
  const Position floor = view.end().next;
  Of(shard).Replace(std::move(view));
  log_.RaiseFloor(shard, floor);
}

namespace {

// Opens the hot block that follows `end`; false when it is not wholly before `to`. `last` is the
// first position of the block before, or what stands for it.
Result<bool> OpenNext(BlockSource& hot, ShardId shard, Position to, const LogTail& end,
                      Position last, BlockReader* reader) {
  auto block = hot.After(last);
  if (!block) return std::unexpected(std::move(block).error());
  if (!*block) return false;
  STELE_RETURN_IF_ERROR(reader->Open((*block)->bytes, shard, (*block)->first));
  STELE_RETURN_IF_ERROR(CheckFollows(reader->header(), end));
  return reader->header().first.Plus(reader->header().count) <= to;
}

}  // namespace

Result<bool> ArchiveStore::MoveOne(ShardId shard, Position to, BlockSource& hot,
                                   ArchiveReport* report) {
  const auto view = View(shard);
  const LogTail end = view->end();
  BlockReader reader;
  auto more = OpenNext(hot, shard, to, end, Position(end.next.value - 1), &reader);
  if (!more || !*more) return more;
  const NotedSegment* old = view->segments.empty() ? nullptr : &view->segments.back();
  if (old != nullptr && old->header.file_bytes >= options_.target_bytes / 2) old = nullptr;
  const std::span<const NotedSegment> olds(old, old == nullptr ? 0 : 1);
  auto draft = Begin(shard, old == nullptr ? end.next : old->header.first, old);
  if (!draft) return std::unexpected(std::move(draft).error());
  if (old != nullptr)
    STELE_RETURN_IF_ERROR(
        draft->AddAll(directory_.PathOf(SegmentFileName(shard, old->header.first, old->generation)),
                      old->header));
  while (*more) {
    STELE_RETURN_IF_ERROR(draft->Add(reader));
    if (draft->writer->bytes() >= options_.target_bytes) break;
    more = OpenNext(hot, shard, to, draft->end, reader.header().first, &reader);
    if (!more) return more;
  }
  const Position archived = draft->end.next;
  TreeReader tree(shard,
                  Source(shard,
                         log_.Source(
                             shard, [archived] { return archived; }, true),
                         true),
                  std::make_unique<LogRows>(log_));
  const auto edge = tree.Edge(archived.value - 1);
  if (!edge) return std::unexpected(edge.error());
  auto segment = Commit(std::move(*draft), olds, {EdgeRow(shard, *edge)});
  if (!segment) return std::unexpected(std::move(segment).error());
  report->records += segment->header.last.Next().value - end.next.value;
  ++report->segments;
  report->raw_bytes += segment->header.raw_bytes;
  report->file_bytes += segment->header.file_bytes;
  return true;
}

Result<ArchiveReport> ArchiveStore::Move(ShardId shard, Position to, BlockSource& hot,
                                         const std::stop_token& stop) {
  std::lock_guard lock(working_);
  to = std::min(to, hot.End());
  ArchiveReport report;
  report.end = View(shard)->end().next;
  if (to <= report.end) return report;
  STELE_RETURN_IF_ERROR(directory_.Claim(NotedFiles()));
  while (!stop.stop_requested()) {
    auto moved = MoveOne(shard, to, hot, &report);
    if (!moved) return std::unexpected(std::move(moved).error());
    if (!*moved) break;
  }
  report.end = View(shard)->end().next;
  if (report.segments == 0) return report;
  Step("the blocks' space is given back");
  STELE_RETURN_IF_ERROR(log_.GiveBack(shard));
  Step("all is done");
  return report;
}

Status CheckCutCount(ShardId shard, const ArchiveView& archive, const ChainReport& report) {
  uint64_t noted = 0;
  for (const NotedSegment& segment : archive.segments) noted += segment.header.cut;
  if (report.cut == noted) return {};
  return Fail(ErrorCode::kStoreCorrupt,
              fmt::format("Expected {} records cut out of positions 1 to {} of shard {}, as is "
                          "noted, but found {}.",
                          noted, archive.end().next.value - 1, shard.value, report.cut));
}

}  // namespace stele::eventstore
