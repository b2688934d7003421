// The blocks of a shard across the archive and the hot log: what lies before the archive's end
// comes from segments, the rest from the hot log. Blocks that move from one to the other meanwhile
// are found in either.
#pragma once

#include <memory>
#include <string>

#include "eventstore/archive_view.h"
#include "eventstore/block_source.h"
#include "eventstore/segment_reader.h"

namespace stele::eventstore {

class ArchiveSource final : public BlockSource {
 public:
  // `directory` holds the segments' files. `log` gives the blocks of the hot log.
  // REQUIRES: `archive` outlives it.
  ArchiveSource(const ShardArchive& archive, std::string directory,
                std::unique_ptr<BlockSource> log, bool sequential);

  Result<std::optional<StoredBlock>> Find(Position position) override;
  Result<std::optional<StoredBlock>> After(Position position) override;
  Position End() const override { return log_->End(); }
  bool Hides(InstanceId instance) const override { return view_->Hides(instance); }

 private:
  // Looks at the archive as it is now.
  void Refresh();
  template <class Ask>
  Result<std::optional<StoredBlock>> Settled(Ask ask);
  // REQUIRES: the archive has the position.
  Result<std::optional<StoredBlock>> FindArchived(Position position);
  // Nothing when no archived block begins after it.
  Result<std::optional<StoredBlock>> AfterArchived(Position position);
  // Opens the segment with the position. REQUIRES: the archive has it.
  Status OpenSegment(Position position);

  const ShardArchive& archive_;
  const std::string directory_;
  const std::unique_ptr<BlockSource> log_;
  const bool sequential_;
  ShardArchive::ViewPointer view_;
  const NotedSegment* segment_ = nullptr;  // of view_; the one that reader_ reads
  std::unique_ptr<SegmentReader> reader_;
};

}  // namespace stele::eventstore
