// The rest of LogDb: the rows of payload keys, and rows that must leave no trace.
#include <fmt/format.h>

#include <algorithm>

#include "eventstore/log_db.h"

namespace stele::eventstore {
namespace {

enum Family : size_t { kLog = 1, kMeta = 2, kKeys = 3 };

rocksdb::Slice SliceOf(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}

std::unexpected<Error> WriteError(const rocksdb::Status& status, const std::string& where) {
  return Fail(
      ErrorCode::kStoreWriteFailed,
      fmt::format("Expected to replace keys in {} but found: {}.", where, status.ToString()));
}

}  // namespace

Result<std::optional<std::string>> LogDb::ReadKey(std::string_view name) const {
  if (!HasKeys()) return std::nullopt;
  std::string value;
  auto found = GetValue(handle_, kKeys, SliceOf(name), &value);
  if (!found) return std::unexpected(std::move(found).error());
  if (!*found) return std::nullopt;
  return value;
}

Status LogDb::PutKeys(const std::vector<KeyRow>& rows, const MetaChange& note) {
  rocksdb::WriteBatch batch;
  const auto noted = note.value ? batch.Put(handle_.family(kMeta), note.key, *note.value)
                                : batch.Delete(handle_.family(kMeta), note.key);
  if (!noted.ok()) return WriteError(noted, handle_.db().GetName());
  for (const KeyRow& row : rows) {
    const auto status = batch.Put(handle_.family(kKeys), row.name, row.value);
    if (!status.ok()) return WriteError(status, handle_.db().GetName());
  }
  rocksdb::WriteOptions options;
  options.sync = true;
  const auto status = handle_.db().Write(options, &batch);
  return status.ok() ? Status() : WriteError(status, handle_.db().GetName());
}

Status LogDb::ScrubKeys(const std::vector<KeyRow>& rows) {
  if (rows.empty()) return {};
  const auto [first, last] = std::ranges::minmax(rows, {}, &KeyRow::name);
  return Scrub(kKeys, first.name, last.name);
}

Status LogDb::ReplaceMeta(const std::string& key, const std::string& value) {
  STELE_RETURN_IF_ERROR(WriteMeta({{key, value}}));
  return Scrub(kMeta, key, key);
}

// What stood in the rows before leaves every file: tables of the range are merged down to the last
// level, and write-ahead files end when nothing in memory needs them.
Status LogDb::Scrub(size_t family, const std::string& first, const std::string& last) {
  rocksdb::DB& db = handle_.db();
  std::vector<rocksdb::ColumnFamilyHandle*> families;
  for (size_t i = 0; i < handle_.families(); ++i) families.push_back(handle_.family(i));
  const rocksdb::Slice from(first), to(last);
  auto status = db.Flush({}, families);
  if (status.ok()) status = db.CompactRange(EveryFile(), handle_.family(family), &from, &to);
  // Files that are no longer needed are removed by the threads that found them so: wait for them.
  if (status.ok()) status = db.PauseBackgroundWork();
  if (status.ok()) status = db.ContinueBackgroundWork();
  if (status.ok()) return {};
  return WriteError(status, db.GetName());
}

Status LogDb::ImportKey(std::string_view name, std::string_view value) {
  rocksdb::WriteOptions options;
  options.sync = false;
  const auto status =
      handle_.db().Put(options, handle_.family(kKeys), SliceOf(name), SliceOf(value));
  if (status.ok()) return {};
  return RocksError(status, "copy a key to " + handle_.db().GetName());
}

Status LogDb::ForEachKey(
    const std::function<Status(std::string_view, std::string_view)>& visit) const {
  if (!HasKeys()) return {};
  std::unique_ptr<rocksdb::Iterator> row(handle_.db().NewIterator({}, handle_.family(kKeys)));
  for (row->SeekToFirst(); row->Valid(); row->Next())
    STELE_RETURN_IF_ERROR(visit(View(row->key()), View(row->value())));
  if (!row->status().ok()) return RocksError(row->status(), "read the keys of the payloads");
  return {};
}

}  // namespace stele::eventstore
