// The archive of a store: whole blocks of its shards in segment files, outside the hot log.
//
// How a segment comes and goes, so that a crash at any point loses nothing and shows nothing twice:
// it is written aside, synced, read back and checked, renamed, the directory synced; then noted in
// the log's database, synced. That note is the one moment at which blocks change their place. Only
// then the blocks leave the hot log, or the segment that it replaces is removed. A file without a
// note is removed at the next start.
//
// Threads: any. Move and Cut one at a time, each waits for the other; readers never wait.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "eventstore/archive_directory.h"
#include "eventstore/archive_source.h"
#include "eventstore/archive_view.h"
#include "eventstore/gone_nodes.h"
#include "eventstore/log_db.h"
#include "eventstore/retention.h"
#include "eventstore/segment_writer.h"

namespace stele::eventstore {

struct ArchiveOptions {
  std::string directory;
  // Where a segment ends; one below half of it grows at the next Move.
  uint64_t target_bytes;
  // Told before and after everything that changes the disk. For tests that stop it there.
  std::function<void(std::string_view)> on_step;
};

class ArchiveStore {
 public:
  // Reads what is noted of all shards, and no segment. Removes strays if `writable`.
  // REQUIRES: `log` is open and outlives the archive.
  static Result<std::unique_ptr<ArchiveStore>> Open(LogDb& log, ArchiveOptions options,
                                                    bool writable);

  std::vector<ShardId> Shards() const;
  ShardArchive::ViewPointer View(ShardId shard) const { return Of(shard).view(); }
  std::vector<SegmentInfo> Segments(ShardId shard) const;
  // The shard's blocks, wherever they are.
  std::unique_ptr<BlockSource> Source(ShardId shard, std::unique_ptr<BlockSource> hot,
                                      bool sequential) const;
  Result<bool> IsCut(ShardId shard, InstanceId instance) const;

  // Moves whole blocks before `to`. `hot` gives the blocks of the hot log.
  Result<ArchiveReport> Move(ShardId shard, Position to, BlockSource& hot,
                             const std::stop_token& stop);

  // What a cut needs of the store around it.
  struct CutAccess {
    // Looked at between two segments.
    std::stop_token stop;
    // kWrongState and so on when the instance may not be cut out.
    std::function<Status(InstanceId)> check;
    // First positions of the blocks that may hold the instance.
    std::function<Result<std::vector<Position>>(InstanceId)> blocks;
    // Erases what `state` has, durably.
    std::function<Status(const Erasure&)> forget;
  };
  Result<CutReport> Cut(ShardId shard, const Erasure& erasure, const CutAccess& access);

  // While it is held, no segment comes or goes.
  std::unique_lock<std::mutex> Hold() const { return std::unique_lock(working_); }

 private:
  struct Draft;
  ArchiveStore(LogDb& log, ArchiveOptions options, std::string owner);
  Status Load(ShardId shard);
  ShardArchive& Of(ShardId shard) const;
  std::set<std::string> NotedFiles() const;
  void Step(std::string_view what) const {
    if (options_.on_step) options_.on_step(what);
  }

  // A new segment, aside; it replaces `old`, if any, whose first position it keeps.
  Result<Draft> Begin(ShardId shard, Position first, const NotedSegment* old) const;
  // It takes the place of `olds`, which follow each other, the first of them its own first.
  // `rows` of the log's tree are noted with it.
  Result<NotedSegment> Commit(Draft draft, std::span<const NotedSegment> olds,
                              const std::vector<KeyRow>& rows = {});
  Result<bool> MoveOne(ShardId shard, Position to, BlockSource& hot, ArchiveReport* report);
  void Replace(ShardId shard, const NotedSegment& segment, std::span<const NotedSegment> olds);
  // Segments that have become small together, so that their number stays bounded.
  Status MergeSmall(ShardId shard, const std::stop_token& stop);

  KeptSizes SegmentEnds(ShardId shard) const;
  Status Mark(ShardId shard, const Erasure& erasure);
  Status Finish(ShardId shard, const Erasure& erasure, const CutAccess& access, CutReport* report);
  Status Rewrite(const NotedSegment& old, const std::vector<Position>& touched,
                 const std::vector<InstanceId>& instances, CutReport* report);

  LogDb& log_;
  const ArchiveOptions options_;
  const ArchiveDirectory directory_;
  mutable std::mutex working_;  // Move, Cut
  mutable std::mutex mutex_;    // of shards_
  mutable std::map<ShardId, ShardArchive> shards_;
};

// Whether a walk along the whole chain found as many records cut out as are noted.
Status CheckCutCount(ShardId shard, const ArchiveView& archive, const ChainReport& report);

// Reads every block of a segment and checks it, its link and its records' hashes.
Status CheckSegment(const std::string& path, const SegmentHeader& header);

}  // namespace stele::eventstore
