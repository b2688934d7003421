#include "replay/export/log_walk.h"

#include <fmt/format.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <stop_token>
#include <thread>

#include "base/check.h"
#include "eventstore/block_source.h"
#include "eventstore/cursors.h"
#include "replay/export/blanked_body.h"

namespace stele::replay {
namespace {

using eventstore::BlockReader;
using eventstore::RecordView;

// A record of a block, or several that were cut out.
struct Piece {
  ExportedRecord exported;
  std::string_view frame;  // as the chain has it; empty: its leaf is known already
  eventstore::Hash leaf{};
  uint32_t purged = 0;
};

// A block on its way.
struct Job {
  BlockReader reader;
  std::vector<Piece> pieces;
  // Filled by the thread that makes text of it.
  std::string text;
  ExportCounts counts;
  Status status;
  bool done = false;
};

// Makes text of blocks.
class Writers {
 public:
  explicit Writers(const LogWalk& walk) {
    for (unsigned i = 0; i < std::max(walk.threads, 1u); ++i)
      threads_.emplace_back([this, format = walk.make_format(), payloads = walk.payloads](
                                const std::stop_token& stop) { Run(*format, payloads, stop); });
  }

  void Give(Job* job) {
    std::lock_guard lock(mutex_);
    waiting_.push_back(job);
    given_.notify_one();
  }
  void AwaitDone(const Job& job) {
    std::unique_lock lock(mutex_);
    finished_.wait(lock, [&] { return job.done; });
  }

 private:
  void Run(RecordFormat& format, bool payloads, const std::stop_token& stop) {
    BlankedBody blanked;
    for (;;) {
      Job* job = nullptr;
      {
        std::unique_lock lock(mutex_);
        if (!given_.wait(lock, stop, [&] { return !waiting_.empty(); })) return;
        job = waiting_.front();
        waiting_.pop_front();
      }
      job->status = MakeText(format, payloads ? nullptr : &blanked, *job);
      std::lock_guard lock(mutex_);
      job->done = true;
      finished_.notify_one();
    }
  }

  static Status MakeText(RecordFormat& format, BlankedBody* blanked, Job& job) {
    for (Piece& piece : job.pieces) {
      ExportedRecord& exported = piece.exported;
      if (piece.purged != 0) {
        format.WritePurged({exported.record.position, {piece.purged, piece.leaf}, exported.block},
                           job.text);
        job.counts.purged += piece.purged;
        continue;
      }
      if (!piece.frame.empty())
        piece.leaf = eventstore::LeafHash(exported.record.position, piece.frame);
      exported.leaf = &piece.leaf;
      if (blanked != nullptr) STELE_RETURN_IF_ERROR(blanked->Blank(exported.record));
      const auto events = format.Write(exported, job.text);
      if (!events.has_value())
        return Fail(
            events.error().code,
            fmt::format("position {}: {}", exported.record.position.value, events.error().message));
      ++job.counts.records;
      job.counts.events += *events;
    }
    return {};
  }

  std::mutex mutex_;
  std::condition_variable_any given_, finished_;
  std::deque<Job*> waiting_;
  std::vector<std::jthread> threads_;  // the last: they end first
};

// Reads blocks in order.
class BlockFeed {
 public:
  BlockFeed(const eventstore::EventStore& store, InstanceDefinitions& definitions,
            const LogWalk& walk)
      : source_(store.ReadBlocks(walk.shard)),
        definitions_(definitions),
        walk_(walk),
        opener_(store.payload_keys()),
        next_(walk.from) {}

  bool AtEnd() const { return next_ >= walk_.end; }

  // The next block's records that are asked for.
  Status Fill(Job& job) {
    job.pieces.clear();
    job.text.clear();
    job.counts = {};
    job.done = false;
    STELE_RETURN_IF_ERROR(Open(job.reader));
    while (!job.reader.AtEnd() && job.reader.next_position() < walk_.end)
      STELE_RETURN_IF_ERROR(Take(job));
    if (!job.pieces.empty() && job.reader.AtEnd())
      job.pieces.back().exported.block = &job.reader.header().hash;
    last_ = job.reader.header().first;
    next_ = job.reader.next_position();
    return {};
  }

 private:
  Status Open(BlockReader& reader) {
    if (!last_) return eventstore::OpenBlockAt(*source_, walk_.shard, next_, &reader);
    auto block = source_->After(last_);
    if (!block.has_value()) return std::unexpected(std::move(block).error());
    if (!block->has_value() || (*block)->first != next_)
      return Fail(ErrorCode::kStoreCorrupt,
                  fmt::format("Expected a block with position {} of shard {} but found none.",
                              next_.value, walk_.shard.value));
    return reader.Open((*block)->bytes, walk_.shard, next_, (*block)->archived);
  }

  Status Take(Job& job) {
    Piece piece;
    RecordView& record = piece.exported.record;
    Error error{};
    if (!job.reader.Next(&record, &error)) return std::unexpected(std::move(error));
    const bool hidden = job.reader.archived() && source_->Hides(record.header.instance);
    if (job.reader.cut() > 0 || hidden) {
      const eventstore::TreeNode node = job.reader.Node();
      piece.purged = node.records;
      piece.leaf = node.hash;
      if (record.position >= walk_.from) job.pieces.push_back(piece);
      return {};
    }
    if (record.position < walk_.from) return {};
    if (record.seal.empty()) {
      piece.frame = job.reader.frame();
    } else {
      piece.exported.was_sealed = true;
      piece.leaf = job.reader.Node().hash;
      STELE_RETURN_IF_ERROR(opener_.Open(job.reader, &record));
    }
    const auto definition = definitions_.Of(record);
    if (!definition.has_value()) return std::unexpected(definition.error());
    piece.exported.definition = *definition;
    job.pieces.push_back(piece);
    return {};
  }

  const std::unique_ptr<eventstore::BlockSource> source_;
  InstanceDefinitions& definitions_;
  const LogWalk& walk_;
  eventstore::PayloadOpener opener_;
  Position next_;
  Position last_;  // where the block begins that was opened last; 0: none was
};

}  // namespace

Result<ExportCounts> WalkLog(const eventstore::EventStore& store, InstanceDefinitions& definitions,
                             const LogWalk& walk, const WriteText& write) {
  BlockFeed feed(store, definitions, walk);
  // Enough that nobody waits for a block that takes longer than others.
  std::vector<Job> jobs(2 * std::max(walk.threads, 1u) + 1);
  Writers writers(walk);
  ExportCounts counts;
  size_t given = 0, written = 0;
  // What came before a fault is written.
  Status fed;
  const auto goes_on = [&] { return fed.has_value() && !feed.AtEnd(); };
  while (goes_on() || written < given) {
    if (goes_on() && given - written < jobs.size()) {
      Job& job = jobs[given % jobs.size()];
      fed = feed.Fill(job);
      if (!fed.has_value()) continue;
      writers.Give(&job);
      ++given;
      continue;
    }
    const Job& job = jobs[written % jobs.size()];
    writers.AwaitDone(job);
    STELE_RETURN_IF_ERROR(write(job.text));
    if (!job.status.has_value()) return std::unexpected(job.status.error());
    counts.records += job.counts.records;
    counts.events += job.counts.events;
    counts.purged += job.counts.purged;
    ++written;
    if (walk.progress) walk.progress(job.reader.next_position());
  }
  if (!fed.has_value()) return std::unexpected(fed.error());
  return counts;
}

}  // namespace stele::replay
