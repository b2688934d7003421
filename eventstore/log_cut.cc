#include "eventstore/log_cut.h"

#include <fmt/format.h>

#include <algorithm>

#include "eventstore/archive_notes.h"
#include "eventstore/block_reader.h"
#include "eventstore/block_sealer.h"
#include "eventstore/block_source.h"
#include "eventstore/gone_nodes.h"
#include "eventstore/log_rows.h"
#include "eventstore/master_row.h"
#include "eventstore/payload_keys.h"

namespace stele::eventstore {
namespace {

constexpr size_t kRowsAtOnce = 4096;

// The records of the block up to `last`, sealed anew; all of them: with the hash that it had.
// REQUIRES: the reader has just opened it.
Status SealAnew(BlockReader& reader, ShardId shard, const LogTail& before, Position last, LogDb* to,
                LogTail* after) {
  Batch batch;
  RecordView record;
  Error error{};
  while (!reader.AtEnd() && reader.next_position() <= last) {
    if (!reader.Next(&record, &error)) return std::unexpected(std::move(error));
    batch.AddFrame(reader.frame());
  }
  SealedBlock sealed;
  BlockSealer sealer;
  STELE_RETURN_IF_ERROR(sealer.Seal(shard, before, batch, &sealed));
  STELE_RETURN_IF_ERROR(to->ImportBlock(shard, sealed.before.next, sealed.value));
  *after = sealed.after;
  return {};
}

// The highest number among the instances with records up to `last`. Numbers are given in order.
Result<InstanceId> HighestInstance(const WholeLog& from, const LogCut& cut) {
  const auto source = from.Source(cut.shard, cut.last.Next());
  BlockReader reader;
  RecordView record;
  Error error{};
  InstanceId highest;
  for (Position next(1); next <= cut.last; next = reader.next_position()) {
    STELE_RETURN_IF_ERROR(OpenBlockAt(*source, cut.shard, next, &reader));
    while (!reader.AtEnd() && reader.next_position() <= cut.last) {
      if (!reader.Next(&record, &error)) return std::unexpected(std::move(error));
      if (!reader.cut()) highest = std::max(highest, record.header.instance);
    }
    if (!reader.AtEnd()) break;
  }
  return highest;
}

// Of an instance that began later nothing is known: its number will be given again.
Status NoteCutInstances(const WholeLog& from, const LogCut& cut, LogDb* to) {
  auto ranges = CutRanges(from.log(), cut.shard);
  if (!ranges) return std::unexpected(ranges.error());
  if (ranges->empty()) return {};
  const auto highest = HighestInstance(from, cut);
  if (!highest) return std::unexpected(highest.error());
  std::erase_if(*ranges, [&](const InstanceRange& range) { return range.first > *highest; });
  for (InstanceRange& range : *ranges) range.last = std::min(range.last, *highest);
  const auto notes = NoteCutRanges(*to, cut.shard, *ranges);
  if (!notes) return std::unexpected(notes.error());
  return notes->empty() ? Status() : to->WriteMeta(*notes);
}

// The keys of what stays; what came later is not to find its number's key, or that it was
// destroyed.
Status KeepKeys(const WholeLog& from, const std::vector<LogCut>& cuts, LogDb* to) {
  if (!from.log().HasKeys()) return {};
  STELE_RETURN_IF_ERROR(to->MakeKeys());
  const auto master = from.log().ReadMeta(kMasterRowName);
  if (!master) return std::unexpected(master.error());
  if (*master) STELE_RETURN_IF_ERROR(to->WriteMeta({{std::string(kMasterRowName), *master}}));
  for (const LogCut& cut : cuts) {
    const auto highest = HighestInstance(from, cut);
    if (!highest) return std::unexpected(highest.error());
    STELE_RETURN_IF_ERROR(from.log().ForEachKey([&](std::string_view name, std::string_view row) {
      const auto id = PayloadKeyId::Parse(name);
      const bool stays =
          id && id->shard == cut.shard && id->instance <= *highest && id->record <= cut.last;
      return stays ? to->ImportKey(name, row) : Status();
    }));
  }
  return {};
}

// Notes the segments that stay. Where the last of them ends.
Result<LogTail> KeepSegments(const WholeLog& from, const LogCut& cut, LogDb* to,
                             std::set<std::string>* names) {
  std::vector<LogDb::MetaChange> notes;
  LogTail end;
  const auto view = from.archive().View(cut.shard);
  for (const NotedSegment& segment : view->segments) {
    if (segment.header.last > cut.last) break;
    notes.push_back(NoteSegment(segment));
    names->insert(SegmentFileName(cut.shard, segment.header.first, segment.generation));
    end = {segment.header.last.Next(), segment.header.hash};
  }
  if (!notes.empty()) STELE_RETURN_IF_ERROR(to->WriteMeta(notes));
  return end;
}

// What is stored of the tree over the records that stay, and the heads over them.
Status KeepTree(const WholeLog& from, const LogCut& cut, LogDb* to) {
  std::vector<KeyRow> rows;
  const auto write = [&]() -> Status {
    const Status written = to->WriteMeta(ChangesOf(rows));
    rows.clear();
    return written;
  };
  STELE_RETURN_IF_ERROR(ForEachRowWithin(LogRows(from.log()), cut.shard, cut.last.value,
                                         [&](const KeyRow& row) -> Status {
                                           rows.push_back(row);
                                           return rows.size() < kRowsAtOnce ? Status() : write();
                                         }));
  // Of the last group, which goes on with other records.
  const uint64_t group = cut.last.value / kGroupRecords;
  auto gone = ReadGone(LogRows(from.log()), cut.shard, group);
  if (!gone) return std::unexpected(std::move(gone).error());
  gone->Truncate(cut.last.value % kGroupRecords);
  if (!gone->empty()) rows.push_back({GoneRowName(cut.shard, group), gone->Encode()});
  return rows.empty() ? Status() : write();
}

Status CopyShard(const WholeLog& from, const LogCut& cut, LogDb* to,
                 std::set<std::string>* segments) {
  const auto kept = KeepSegments(from, cut, to, segments);
  if (!kept) return std::unexpected(kept.error());
  STELE_RETURN_IF_ERROR(NoteCutInstances(from, cut, to));
  LogTail tail = *kept;
  const auto source = from.Source(cut.shard, cut.last.Next());
  BlockReader reader;
  while (tail.next <= cut.last) {
    auto block = source->After(Position(tail.next.value - 1));
    if (!block) return std::unexpected(std::move(block).error());
    if (!*block || (*block)->first != tail.next)
      return Fail(ErrorCode::kStoreCorrupt,
                  fmt::format("Expected a block that begins at position {} of shard {} but found "
                              "none.",
                              tail.next.value, cut.shard.value));
    STELE_RETURN_IF_ERROR(reader.Open((*block)->bytes, cut.shard, tail.next, (*block)->archived));
    const BlockHeader& header = reader.header();
    const LogTail end{header.first.Plus(header.count), header.hash};
    // What comes out of a segment is not compressed.
    if (end.next > cut.last.Next() || (*block)->archived) {
      STELE_RETURN_IF_ERROR(SealAnew(reader, cut.shard, tail, cut.last, to, &tail));
      continue;
    }
    STELE_RETURN_IF_ERROR(to->ImportBlock(cut.shard, tail.next, (*block)->bytes));
    tail = end;
  }
  STELE_RETURN_IF_ERROR(KeepTree(from, cut, to));
  STELE_RETURN_IF_ERROR(to->Flush());
  return to->WriteKnownTail(cut.shard, tail);
}

}  // namespace

Status CheckCut(const WholeLog& from, const LogCut& cut) {
  const auto view = from.archive().View(cut.shard);
  if (!view->hidden.empty())
    return Fail(ErrorCode::kUnsupported,
                fmt::format("Expected a log out of which nothing was being cut when it was backed "
                            "up but found {} instances of shard {} half gone; restore all of it.",
                            view->hidden.size(), cut.shard.value));
  for (const NotedSegment& segment : view->segments) {
    const SegmentHeader& header = segment.header;
    if (header.cut == 0 || header.first > cut.last || header.last <= cut.last) continue;
    const Position before(header.first.value - 1);
    return Fail(
        ErrorCode::kUnsupported,
        fmt::format("Expected a segment of the archive that is whole at position {} of "
                    "shard {} but found that records were cut out of it; restore to "
                    "{}position {} or later, or take an earlier backup.",
                    cut.last.value, cut.shard.value,
                    before ? fmt::format("position {} or earlier, or to ", before.value) : "",
                    header.last.value));
  }
  return {};
}

Status CopyLogUpTo(const WholeLog& from, const std::vector<LogCut>& cuts, LogDb* to,
                   std::set<std::string>* segments) {
  STELE_RETURN_IF_ERROR(KeepKeys(from, cuts, to));
  for (const LogCut& cut : cuts) STELE_RETURN_IF_ERROR(CopyShard(from, cut, to, segments));
  return {};
}

}  // namespace stele::eventstore
