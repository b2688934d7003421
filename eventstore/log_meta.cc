// The rest of LogDb: what the archive keeps in `meta`, and blocks below the floor leaving the disk.
#include <fmt/format.h>
#include <rocksdb/convenience.h>

#include <algorithm>

#include "eventstore/log_db.h"

namespace stele::eventstore {
namespace {

enum Family : size_t { kLog = 1, kMeta = 2 };

}  // namespace

Status LogDb::WriteMeta(const std::vector<MetaChange>& changes) {
  rocksdb::WriteBatch batch;
  for (const MetaChange& change : changes) {
    const auto status = change.value ? batch.Put(handle_.family(kMeta), change.key, *change.value)
                                     : batch.Delete(handle_.family(kMeta), change.key);
    if (!status.ok()) return RocksError(status, "collect what the archive notes");
  }
  rocksdb::WriteOptions options;
  options.sync = true;
  const auto status = handle_.db().Write(options, &batch);
  if (status.ok()) return {};
  return Fail(ErrorCode::kStoreWriteFailed,
              fmt::format("Expected to note what is archived in {} but found: {}.",
                          handle_.db().GetName(), status.ToString()));
}

Result<std::optional<std::string>> LogDb::ReadMeta(std::string_view key) const {
  std::string value;
  auto found = GetValue(handle_, kMeta, rocksdb::Slice(key.data(), key.size()), &value);
  if (!found) return std::unexpected(std::move(found).error());
  if (!*found) return std::nullopt;
  return value;
}

Status LogDb::ForEachMeta(
    std::string_view prefix,
    const std::function<Status(std::string_view, std::string_view)>& visit) const {
  std::unique_ptr<rocksdb::Iterator> entry(handle_.db().NewIterator({}, handle_.family(kMeta)));
  for (entry->Seek(rocksdb::Slice(prefix.data(), prefix.size())); entry->Valid(); entry->Next()) {
    const std::string_view key = View(entry->key());
    if (!key.starts_with(prefix)) break;
    STELE_RETURN_IF_ERROR(visit(key.substr(prefix.size()), View(entry->value())));
  }
  if (!entry->status().ok()) return RocksError(entry->status(), "read what is archived");
  return {};
}

Status LogDb::ForEachMetaFrom(
    std::string_view prefix, std::string_view from,
    const std::function<Result<bool>(std::string_view, std::string_view)>& visit) const {
  std::unique_ptr<rocksdb::Iterator> entry(handle_.db().NewIterator({}, handle_.family(kMeta)));
  for (entry->Seek(std::string(std::max(prefix, from))); entry->Valid(); entry->Next()) {
    if (!View(entry->key()).starts_with(prefix)) break;
    const auto more = visit(View(entry->key()), View(entry->value()));
    if (!more) return std::unexpected(more.error());
    if (!*more) break;
  }
  if (!entry->status().ok()) return RocksError(entry->status(), "read the rows of the log's tree");
  return {};
}

Result<std::optional<LogDb::MetaRow>> LogDb::LastMeta(std::string_view prefix,
                                                      std::string_view key) const {
  std::unique_ptr<rocksdb::Iterator> entry(handle_.db().NewIterator({}, handle_.family(kMeta)));
  entry->SeekForPrev(std::string(prefix).append(key));
  if (!entry->status().ok()) return RocksError(entry->status(), "read what is archived");
  if (!entry->Valid() || !View(entry->key()).starts_with(prefix)) return std::nullopt;
  return MetaRow{std::string(View(entry->key()).substr(prefix.size())),
                 std::string(View(entry->value()))};
}

Status LogDb::GiveBack(ShardId shard) {
  const uint64_t floor = floors_->Of(shard);
  if (floor <= 1) return {};
  const auto begin = ShardKey(shard, uint64_t{0}), end = ShardKey(shard, floor - 1);
  const rocksdb::Slice from = KeySlice(begin), to = KeySlice(end);
  rocksdb::DB& db = handle_.db();
  // Whole files at once; then what is left in the files that reach across the floor, in memory and
  // in the write-ahead files, which end with the flush of both families.
  auto status = rocksdb::DeleteFilesInRange(&db, handle_.family(kLog), &from, &to);
  if (status.ok()) status = db.Flush({}, {handle_.family(kLog), handle_.family(kMeta)});
  if (status.ok()) status = db.CompactRange({}, handle_.family(kLog), &from, &to);
  if (status.ok()) return {};
  return RocksError(
      status, fmt::format("give back the space of archived blocks in {}", handle_.db().GetName()));
}

Result<std::string> LogDb::Identity() const {
  std::string identity;
  const auto status = handle_.db().GetDbIdentity(identity);
  if (!status.ok()) return RocksError(status, "read the identity of " + handle_.db().GetName());
  return identity;
}

}  // namespace stele::eventstore
