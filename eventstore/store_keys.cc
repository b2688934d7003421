#include "eventstore/store_keys.h"

#include <fmt/format.h>

#include "base/check.h"
#include "eventstore/little_endian.h"

namespace stele::eventstore {
namespace {

constexpr size_t kWriteBufferBytes = 32u << 20;

std::string LogPath(const std::string& path) {
  return path + "/log";
}

// Of PayloadKeyId::Name.
constexpr size_t kNameBytes = 4 + 8 + 8;

// The row of `meta` with the names of keys whose destruction has begun.
std::string BegunName(ShardId shard) {
  std::string name = "destroying....";
  StoreBig(shard.value, name.data() + name.size() - 4);
  return name;
}

Result<LogKeys> MakeLogKeys(LogDb& log, const CipherKey& master) {
  STELE_RETURN_IF_ERROR(log.MakeKeys());
  LogKeys keys = LogKeys::Generate();
  STELE_RETURN_IF_ERROR(log.WriteMeta({{std::string(kMasterRowName), SealLogKeys(master, keys)}}));
  return keys;
}

}  // namespace

StoreKeys::StoreKeys(LogDb& log, const LogKeys& keys, std::shared_ptr<const PayloadFinder> finder)
    : log_(log),
      payloads_(keys.payload_keys, std::move(finder),
                [&log](std::string_view name) { return log.ReadKey(name); }),
      files_(std::make_shared<const FileCipher>(keys.files)) {}

Result<std::unique_ptr<StoreKeys>> StoreKeys::Open(LogDb& log, const std::string& path,
                                                   const RocksDbOptions& options, bool writable) {
  CHECK(!options.master_key || options.payloads != nullptr,
        "a master key, but nothing that finds payloads");
  const auto row = log.ReadMeta(kMasterRowName);
  if (!row) return std::unexpected(row.error());
  if (!options.master_key) {
    if (!*row || options.without_key) return nullptr;
    const auto id = MasterKeyIdOf(**row, LogPath(path));
    if (!id) return std::unexpected(id.error());
    return Fail(ErrorCode::kMasterKey,
                fmt::format("Expected the master key {} for {}, whose payloads are sealed, but "
                            "found none; \"encryption\" in the settings file says where it is",
                            *id, LogPath(path)));
  }
  if (!*row && !writable) return nullptr;
  const auto keys = *row ? OpenLogKeys(*options.master_key, **row, LogPath(path))
                         : MakeLogKeys(log, *options.master_key);
  if (!keys) return std::unexpected(keys.error());
  return std::unique_ptr<StoreKeys>(new StoreKeys(log, *keys, options.payloads));
}

Result<std::vector<PayloadKeyId>> StoreKeys::WithBegun(
    ShardId shard, std::span<const InstanceId> instances,
    std::span<const Position> registry_records) const {
  auto ids = KeysToDestroy(shard, instances, registry_records);
  if (!ids) return ids;
  const auto note = log_.ReadMeta(BegunName(shard));
  if (!note) return std::unexpected(note.error());
  const std::string_view names = *note ? std::string_view(**note) : std::string_view();
  for (size_t at = 0; at < names.size(); at += kNameBytes) {
    const auto id = PayloadKeyId::Parse(names.substr(at, kNameBytes));
    if (!id || id->shard != shard)
      return Fail(ErrorCode::kStoreCorrupt,
                  fmt::format("Expected the names of keys that are to be destroyed but found {} "
                              "bytes that are none at byte {}.",
                              names.size() - at, at));
    ids->push_back(*id);
  }
  return ids;
}

Status StoreKeys::Destroy(ShardId shard, const std::vector<PayloadKeyId>& ids,
                          const std::function<void(std::string_view)>& step) {
  std::vector<KeyRow> rows;
  std::string names;
  for (const PayloadKeyId& id : ids) {
    names += id.Name();
    const auto row = log_.ReadKey(id.Name());
    if (!row) return std::unexpected(row.error());
    if (*row) rows.push_back({id.Name(), DestroyedKeyRow()});
  }
  STELE_RETURN_IF_ERROR(log_.PutKeys(rows, {BegunName(shard), std::move(names)}));
  for (const PayloadKeyId& id : ids) payloads_.Forget(id);
  if (step) step("it is noted that the keys are destroyed");
  STELE_RETURN_IF_ERROR(log_.ScrubKeys(rows));
  if (step) step("the keys are in no file");
  return {};
}

Status StoreKeys::NoteDone(ShardId shard) {
  return log_.WriteMeta({{BegunName(shard), std::nullopt}});
}

Result<bool> StoreKeys::IsDestroyed(ShardId shard, InstanceId instance) const {
  const auto row = log_.ReadKey(PayloadKeyId{shard, instance, Position()}.Name());
  if (!row) return std::unexpected(row.error());
  return row->has_value() && IsDestroyedKeyRow(**row);
}

Result<EncryptionState> ReadEncryptionState(const std::string& path) {
  LogDb log;
  STELE_RETURN_IF_ERROR(log.Open(LogPath(path), kWriteBufferBytes, /*create=*/false, nullptr));
  EncryptionState state;
  const auto row = log.ReadMeta(kMasterRowName);
  if (!row) return std::unexpected(row.error());
  if (!*row) return state;
  auto id = MasterKeyIdOf(**row, LogPath(path));
  if (!id) return std::unexpected(std::move(id).error());
  state.sealed = true;
  state.master = *std::move(id);
  STELE_RETURN_IF_ERROR(log.ForEachKey([&](std::string_view, std::string_view key) -> Status {
    ++(IsDestroyedKeyRow(key) ? state.destroyed : state.keys);
    return {};
  }));
  return state;
}

Status RotateMasterKey(const std::string& path, const CipherKey& current, const CipherKey& next) {
  LogDb log;
  STELE_RETURN_IF_ERROR(log.Open(LogPath(path), kWriteBufferBytes, /*create=*/false, nullptr));
  const auto row = log.ReadMeta(kMasterRowName);
  if (!row) return std::unexpected(row.error());
  if (!*row)
    return Fail(ErrorCode::kUnsupported,
                fmt::format("Expected a log whose payloads are sealed in {} but found one in "
                            "clear.",
                            LogPath(path)));
  const auto keys = OpenLogKeys(current, **row, LogPath(path));
  if (!keys) return std::unexpected(keys.error());
  return log.ReplaceMeta(std::string(kMasterRowName), SealLogKeys(next, *keys));
}

}  // namespace stele::eventstore
