// What the archive of a shard is at a moment: its segments and what is hidden in them. Never
// changed, only replaced as a whole, so that readers need no lock.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "eventstore/archive_notes.h"

namespace stele::eventstore {

struct ArchiveView {
  std::vector<NotedSegment> segments;  // in the order of their positions
  std::vector<InstanceId> hidden;      // sorted: are being cut out
  bool any_cut = false;                // an instance was, or is being

  // Where the archive ends, and the hash of its last block.
  LogTail end() const {
    if (segments.empty()) return {};
    return {segments.back().header.last.Next(), segments.back().header.hash};
  }
  bool Hides(InstanceId instance) const {
    return !hidden.empty() && std::ranges::binary_search(hidden, instance);
  }
  // REQUIRES: the archive has the position.
  const NotedSegment& Of(Position position) const {
    return *std::prev(std::ranges::upper_bound(
        segments, position, {}, [](const NotedSegment& segment) { return segment.header.first; }));
  }
};

// A shard's. Threads: any.
class ShardArchive {
 public:
  using ViewPointer = std::shared_ptr<const ArchiveView>;

  ViewPointer view() const { return view_.load(); }
  void Replace(ArchiveView view) {
    view_.store(std::make_shared<const ArchiveView>(std::move(view)));
  }

 private:
  std::atomic<ViewPointer> view_{std::make_shared<const ArchiveView>()};
};

}  // namespace stele::eventstore
