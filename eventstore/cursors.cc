#include "eventstore/cursors.h"

#include <fmt/format.h>

#include <algorithm>

namespace stele::eventstore {

Status PayloadOpener::Open(BlockReader& reader, RecordView* view) {
  if (keys_ == nullptr)
    return Fail(ErrorCode::kMasterKey,
                fmt::format("Expected the master key to read the payloads at position {} of shard "
                            "{} but found none.",
                            view->position.value, view->shard.value));
  if (cipher_ == nullptr) cipher_ = std::make_unique<RecordCipher>(*keys_);
  return reader.OpenPayloads(*cipher_, view);
}

LogCursor::LogCursor(std::unique_ptr<BlockSource> source, ShardId shard, Position from,
                     PayloadKeys* keys)
    : source_(std::move(source)),
      shard_(shard),
      next_(std::max(from, Position(1))),
      opener_(keys) {}

Status LogCursor::OpenNextBlock() {
  if (!open_) {
    STELE_RETURN_IF_ERROR(OpenBlockAt(*source_, shard_, next_, &reader_));
    open_ = true;
    RecordView skipped;
    Error error{};
    while (reader_.next_position() < next_)
      if (!reader_.Next(&skipped, &error)) return std::unexpected(error);
    next_ = reader_.next_position();  // `from` may lie within what was cut out
    return {};
  }
  auto block = source_->After(reader_.header().first);
  if (!block) return std::unexpected(std::move(block).error());
  if (!*block || (*block)->first != next_)
    return Fail(ErrorCode::kStoreCorrupt,
                fmt::format("Expected a block with position {} of shard {} but found {}.",
                            next_.value, shard_.value,
                            *block ? fmt::format("one that begins at {}", (*block)->first.value)
                                   : "the end of the log"));
  return reader_.Open((*block)->bytes, shard_, next_, (*block)->archived);
}

Result<std::optional<RecordView>> LogCursor::Next() {
  Result<std::optional<RecordView>> result(std::in_place, std::in_place);
  Error error{};
  do {
    while (next_ >= end_ || reader_.AtEnd()) {
      if (next_ >= end_) end_ = source_->End();
      if (next_ >= end_) return std::nullopt;
      if (reader_.AtEnd()) STELE_RETURN_IF_ERROR(OpenNextBlock());
    }
    if (!reader_.Next(&**result, &error)) return std::unexpected(std::move(error));
    next_ = reader_.next_position();
  } while (reader_.cut() > 0 || (reader_.archived() && source_->Hides((*result)->header.instance)));
  if (!(*result)->seal.empty()) STELE_RETURN_IF_ERROR(opener_.Open(reader_, &**result));
  return result;
}

InstanceCursor::InstanceCursor(std::unique_ptr<BlockSource> source, ShardId shard,
                               InstanceId instance, Seq from, FindInstanceBlocks find,
                               PayloadKeys* keys)
    : source_(std::move(source)),
      shard_(shard),
      instance_(instance),
      from_(from),
      find_(std::move(find)),
      opener_(keys) {}

Result<bool> InstanceCursor::OpenNextBlock() {
  if (next_block_ == blocks_.size()) {
    const Position end = source_->End();
    if (end == end_) return false;
    auto blocks = find_(from_);
    if (!blocks) return std::unexpected(std::move(blocks).error());
    end_ = end;
    blocks_ = std::move(*blocks);
    next_block_ = 0;
    while (next_block_ < blocks_.size() && blocks_[next_block_].block <= done_) ++next_block_;
    if (next_block_ == blocks_.size()) return false;
  }
  const Position block = blocks_[next_block_].block;
  STELE_RETURN_IF_ERROR(OpenBlockAt(*source_, shard_, block, &reader_));
  if (reader_.header().first != block)
    return Fail(ErrorCode::kStoreCorrupt,
                fmt::format("Expected a block that begins at position {} of shard {}, as the index "
                            "says, but found one that begins at {}.",
                            block.value, shard_.value, reader_.header().first.value));
  ++next_block_;
  done_ = block;
  return true;
}

Result<std::optional<RecordView>> InstanceCursor::Next() {
  RecordView view;
  Error error{};
  for (;;) {
    while (!reader_.AtEnd()) {
      if (!reader_.Next(&view, &error)) return std::unexpected(std::move(error));
      const RecordHeader& header = view.header;
      if (header.instance != instance_ || reader_.cut() > 0) continue;
      const bool holds =
          header.first_seq >= from_ || from_.value - header.first_seq.value < header.event_count;
      if (!holds) continue;
      if (!view.seal.empty()) STELE_RETURN_IF_ERROR(opener_.Open(reader_, &view));
      given_ = view.position;
      return view;
    }
    auto opened = OpenNextBlock();
    if (!opened) return std::unexpected(std::move(opened).error());
    if (!*opened) return std::nullopt;
  }
}

}  // namespace stele::eventstore
