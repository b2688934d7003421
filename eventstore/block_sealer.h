// Turns a batch into a stored block: numbered, hashed into the chain, compressed, checksummed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/ids.h"
#include "eventstore/record.h"
#include "eventstore/record_cipher.h"
#include "eventstore/sealed_block.h"

struct ZSTD_CCtx_s;

namespace stele::eventstore {

// Keeps its compression context: one for a thread, used by one thread at a time.
class BlockSealer {
 public:
  // Seals payloads with these keys; null: leaves them in clear.
  explicit BlockSealer(PayloadKeys* keys = nullptr);
  ~BlockSealer();
  BlockSealer(const BlockSealer&) = delete;
  BlockSealer& operator=(const BlockSealer&) = delete;

  // Seals all of `batch` behind `before`. `sealed` is overwritten; its memory is used again.
  // kLimitExceeded for an empty batch and for one beyond the limits of limits.h. With keys also:
  // kStoreCorrupt for a body in which payloads cannot be found, kIo when a key cannot be read.
  Status Seal(ShardId shard, const LogTail& before, const Batch& batch, SealedBlock* sealed);

 private:
  Status CheckLimits(const Batch& batch) const;
  Status SealPayloads(ShardId shard, Position first, const Batch& batch, SealedBlock* sealed);
  void StoreBody(const Batch& batch, std::string* value, uint16_t* flags);

  struct FreeContext {
    void operator()(ZSTD_CCtx_s* context) const;
  };
  std::unique_ptr<ZSTD_CCtx_s, FreeContext> zstd_;
  std::unique_ptr<RecordCipher> cipher_;  // null without keys
  Batch with_sealed_;                     // the batch, its payloads sealed
  std::string frame_;
};

}  // namespace stele::eventstore
