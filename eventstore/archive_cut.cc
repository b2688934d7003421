// Cutting instances out of the archive. First it is noted, durably, that they are gone: from then
// on no reader sees them. Then their segments are written anew, one after the other, then what
// `state` has of them goes, and last the note that a cut is under way. Segments that have become
// small by it are then put together.
#include <fmt/format.h>

#include <algorithm>

#include "eventstore/archive.h"
#include "eventstore/archive_draft.h"
#include "eventstore/cut_frames.h"
#include "eventstore/log_rows.h"

namespace stele::eventstore {
namespace {

template <class Item>
void SortUnique(std::vector<Item>* items) {
  std::ranges::sort(*items);
  items->erase(std::unique(items->begin(), items->end()), items->end());
}

}  // namespace

Result<CutReport> ArchiveStore::Cut(ShardId shard, const Erasure& erasure,
                                    const CutAccess& access) {
  std::lock_guard lock(working_);
  CutReport report;
  auto under_way = ReadCutUnderWay(log_, shard);
  if (!under_way) return std::unexpected(std::move(under_way).error());
  if (*under_way) STELE_RETURN_IF_ERROR(Finish(shard, **under_way, access, &report));
  Erasure todo{{}, erasure.notes};
  for (InstanceId instance : erasure.instances) {
    auto is_cut = IsCut(shard, instance);
    if (!is_cut) return std::unexpected(std::move(is_cut).error());
    if (*is_cut) continue;
    STELE_RETURN_IF_ERROR(access.check(instance));
    todo.instances.push_back(instance);
  }
  SortUnique(&todo.instances);
  if (!todo.instances.empty() || !todo.notes.empty()) {
    STELE_RETURN_IF_ERROR(directory_.Claim(NotedFiles()));
    STELE_RETURN_IF_ERROR(Mark(shard, todo));
    STELE_RETURN_IF_ERROR(Finish(shard, todo, access, &report));
  }
  if (report.segments > 0) STELE_RETURN_IF_ERROR(MergeSmall(shard, access.stop));
  return report;
}

Status ArchiveStore::Mark(ShardId shard, const Erasure& erasure) {
  auto notes = NoteCutRanges(log_, shard, RangesOf(erasure.instances));
  if (!notes) return std::unexpected(std::move(notes).error());
  notes->push_back(NoteCutUnderWay(shard, erasure));
  Step("a cut is begun");
  STELE_RETURN_IF_ERROR(log_.WriteMeta(*notes));
  Step("the cut is noted");
  ArchiveView view = *View(shard);
  view.hidden = erasure.instances;
  view.any_cut = view.any_cut || !erasure.instances.empty();
  Of(shard).Replace(std::move(view));
  return {};
}

Status ArchiveStore::Finish(ShardId shard, const Erasure& erasure, const CutAccess& access,
                            CutReport* report) {
  STELE_RETURN_IF_ERROR(directory_.Claim(NotedFiles()));
  std::vector<Position> touched;
  for (InstanceId instance : erasure.instances) {
    auto blocks = access.blocks(instance);
    if (!blocks) return std::unexpected(std::move(blocks).error());
    touched.insert(touched.end(), blocks->begin(), blocks->end());
  }
  SortUnique(&touched);
  std::vector<InstanceId> instances = erasure.instances;
  SortUnique(&instances);
  const auto view = View(shard);
  for (const NotedSegment& segment : view->segments) {
    if (access.stop.stop_requested())
      return Fail(
          ErrorCode::kShardStopped,
          fmt::format("Expected to cut {} instances out of shard {} but found that it is to "
                      "stop; the next call finishes it.",
                      instances.size(), shard.value));
    const auto first = std::ranges::lower_bound(touched, segment.header.first);
    if (first != touched.end() && *first <= segment.header.last)
      STELE_RETURN_IF_ERROR(Rewrite(segment, touched, instances, report));
  }
  Step("all segments are written anew");
  STELE_RETURN_IF_ERROR(access.forget(erasure));
  Step("the state is rid of them");
  // Blocks that left the hot log may still be in its files, and what was cut out in them.
  STELE_RETURN_IF_ERROR(log_.GiveBack(shard));
  STELE_RETURN_IF_ERROR(log_.WriteMeta({NoteCutUnderWay(shard, std::nullopt)}));
  Step("the cut is done");
  ArchiveView after = *View(shard);
  after.hidden.clear();
  Of(shard).Replace(std::move(after));
  report->instances += instances.size();
  return {};
}

// Where a log may be cut off, in records.
KeptSizes ArchiveStore::SegmentEnds(ShardId shard) const {
  KeptSizes ends;
  for (const NotedSegment& segment : View(shard)->segments) ends.insert(segment.header.last.value);
  return ends;
}

Status ArchiveStore::Rewrite(const NotedSegment& old, const std::vector<Position>& touched,
                             const std::vector<InstanceId>& instances, CutReport* report) {
  const SegmentHeader& header = old.header;
  auto segment = SegmentReader::Open(
      directory_.PathOf(SegmentFileName(header.shard, header.first, old.generation)), header, true);
  if (!segment) return std::unexpected(std::move(segment).error());
  auto draft = Begin(header.shard, header.first, &old);
  if (!draft) return std::unexpected(std::move(draft).error());
  draft->writer->CoverTimes(header.earliest, header.latest);
  BlockReader reader;
  std::string frames;
  std::vector<CutLeaf> leaves;
  uint64_t cut = 0;
  for (Position after(header.first.value - 1);;) {
    auto block = (*segment)->After(after);
    if (!block) return std::unexpected(std::move(block).error());
    if (!*block) break;
    after = (*block)->first;
    STELE_RETURN_IF_ERROR(reader.Open((*block)->bytes, header.shard, after, true));
    if (!std::ranges::binary_search(touched, after)) {
      STELE_RETURN_IF_ERROR(draft->Add(reader));
      continue;
    }
    BlockReader::Summary summary;
    STELE_RETURN_IF_ERROR(reader.VerifyHash(&summary));
    STELE_RETURN_IF_ERROR(reader.Open((*block)->bytes, header.shard, after, true));
    auto records = CutFrames(reader, instances, &frames, &leaves);
    if (!records) return std::unexpected(std::move(records).error());
    STELE_RETURN_IF_ERROR(draft->AddCut(reader.header(), frames, summary, *records));
    cut += *records;
  }
  if (cut == 0) return {};  // a cut that was cut off had done this one
  const auto rows = RowsOfGone(LogRows(log_), header.shard, leaves, SegmentEnds(header.shard));
  if (!rows) return std::unexpected(rows.error());
  auto committed = Commit(std::move(*draft), {&old, 1}, *rows);
  if (!committed) return std::unexpected(std::move(committed).error());
  report->records += cut;
  ++report->segments;
  return {};
}

namespace {

// Neighbours that are to be one segment, at most so large: behind the first of them lies as much as
// it has itself, so that what is written for it again is paid for by what came since. One that is
// whole stays by itself: a log may be restored up to any place in it. None: empty.
std::span<const NotedSegment> NextToMerge(std::span<const NotedSegment> segments,
                                          uint64_t target_bytes) {
  for (size_t first = 0; first < segments.size(); ++first) {
    if (segments[first].header.cut == 0) continue;
    const uint64_t own = segments[first].header.file_bytes;
    uint64_t behind = 0;
    size_t end = first + 1;
    for (; end < segments.size(); ++end) {
      const uint64_t more = segments[end].header.file_bytes;
      if (segments[end].header.cut == 0 || own + behind + more > target_bytes) break;
      behind += more;
    }
    if (end > first + 1 && behind >= own) return segments.subspan(first, end - first);
  }
  return {};
}

}  // namespace

Status ArchiveStore::MergeSmall(ShardId shard, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto view = View(shard);
    const auto olds = NextToMerge(view->segments, options_.target_bytes);
    if (olds.empty()) break;
    auto draft = Begin(shard, olds.front().header.first, &olds.front());
    if (!draft) return std::unexpected(std::move(draft).error());
    for (const NotedSegment& old : olds)
      STELE_RETURN_IF_ERROR(draft->AddAll(
          directory_.PathOf(SegmentFileName(shard, old.header.first, old.generation)), old.header));
    auto merged = Commit(std::move(*draft), olds);
    if (!merged) return std::unexpected(std::move(merged).error());
  }
  return {};
}

}  // namespace stele::eventstore
