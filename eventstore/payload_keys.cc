#include "eventstore/payload_keys.h"

#include <fmt/format.h>

#include "eventstore/limits.h"
#include "eventstore/little_endian.h"

namespace stele::eventstore {
namespace {

// A row: version, what it is, and of a key the wrapped bytes.
constexpr char kRowVersion = 1;
constexpr char kLive = 1;
constexpr char kDestroyed = 2;
constexpr size_t kWrappedBytes = kNonceBytes + kKeyBytes + kTagBytes;

std::string WhereOf(const PayloadKeyId& id) {
  if (id.instance == InstanceId())
    return fmt::format("of the record at position {} of shard {}", id.record.value, id.shard.value);
  return fmt::format("of instance {} of shard {}", id.instance.value, id.shard.value);
}

std::unexpected<Error> BadRow(const PayloadKeyId& id, std::string_view found) {
  return Fail(ErrorCode::kStoreCorrupt,
              fmt::format("Expected the payload key {} but found {}.", WhereOf(id), found));
}

}  // namespace

std::string PayloadKeyId::Name() const {
  std::string name(4 + 8 + 8, '\0');
  StoreBig(shard.value, name.data());
  StoreBig(instance.value, name.data() + 4);
  StoreBig(record.value, name.data() + 12);
  return name;
}

std::optional<PayloadKeyId> PayloadKeyId::Parse(std::string_view name) {
  if (name.size() != 4 + 8 + 8) return std::nullopt;
  return PayloadKeyId{ShardId(LoadBig<uint32_t>(name.data())),
                      InstanceId(LoadBig<uint64_t>(name.data() + 4)),
                      Position(LoadBig<uint64_t>(name.data() + 12))};
}

Result<std::vector<PayloadKeyId>> KeysToDestroy(ShardId shard,
                                                std::span<const InstanceId> instances,
                                                std::span<const Position> registry_records) {
  std::vector<PayloadKeyId> ids;
  for (const InstanceId instance : instances) {
    if (instance == InstanceId())
      return Fail(ErrorCode::kWrongState,
                  "Expected an instance, to destroy its key, but found 0, the registry.");
    ids.push_back({shard, instance, Position()});
  }
  for (const Position record : registry_records) ids.push_back({shard, InstanceId(), record});
  return ids;
}

std::string DestroyedKeyRow() {
  return {kRowVersion, kDestroyed};
}

bool IsDestroyedKeyRow(std::string_view row) {
  return row == std::string_view(DestroyedKeyRow());
}

PayloadKeys::PayloadKeys(const CipherKey& wrapping, std::shared_ptr<const PayloadFinder> finder,
                         ReadRow read)
    : wrapping_(wrapping), finder_(std::move(finder)), read_(std::move(read)) {}

const std::optional<CipherKey>* PayloadKeys::Cached(const std::string& name) {
  const auto place = places_.find(name);
  if (place == places_.end()) return nullptr;
  cached_.splice(cached_.begin(), cached_, place->second);
  return &place->second->key;
}

void PayloadKeys::Cache(const std::string& name, const std::optional<CipherKey>& key) {
  if (places_.contains(name)) return;
  cached_.push_front({name, key});
  places_[name] = cached_.begin();
  if (cached_.size() <= kCachedPayloadKeys) return;
  places_.erase(cached_.back().name);
  cached_.pop_back();
}

std::string PayloadKeys::Wrap(const std::string& name, const CipherKey& key) {
  return std::string{kRowVersion, kLive} + SealSecret(aead_, wrapping_, name, key.view());
}

Result<PayloadKeys::Found> PayloadKeys::Load(const PayloadKeyId& id, const std::string& name) {
  auto row = read_(name);
  if (!row) return std::unexpected(std::move(row).error());
  if (!*row) return Found{};
  if (IsDestroyedKeyRow(**row)) return Found{.exists = true, .key = std::nullopt};
  const std::string_view value = **row;
  if (value.size() != 2 + kWrappedBytes || value[0] != kRowVersion || value[1] != kLive)
    return BadRow(id, fmt::format("a row of {} bytes in no known form", value.size()));
  std::string key;
  std::lock_guard lock(mutex_);
  if (!OpenSecret(aead_, wrapping_, name, value.substr(2), &key))
    return BadRow(id, "a row that was not written with this log's key");
  Found found{.exists = true, .key = CipherKey(key)};
  Wipe(key);
  return found;
}

Result<std::optional<CipherKey>> PayloadKeys::ToSeal(const PayloadKeyId& id,
                                                     std::vector<KeyRow>* rows) {
  const std::string name = id.Name();
  {
    std::lock_guard lock(mutex_);
    if (const auto* key = Cached(name)) return *key;
    if (const auto pending = pending_.find(name); pending != pending_.end()) {
      rows->push_back(pending->second.row);
      return pending->second.key;
    }
  }
  auto found = Load(id, name);
  if (!found) return std::unexpected(std::move(found).error());
  const bool of_registry = id.instance == InstanceId();
  std::lock_guard lock(mutex_);
  if (found->exists) {
    if (!of_registry) Cache(name, found->key);
    return found->key;
  }
  CipherKey key = CipherKey::Generate();
  rows->push_back({name, Wrap(name, key)});
  if (!of_registry) pending_[name] = {key, rows->back()};
  return key;
}

Result<std::optional<CipherKey>> PayloadKeys::ToOpen(const PayloadKeyId& id) {
  const std::string name = id.Name();
  uint64_t forgotten = 0;
  {
    std::lock_guard lock(mutex_);
    forgotten = forgotten_;
    if (const auto* key = Cached(name)) return *key;
    if (const auto pending = pending_.find(name); pending != pending_.end())
      return pending->second.key;
  }
  auto found = Load(id, name);
  if (!found) return std::unexpected(std::move(found).error());
  if (!found->exists) return BadRow(id, "none");
  if (id.instance != InstanceId()) {
    std::lock_guard lock(mutex_);
    if (forgotten == forgotten_) Cache(name, found->key);
  }
  return found->key;
}

void PayloadKeys::Written(const std::vector<KeyRow>& rows) {
  if (rows.empty()) return;
  std::lock_guard lock(mutex_);
  for (const KeyRow& row : rows) {
    const auto pending = pending_.find(row.name);
    if (pending == pending_.end()) continue;
    Cache(row.name, pending->second.key);
    pending_.erase(pending);
  }
}

void PayloadKeys::Forget(const PayloadKeyId& id) {
  const std::string name = id.Name();
  std::lock_guard lock(mutex_);
  ++forgotten_;
  pending_.erase(name);
  const auto place = places_.find(name);
  if (place == places_.end()) return;
  cached_.erase(place->second);
  places_.erase(place);
}

}  // namespace stele::eventstore
