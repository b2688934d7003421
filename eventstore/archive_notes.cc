#include "eventstore/archive_notes.h"

#include <fmt/format.h>

#include <algorithm>

namespace stele::eventstore {
namespace {

constexpr std::string_view kSegmentKey = "segment";   // shard, first position
constexpr std::string_view kInstanceKey = "cut";      // shard, first instance of a range
constexpr std::string_view kUnderWayKey = "erasing";  // shard
constexpr char kNoteVersion = 1;

template <class... Numbers>
std::string Key(std::string_view prefix, ShardId shard, Numbers... numbers) {
  const auto tail = ShardKey(shard, numbers...);
  return std::string(prefix).append(tail.data(), tail.size());
}

void PutNumber(uint64_t number, std::string* out) {
  char bytes[8];
  StoreLittle(number, bytes);
  out->append(bytes, sizeof bytes);
}

bool TakeNumber(std::string_view* in, uint64_t* number) {
  if (in->size() < 8) return false;
  *number = LoadLittle<uint64_t>(in->data());
  in->remove_prefix(8);
  return true;
}

std::unexpected<Error> BadNote(std::string_view what, ShardId shard) {
  return Fail(ErrorCode::kStoreCorrupt,
              fmt::format("Expected {} of shard {} in a known form among the log's notes but found "
                          "other bytes.",
                          what, shard.value));
}

Result<NotedSegment> DecodeSegment(ShardId shard, std::string_view key, std::string_view value) {
  if (key.size() != 8 || value.size() != 1 + 8 + kSegmentHeaderBytes || value[0] != kNoteVersion)
    return BadNote("a segment", shard);
  NotedSegment segment;
  segment.generation = LoadLittle<uint64_t>(value.data() + 1);
  auto header = DecodeSegmentHeader(value.substr(9));
  if (!header) return std::unexpected(std::move(header).error());
  if (header->shard != shard || header->first.value != LoadBig<uint64_t>(key.data()))
    return BadNote("a segment", shard);
  segment.header = *header;
  return segment;
}

bool DecodeErasure(std::string_view value, Erasure* erasure) {
  uint64_t count = 0;
  if (value.empty() || value[0] != kNoteVersion) return false;
  value.remove_prefix(1);
  if (!TakeNumber(&value, &count) || count > value.size() / 8) return false;
  for (uint64_t instance = 0; count > 0 && TakeNumber(&value, &instance); --count)
    erasure->instances.push_back(InstanceId(instance));
  while (!value.empty()) {
    uint64_t size = 0;
    if (!TakeNumber(&value, &size) || size > value.size()) return false;
    erasure->notes.emplace_back(value.substr(0, size));
    value.remove_prefix(size);
  }
  return true;
}

}  // namespace

std::string SegmentFileName(ShardId shard, Position first, uint64_t generation) {
  return fmt::format("{}-{}-{}{}", shard.value, first.value, generation, kSegmentSuffix);
}

LogDb::MetaChange NoteSegment(const NotedSegment& segment) {
  std::string value(1, kNoteVersion);
  PutNumber(segment.generation, &value);
  value += EncodeSegmentHeader(segment.header);
  return {Key(kSegmentKey, segment.header.shard, segment.header.first.value), std::move(value)};
}

LogDb::MetaChange NoteNoSegment(const NotedSegment& segment) {
  return {Key(kSegmentKey, segment.header.shard, segment.header.first.value), std::nullopt};
}

LogDb::MetaChange NoteCutUnderWay(ShardId shard, const std::optional<Erasure>& erasure) {
  LogDb::MetaChange change{Key(kUnderWayKey, shard), std::nullopt};
  if (!erasure) return change;
  std::string value(1, kNoteVersion);
  PutNumber(erasure->instances.size(), &value);
  for (InstanceId instance : erasure->instances) PutNumber(instance.value, &value);
  for (const std::string& note : erasure->notes) {
    PutNumber(note.size(), &value);
    value += note;
  }
  change.value = std::move(value);
  return change;
}

Result<std::vector<ShardId>> ArchivedShards(const LogDb& log) {
  std::vector<ShardId> shards;
  const auto add = [&](std::string_view key, std::string_view) -> Status {
    if (key.size() < 4) return BadNote("an entry", ShardId(0));
    const ShardId shard(LoadBig<uint32_t>(key.data()));
    if (std::ranges::find(shards, shard) == shards.end()) shards.push_back(shard);
    return {};
  };
  STELE_RETURN_IF_ERROR(log.ForEachMeta(kSegmentKey, add));
  STELE_RETURN_IF_ERROR(log.ForEachMeta(kUnderWayKey, add));
  return shards;
}

Result<std::vector<NotedSegment>> ReadSegments(const LogDb& log, ShardId shard) {
  std::vector<NotedSegment> segments;
  LogTail end;
  STELE_RETURN_IF_ERROR(log.ForEachMeta(
      Key(kSegmentKey, shard), [&](std::string_view key, std::string_view value) -> Status {
        auto segment = DecodeSegment(shard, key, value);
        if (!segment) return std::unexpected(std::move(segment).error());
        if (segment->header.first != end.next || segment->header.previous != end.hash)
          return Fail(ErrorCode::kStoreCorrupt,
                      fmt::format("Expected a segment that begins at position {} of shard {} "
                                  "behind hash {} among the log's notes but found one that begins "
                                  "at {} behind {}.",
                                  end.next.value, shard.value, ToHex(end.hash),
                                  segment->header.first.value, ToHex(segment->header.previous)));
        end = {segment->header.last.Next(), segment->header.hash};
        segments.push_back(*segment);
        return {};
      }));
  return segments;
}

namespace {

Result<InstanceRange> DecodeRange(ShardId shard, std::string_view key, std::string_view value) {
  if (key.size() != 8 || value.size() != 9 || value[0] != kNoteVersion)
    return BadNote("instances that were cut out", shard);
  return InstanceRange{InstanceId(LoadBig<uint64_t>(key.data())),
                       InstanceId(LoadLittle<uint64_t>(value.data() + 1))};
}

// The last one that begins at or before the instance.
Result<std::optional<InstanceRange>> RangeUpTo(const LogDb& log, ShardId shard,
                                               InstanceId instance) {
  const std::string prefix = Key(kInstanceKey, shard);
  auto row = log.LastMeta(prefix, Key(kInstanceKey, shard, instance.value).substr(prefix.size()));
  if (!row) return std::unexpected(std::move(row).error());
  if (!*row) return std::nullopt;
  auto range = DecodeRange(shard, (*row)->key, (*row)->value);
  if (!range) return std::unexpected(std::move(range).error());
  return *range;
}

}  // namespace

Result<std::vector<LogDb::MetaChange>> NoteCutRanges(const LogDb& log, ShardId shard,
                                                     const std::vector<InstanceRange>& ranges) {
  std::vector<LogDb::MetaChange> changes;
  std::vector<InstanceRange> grown;
  for (const InstanceRange& range : ranges) {
    const bool goes_on = !grown.empty() && grown.back().last.Next() == range.first;
    if (goes_on) {
      grown.back().last = range.last;
    } else {
      grown.push_back(range);
      auto left = RangeUpTo(log, shard, range.first);
      if (!left) return std::unexpected(std::move(left).error());
      if (*left && (*left)->last.Next() == range.first) grown.back().first = (*left)->first;
    }
    const InstanceId next = range.last.Next();
    auto right = RangeUpTo(log, shard, next);
    if (!right) return std::unexpected(std::move(right).error());
    if (!*right || (*right)->first != next) continue;
    grown.back().last = (*right)->last;
    changes.push_back({Key(kInstanceKey, shard, next.value), std::nullopt});
  }
  for (const InstanceRange& range : grown) {
    std::string value(1, kNoteVersion);
    PutNumber(range.last.value, &value);
    changes.push_back({Key(kInstanceKey, shard, range.first.value), std::move(value)});
  }
  return changes;
}

Result<InstanceId> LastCutInstance(const LogDb& log, ShardId shard) {
  auto last = RangeUpTo(log, shard, InstanceId(UINT64_MAX));
  if (!last) return std::unexpected(std::move(last).error());
  return *last ? (*last)->last : InstanceId();
}

Result<std::vector<InstanceRange>> CutRanges(const LogDb& log, ShardId shard) {
  std::vector<InstanceRange> ranges;
  STELE_RETURN_IF_ERROR(log.ForEachMeta(
      Key(kInstanceKey, shard), [&](std::string_view key, std::string_view value) -> Status {
        auto range = DecodeRange(shard, key, value);
        if (!range) return std::unexpected(std::move(range).error());
        ranges.push_back(*range);
        return {};
      }));
  return ranges;
}

Result<bool> InstanceWasCut(const LogDb& log, ShardId shard, InstanceId instance) {
  auto range = RangeUpTo(log, shard, instance);
  if (!range) return std::unexpected(std::move(range).error());
  return *range && instance <= (*range)->last;
}

Result<std::optional<Erasure>> ReadCutUnderWay(const LogDb& log, ShardId shard) {
  auto note = log.ReadMeta(Key(kUnderWayKey, shard));
  if (!note) return std::unexpected(std::move(note).error());
  if (!*note) return std::nullopt;
  Erasure erasure;
  if (!DecodeErasure(**note, &erasure)) return BadNote("the cut under way", shard);
  return erasure;
}

}  // namespace stele::eventstore
