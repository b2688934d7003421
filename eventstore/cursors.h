// The two cursors, over any block source.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "eventstore/block_reader.h"
#include "eventstore/block_source.h"
#include "eventstore/event_store.h"
#include "eventstore/instance_blocks.h"

namespace stele::eventstore {

// Opens payloads as a cursor comes to them.
class PayloadOpener {
 public:
  explicit PayloadOpener(PayloadKeys* keys) : keys_(keys) {}
  // REQUIRES: the reader gave the record last, and it is sealed.
  Status Open(BlockReader& reader, RecordView* view);

 private:
  PayloadKeys* const keys_;
  std::unique_ptr<RecordCipher> cipher_;  // once one was needed
};

// A shard's records in order.
class LogCursor final : public Cursor {
 public:
  // `keys`: of the payloads; null: a sealed record is an error, kMasterKey.
  LogCursor(std::unique_ptr<BlockSource> source, ShardId shard, Position from,
            PayloadKeys* keys = nullptr);
  Result<std::optional<RecordView>> Next() override;
  Position Passed() const override { return Position(next_.value - 1); }

 private:
  Status OpenNextBlock();

  std::unique_ptr<BlockSource> source_;
  ShardId shard_;
  Position next_;
  Position end_;       // of what was durable when last asked
  bool open_ = false;  // a block was opened before
  BlockReader reader_;
  PayloadOpener opener_;
};

// The blocks that may hold events of an instance from a seq on, in order.
using FindInstanceBlocks = std::function<Result<std::vector<InstanceBlock>>(Seq from)>;

// An instance's records in order.
class InstanceCursor final : public Cursor {
 public:
  InstanceCursor(std::unique_ptr<BlockSource> source, ShardId shard, InstanceId instance, Seq from,
                 FindInstanceBlocks find, PayloadKeys* keys = nullptr);
  Result<std::optional<RecordView>> Next() override;
  Position Passed() const override { return given_; }

 private:
  Result<bool> OpenNextBlock();

  std::unique_ptr<BlockSource> source_;
  ShardId shard_;
  InstanceId instance_;
  Seq from_;
  FindInstanceBlocks find_;
  std::vector<InstanceBlock> blocks_;  // still to be read, from next_block_ on
  size_t next_block_ = 0;
  Position done_;   // the first position of the block that was opened last
  Position end_;    // of what was durable when blocks_ was filled
  Position given_;  // the last record
  BlockReader reader_;
  PayloadOpener opener_;
};

}  // namespace stele::eventstore
