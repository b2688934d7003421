// The store in memory: the keys of sealed payloads.
#include "base/check.h"
#include "eventstore/memory_store.h"

namespace stele::eventstore {

MemoryStore::MemoryStore(const std::shared_ptr<const PayloadFinder>& payloads) {
  CHECK(payloads != nullptr);
  SealWith(LogKeys::Generate(), payloads);
}

void MemoryStore::SealWith(const LogKeys& log_keys,
                           const std::shared_ptr<const PayloadFinder>& finder) {
  const auto read = [this](std::string_view name) -> Result<std::optional<std::string>> {
    std::lock_guard lock(mutex_);
    const auto row = key_rows_.find(std::string(name));
    if (row == key_rows_.end()) return std::nullopt;
    return row->second;
  };
  sealing_ = std::make_unique<Sealing>(Sealing{
      .log_keys = log_keys,
      .finder = finder,
      .keys = std::make_unique<PayloadKeys>(log_keys.payload_keys, finder, read),
      .files = std::make_shared<const FileCipher>(log_keys.files),
  });
}

void MemoryStore::StoreKeyRows(const std::vector<KeyRow>& rows, KeyRows* stored) {
  for (const KeyRow& row : rows) (*stored)[row.name] = row.value;
}

bool MemoryStore::IsDestroyed(ShardId shard, InstanceId instance) const {
  const auto row = key_rows_.find(PayloadKeyId{shard, instance, Position()}.Name());
  return row != key_rows_.end() && IsDestroyedKeyRow(row->second);
}

Status MemoryStore::DestroyKeys(ShardId shard, std::span<const InstanceId> instances,
                                std::span<const Position> registry_records) {
  if (sealing_ == nullptr) return EventStore::DestroyKeys(shard, instances, registry_records);
  const auto ids = KeysToDestroy(shard, instances, registry_records);
  if (!ids) return std::unexpected(ids.error());
  {
    std::lock_guard lock(mutex_);
    if (refusal_) return std::unexpected(*refusal_);
    for (const PayloadKeyId& id : *ids) {
      const std::string name = id.Name();
      if (!key_rows_.contains(name)) continue;
      key_rows_[name] = DestroyedKeyRow();
      if (!sync_lies_) disk_key_rows_[name] = DestroyedKeyRow();
    }
    for (const InstanceId instance : instances) {
      if (!IsDestroyed(shard, instance)) continue;
      state_.snapshots.erase({shard, instance});
      flushed_.snapshots.erase({shard, instance});
    }
  }
  for (const PayloadKeyId& id : *ids) sealing_->keys->Forget(id);
  return {};
}

Result<bool> MemoryStore::KeyDestroyed(ShardId shard, InstanceId instance) const {
  std::lock_guard lock(mutex_);
  return IsDestroyed(shard, instance);
}

PayloadKeys* MemoryStore::payload_keys() const {
  return sealing_ == nullptr ? nullptr : sealing_->keys.get();
}

std::shared_ptr<const FileCipher> MemoryStore::file_cipher() const {
  return sealing_ == nullptr ? nullptr : sealing_->files;
}

}  // namespace stele::eventstore
