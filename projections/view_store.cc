#include "projections/view_store.h"

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "eventstore/rocksdb_handle.h"
#include "projections/keys.h"
#include "projections/row.h"
#include "projections/view_directory.h"

namespace stele::projections {

namespace {

// In the directory of views in which damage was found: they are not used again.
constexpr std::string_view kDamaged = "DAMAGED";

constexpr size_t kWriteBufferBytes = 16 << 20;      // of a family
constexpr size_t kAllWriteBuffersBytes = 64 << 20;  // of all of them
constexpr size_t kBlockCacheBytes = 64 << 20;

struct GenerationRow {
  std::string view;
  uint32_t version = 0;
  bool serves = false;
  template <class Self, class Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.view, self.version, self.serves);
  }
};

// `what` completes "Expected to …". Damage is noted for who opens the views next.
std::unexpected<Error> ViewError(const rocksdb::DB& db, const rocksdb::Status& status,
                                 std::string_view what) {
  auto error = eventstore::RocksError(status, what);
  if (error.error().code != ErrorCode::kStoreCorrupt) return error;
  std::ofstream(fmt::format("{}/{}", db.GetName(), kDamaged)) << error.error().message << '\n';
  error.error().message += " The views are deleted and built anew when they are opened next.";
  return error;
}

// What a file that is gone or is not what it was leads to, rather than a disk that fails.
bool IsDamage(const rocksdb::Status& status) {
  return status.IsCorruption() || status.IsPathNotFound() || status.IsNotFound() ||
         status.IsInvalidArgument() || status.IsNotSupported();
}

rocksdb::Slice SliceOf(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}

std::string GenerationKey(uint64_t number) {
  return KeyWriter('g').Number(number).Take();
}

std::string PositionKey(uint64_t number) {
  return KeyWriter('p').Number(number).Take();
}

std::string CutBeforeKey(uint64_t number) {
  return KeyWriter('u').Number(number).Take();
}

std::string PositionValue(Position position) {
  return KeyWriter('=').Number(position.value).Take();
}

Position PositionOf(std::string_view value) {
  KeyReader reader(value);
  reader.Byte();
  const Position position(reader.Number());
  return reader.ok() ? position : Position();
}

std::string FamilyName(std::string_view view, uint64_t number) {
  return fmt::format("{}@{}", view, number);
}

rocksdb::ColumnFamilyOptions FamilyOptions(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = kWriteBufferBytes;
  options.compression = rocksdb::kLZ4Compression;
  options.level_compaction_dynamic_level_bytes = true;
  options.periodic_compaction_seconds = eventstore::kRewriteSeconds;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.checksum = rocksdb::kXXH3;
  table.format_version = 5;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

rocksdb::DBOptions DatabaseOptions() {
  rocksdb::Options options = eventstore::BaseOptions();
  options.db_write_buffer_size = kAllWriteBuffersBytes;
  // Changes and positions have no write-ahead log: all families reach the disk together or not at
  // all.
  options.atomic_flush = true;
  // One writer at a time, whose keys are sorted: each is looked for where the last one went.
  options.allow_concurrent_memtable_write = false;
  return options;
}

}  // namespace

Generation::Generation(std::shared_ptr<rocksdb::DB> db, rocksdb::ColumnFamilyHandle* family,
                       uint64_t number, std::string view, uint32_t version, bool serves,
                       Position position)
    : db_(std::move(db)),
      family_(family),
      number_(number),
      view_(std::move(view)),
      version_(version),
      serves_(serves),
      position_(position.value) {}

Generation::~Generation() {
  db_->DestroyColumnFamilyHandle(family_).PermitUncheckedError();
}

Result<std::vector<std::string>> Generation::Keys(std::string_view prefix) const {
  std::vector<std::string> keys;
  std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator({}, family_));
  for (at->Seek(SliceOf(prefix)); at->Valid() && at->key().starts_with(SliceOf(prefix)); at->Next())
    keys.emplace_back(eventstore::View(at->key()));
  if (!at->status().ok())
    return ViewError(*db_, at->status(), fmt::format("read the keys of the view {}", view_));
  return keys;
}

Result<bool> Generation::Get(std::string_view key, std::string* value) const {
  const rocksdb::Status status = db_->Get({}, family_, SliceOf(key), value);
  if (status.ok()) return true;
  if (status.IsNotFound()) return false;
  return ViewError(*db_, status, fmt::format("read a key of the view {}", view_));
}

struct KeyCursor::Bounds {
  Bounds(const std::string& prefix, const rocksdb::DB& database)
      : db(database), first(prefix), end(EndOfPrefix(prefix)) {}

  const rocksdb::DB& db;
  std::string first;
  std::string end;  // empty: there is none
  rocksdb::Slice first_slice{first};
  rocksdb::Slice end_slice{end};
};

KeyCursor::KeyCursor(std::unique_ptr<Bounds> bounds, std::unique_ptr<rocksdb::Iterator> iterator,
                     std::string prefix, uint64_t* touched)
    : bounds_(std::move(bounds)),
      iterator_(std::move(iterator)),
      prefix_(std::move(prefix)),
      touched_(touched) {
  Seek(prefix_);
}
KeyCursor::~KeyCursor() = default;
KeyCursor::KeyCursor(KeyCursor&&) noexcept = default;

void KeyCursor::Seek(std::string_view key) {
  ++*touched_;
  iterator_->Seek(SliceOf(key < prefix_ ? std::string_view(prefix_) : key));
}

void KeyCursor::Next() {
  ++*touched_;
  iterator_->Next();
}

void KeyCursor::SeekBack(std::string_view key) {
  ++*touched_;
  iterator_->SeekForPrev(SliceOf(key));
}

void KeyCursor::Previous() {
  ++*touched_;
  iterator_->Prev();
}

bool KeyCursor::valid() const {
  return iterator_->Valid() && iterator_->key().starts_with(SliceOf(prefix_));
}

std::string_view KeyCursor::key() const {
  return eventstore::View(iterator_->key());
}

std::string_view KeyCursor::value() const {
  return eventstore::View(iterator_->value());
}

Status KeyCursor::status() const {
  if (iterator_->status().ok()) return {};
  return ViewError(bounds_->db, iterator_->status(), "read the keys of a view");
}

ViewReader::ViewReader(std::shared_ptr<const Generation> generation)
    : generation_(std::move(generation)), touched_(std::make_unique<uint64_t>(0)) {
  snapshot_ = generation_->db_->GetSnapshot();
  rocksdb::ReadOptions options;
  options.snapshot = snapshot_;
  std::string value;
  const auto status = generation_->db_->Get(options, generation_->db_->DefaultColumnFamily(),
                                            PositionKey(generation_->number_), &value);
  if (status.ok()) position_ = PositionOf(value);
}

ViewReader::~ViewReader() {
  if (generation_ != nullptr) generation_->db_->ReleaseSnapshot(snapshot_);
}

ViewReader::ViewReader(ViewReader&& other) noexcept
    : generation_(std::move(other.generation_)),
      snapshot_(other.snapshot_),
      position_(other.position_),
      touched_(std::move(other.touched_)) {
  other.generation_ = nullptr;
}

Result<std::optional<std::string>> ViewReader::Get(std::string_view key) const {
  ++*touched_;
  rocksdb::ReadOptions options;
  options.snapshot = snapshot_;
  std::string value;
  const auto status = generation_->db_->Get(options, generation_->family_, SliceOf(key), &value);
  if (status.ok()) return value;
  if (status.IsNotFound()) return std::nullopt;
  return ViewError(*generation_->db_, status,
                   fmt::format("read a key of the view {}", generation_->view_));
}

KeyCursor ViewReader::Keys(std::string prefix) const {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot_;
  auto bounds = std::make_unique<KeyCursor::Bounds>(prefix, *generation_->db_);
  options.iterate_lower_bound = &bounds->first_slice;
  if (!bounds->end.empty()) options.iterate_upper_bound = &bounds->end_slice;
  std::unique_ptr<rocksdb::Iterator> iterator(
      generation_->db_->NewIterator(options, generation_->family_));
  return {std::move(bounds), std::move(iterator), std::move(prefix), touched_.get()};
}

Result<std::unique_ptr<ViewStore>> ViewStore::Open(
    const std::string& path, const std::shared_ptr<const eventstore::FileCipher>& cipher) {
  STELE_RETURN_IF_ERROR(eventstore::RemoveUnlessWrittenBy(cipher.get(), path));
  auto store = OpenOnce(path, cipher);
  std::string damage;
  if (!store.has_value()) {
    if (store.error().code != ErrorCode::kStoreCorrupt) return store;
    damage = store.error().message;
  } else {
    std::ifstream found(fmt::format("{}/{}", path, kDamaged));
    if (!std::getline(found, damage)) return store;
    *store = nullptr;  // nobody else has it open
  }
  std::error_code error;
  std::filesystem::remove_all(path, error);
  store = OpenOnce(path, cipher);
  if (store.has_value()) (*store)->repaired_ = std::move(damage);
  return store;
}

Result<std::unique_ptr<ViewStore>> ViewStore::OpenOnce(
    const std::string& path, const std::shared_ptr<const eventstore::FileCipher>& cipher) {
  STELE_RETURN_IF_ERROR(MakeViewDirectory(path));
  std::unique_ptr<ViewStore> store(new ViewStore);
  STELE_RETURN_IF_ERROR(store->Load(path, cipher, /*to_read=*/false));
  return store;
}

Result<std::unique_ptr<ViewStore>> ViewStore::OpenToRead(
    const std::string& path, const std::shared_ptr<const eventstore::FileCipher>& cipher) {
  std::error_code ignored;
  if (!std::filesystem::exists(path + "/CURRENT", ignored))
    return Fail(ErrorCode::kStoreNotFound,
                fmt::format("Expected views in {} but found none", path));
  if (std::filesystem::exists(fmt::format("{}/{}", path, kDamaged), ignored) ||
      !eventstore::IsWrittenBy(cipher.get(), path))
    return Fail(ErrorCode::kStoreCorrupt,
                fmt::format("Expected views that can be used in {} but found others", path));
  auto lock = eventstore::ReadingLock::Take(path);
  if (!lock.has_value()) return std::unexpected(lock.error());
  std::unique_ptr<ViewStore> store(new ViewStore);
  store->lock_ = *std::move(lock);
  STELE_RETURN_IF_ERROR(store->Load(path, cipher, /*to_read=*/true));
  return store;
}

ViewStore::~ViewStore() {
  generations_.clear();
  if (db_ == nullptr) return;
  if (default_ != nullptr) db_->DestroyColumnFamilyHandle(default_).PermitUncheckedError();
}

Status ViewStore::Load(const std::string& path,
                       const std::shared_ptr<const eventstore::FileCipher>& cipher, bool to_read) {
  std::vector<std::string> names;
  rocksdb::DBOptions options = DatabaseOptions();
  if (cipher != nullptr) options.env = cipher->env();
  if (!rocksdb::DB::ListColumnFamilies(options, path, &names).ok())
    names = {rocksdb::kDefaultColumnFamilyName};
  cache_ = rocksdb::NewLRUCache(kBlockCacheBytes);
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const std::string& name : names) families.emplace_back(name, FamilyOptions(cache_));
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened =
      to_read ? rocksdb::DB::OpenForReadOnly(options, path, families, &handles, &db)
              : rocksdb::DB::Open(options, path, families, &handles, &db);
  if (!opened.ok()) {
    if (eventstore::IsLocked(opened))
      return Fail(ErrorCode::kStoreLocked,
                  fmt::format("Expected to be the only user of {} but found that another has it "
                              "open",
                              path));
    auto error = eventstore::RocksError(opened, fmt::format("open the views in {}", path));
    if (IsDamage(opened)) error.error().code = ErrorCode::kStoreCorrupt;
    return error;
  }
  // The cipher ends behind the last who reads.
  db_ = std::shared_ptr<rocksdb::DB>(db, [cipher](rocksdb::DB* done) { delete done; });
  std::vector<rocksdb::ColumnFamilyHandle*> unknown = handles;
  const auto is_default = std::ranges::find(unknown, rocksdb::kDefaultColumnFamilyName,
                                            &rocksdb::ColumnFamilyHandle::GetName);
  default_ = *is_default;
  unknown.erase(is_default);
  std::unique_ptr<rocksdb::Iterator> rows(db_->NewIterator({}, default_));
  for (rows->Seek("g"); rows->Valid() && rows->key().starts_with("g"); rows->Next()) {
    KeyReader key(eventstore::View(rows->key()));
    key.Byte();
    const uint64_t number = key.Number();
    last_number_ = std::max(last_number_, number);
    GenerationRow row;
    if (!DecodeRow(eventstore::View(rows->value()), &row)) continue;
    const auto handle = std::ranges::find(unknown, FamilyName(row.view, number),
                                          &rocksdb::ColumnFamilyHandle::GetName);
    if (handle == unknown.end()) continue;
    std::string at;
    const bool has_position = db_->Get({}, default_, PositionKey(number), &at).ok();
    generations_.push_back(
        std::make_shared<Generation>(db_, *handle, number, row.view, row.version, row.serves,
                                     has_position ? PositionOf(at) : Position()));
    if (has_position) generations_.back()->stored_mark_ = at.substr(PositionValue({}).size());
    if (db_->Get({}, default_, CutBeforeKey(number), &at).ok())
      generations_.back()->cut_before_ = PositionOf(at).value;
    unknown.erase(handle);
  }
  // A crash between the making of a family and its row, or between a row's end and the family's.
  for (rocksdb::ColumnFamilyHandle* family : unknown) {
    if (!to_read) db_->DropColumnFamily(family).PermitUncheckedError();
    db_->DestroyColumnFamilyHandle(family).PermitUncheckedError();
  }
  if (!rows->status().ok())
    return eventstore::RocksError(rows->status(), "list the views in " + path);
  return {};
}

std::vector<std::shared_ptr<Generation>> ViewStore::generations() const {
  const std::lock_guard lock(mutex_);
  return generations_;
}

std::shared_ptr<Generation> ViewStore::Serving(std::string_view view) const {
  const std::lock_guard lock(mutex_);
  for (const auto& generation : generations_)
    if (generation->view() == view && generation->serves()) return generation;
  return nullptr;
}

Result<std::shared_ptr<Generation>> ViewStore::Create(std::string_view view, uint32_t version) {
  const std::lock_guard lock(mutex_);
  const uint64_t number = ++last_number_;
  rocksdb::ColumnFamilyHandle* family = nullptr;
  auto status = db_->CreateColumnFamily(FamilyOptions(cache_), FamilyName(view, number), &family);
  if (status.ok())
    status = db_->Put({}, default_, GenerationKey(number),
                      EncodeRow(GenerationRow{std::string(view), version, false}));
  if (!status.ok()) return ViewError(*db_, status, fmt::format("begin to build the view {}", view));
  generations_.push_back(std::make_shared<Generation>(db_, family, number, std::string(view),
                                                      version, false, Position()));
  return generations_.back();
}

Status ViewStore::NoteCutBefore(const std::shared_ptr<Generation>& generation, Position position) {
  const auto status =
      db_->Put({}, default_, CutBeforeKey(generation->number()), PositionValue(position));
  if (!status.ok())
    return ViewError(*db_, status, fmt::format("begin to build the view {}", generation->view()));
  generation->cut_before_ = position.value;
  return {};
}

Status ViewStore::Serve(const std::shared_ptr<Generation>& generation) {
  STELE_RETURN_IF_ERROR(Sync());
  const std::shared_ptr<Generation> before = Serving(generation->view());
  rocksdb::WriteBatch batch;
  auto row = GenerationRow{generation->view(), generation->version(), true};
  auto status = batch.Put(default_, GenerationKey(generation->number()), EncodeRow(row));
  if (before != nullptr && status.ok())
    status = batch.Delete(default_, GenerationKey(before->number()));
  rocksdb::WriteOptions options;
  options.sync = true;
  if (status.ok()) status = db_->Write(options, &batch);
  if (!status.ok())
    return ViewError(*db_, status, fmt::format("let the view {} serve", generation->view()));
  {
    const std::lock_guard lock(mutex_);
    generation->serves_ = true;
    if (before != nullptr) before->serves_ = false;
  }
  return before == nullptr ? Status() : Drop(before);
}

Status ViewStore::Drop(const std::shared_ptr<Generation>& generation) {
  {
    const std::lock_guard lock(mutex_);
    std::erase(generations_, generation);
  }
  rocksdb::WriteBatch batch;
  auto status = batch.Delete(default_, GenerationKey(generation->number()));
  if (status.ok()) status = batch.Delete(default_, PositionKey(generation->number()));
  if (status.ok()) status = batch.Delete(default_, CutBeforeKey(generation->number()));
  if (status.ok()) status = db_->Write({}, &batch);
  if (status.ok()) status = db_->DropColumnFamily(generation->family_);
  if (!status.ok())
    return ViewError(*db_, status, fmt::format("drop the view {}", generation->view()));
  return {};
}

Status ViewStore::Write(std::span<const Change> changes, Position position, std::string_view mark) {
  rocksdb::WriteBatch batch;
  rocksdb::Status status;
  const std::string at = PositionValue(position).append(mark);
  for (const Change& change : changes) {
    rocksdb::ColumnFamilyHandle* family = change.generation->family_;
    STELE_RETURN_IF_ERROR(change.writer->ForEach(
        [&](const std::string& key, const std::optional<std::string>& value) {
          if (!status.ok()) return;
          status = value.has_value() ? batch.Put(family, key, *value) : batch.Delete(family, key);
        }));
    if (status.ok()) status = batch.Put(default_, PositionKey(change.generation->number()), at);
  }
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  if (status.ok()) status = db_->Write(options, &batch);
  if (!status.ok()) return ViewError(*db_, status, "write to the views");
  for (const Change& change : changes) {
    change.writer->Clear();
    change.generation->position_ = position.value;
  }
  return {};
}

Status ViewStore::Compact() {
  STELE_RETURN_IF_ERROR(Sync());
  for (const auto& generation : generations()) {
    const auto status =
        db_->CompactRange(eventstore::EveryFile(), generation->family_, nullptr, nullptr);
    if (!status.ok())
      return ViewError(*db_, status, fmt::format("compact the view {}", generation->view()));
  }
  return {};
}

Status ViewStore::Sync() {
  std::vector<rocksdb::ColumnFamilyHandle*> families{default_};
  const auto all = generations();
  for (const auto& generation : all) families.push_back(generation->family_);
  const rocksdb::Status status = db_->Flush({}, families);
  if (!status.ok()) return ViewError(*db_, status, "write the views to the disk");
  return {};
}

}  // namespace stele::projections
