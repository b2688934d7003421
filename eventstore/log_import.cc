#include "eventstore/log_import.h"

#include "base/check.h"
#include "eventstore/block_sealer.h"
#include "eventstore/log_db.h"
#include "eventstore/restore_place.h"
#include "eventstore/store_keys.h"
#include "eventstore/whole_log.h"

namespace stele::eventstore {
namespace {

constexpr size_t kWriteBufferBytes = 32u << 20;

class BuiltLog final : public LogImport {
 public:
  explicit BuiltLog(RestorePlace place) : place_(std::move(place)) {}

  std::string directory() const override { return place_.data(); }

  Status Open(ShardId shard, const RocksDbOptions& options) override {
    shard_ = shard;
    log_ = std::make_unique<LogDb>();
    STELE_RETURN_IF_ERROR(
        log_->Open(place_.data() + "/log", kWriteBufferBytes, /*create=*/true, nullptr));
    auto keys = StoreKeys::Open(*log_, place_.data(), options, /*writable=*/true);
    if (!keys.has_value()) return std::unexpected(std::move(keys).error());
    keys_ = *std::move(keys);
    sealer_ = std::make_unique<BlockSealer>(keys_ == nullptr ? nullptr : &keys_->payloads());
    return {};
  }

  Result<LogTail> Add(const Batch& batch) override {
    CHECK(sealer_ != nullptr, "a log that was not opened");
    STELE_RETURN_IF_ERROR(sealer_->Seal(shard_, tail_, batch, &block_));
    for (const KeyRow& row : block_.keys)
      STELE_RETURN_IF_ERROR(log_->ImportKey(row.name, row.value));
    STELE_RETURN_IF_ERROR(log_->ImportBlock(shard_, tail_.next, block_.value));
    if (keys_ != nullptr) keys_->payloads().Written(block_.keys);
    tail_ = block_.after;
    return tail_;
  }

  Result<ChainReport> Finish() override {
    STELE_RETURN_IF_ERROR(log_->Flush());
    STELE_RETURN_IF_ERROR(log_->WriteKnownTail(shard_, tail_));
    sealer_ = nullptr;
    keys_ = nullptr;
    log_->Close();
    log_ = nullptr;
    Result<ChainReport> report = Inspect();
    if (report.has_value()) STELE_RETURN_IF_ERROR(place_.Finish());
    return report;
  }

 private:
  Result<ChainReport> Inspect() const {
    const auto whole = WholeLog::OpenData(place_.data());
    if (!whole.has_value()) return std::unexpected(whole.error());
    return (*whole)->Inspect(shard_, tail_);
  }

  RestorePlace place_;  // outlives what is open in it
  ShardId shard_;
  LogTail tail_;
  std::unique_ptr<LogDb> log_;
  std::unique_ptr<StoreKeys> keys_;  // null: payloads are in clear
  std::unique_ptr<BlockSealer> sealer_;
  SealedBlock block_;
};

}  // namespace

Result<std::unique_ptr<LogImport>> LogImport::Begin(const std::string& target) {
  STELE_RETURN_IF_ERROR(CheckRestorePlace(target));
  auto place = RestorePlace::Take(target);
  if (!place.has_value()) return std::unexpected(std::move(place).error());
  return std::make_unique<BuiltLog>(*std::move(place));
}

}  // namespace stele::eventstore
