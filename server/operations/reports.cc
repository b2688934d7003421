#include "server/operations/reports.h"

#include <fmt/format.h>

namespace stele::server {

namespace {

using eventstore::BackedUpShard;
using eventstore::BackupManifest;

Value Whole(uint64_t number) {
  return static_cast<int64_t>(number);
}

Array NumbersOf(const std::vector<InstanceId>& ids) {
  Array list;
  for (const InstanceId id : ids) list.push_back(Whole(id.value));
  return list;
}

// Whether the store of secrets has the form of one, if there is one. Nothing in it is opened.
Status CheckSecrets(const std::string& data) {
  const secrets::SecretStore store(data);
  if (!store.Exists()) return {};
  const auto listed = store.List(nullptr);
  const bool damaged = !listed.has_value() && listed.error().code == ErrorCode::kSecretStoreDamaged;
  return damaged ? std::unexpected(listed.error()) : Status();
}

std::string MendedNote(const std::string& mended) {
  return mended.empty() ? "" : "the list of backups was made anew of their manifests: " + mended;
}

void Visit(const BackupVisitor& visitor, Result<Object> document) {
  if (document.has_value()) return visitor.found(*std::move(document));
  if (document.error().code != ErrorCode::kStoreNotFound) visitor.fault(document.error());
}

Result<Object> ReadOne(const std::string& directory, uint32_t id) {
  const auto manifest = eventstore::ReadBackup(directory, id);
  if (!manifest.has_value()) return std::unexpected(manifest.error());
  return ToJson(*manifest);
}

Result<Object> VerifyOne(const std::string& directory, uint32_t id) {
  const auto verified = eventstore::VerifyBackups(directory, id);
  if (!verified.has_value()) return std::unexpected(verified.error());
  const eventstore::VerifiedBackup& backup = verified->front();
  Object document = ToJson(backup.manifest);
  document.Set("records", Whole(backup.records));
  return document;
}

}  // namespace

Object ToJson(const replay::VerifyReport& report) {
  return {{"records", Whole(report.records)},
          {"events", Whole(report.events)},
          {"instances", Whole(report.instances)},
          {"open", Whole(report.open)},
          {"definitions", Whole(report.definitions)}};
}

Object ToJson(const std::string& view, const projections::Comparison& comparison) {
  Array examples;
  for (const std::string& example : comparison.examples) examples.emplace_back(example);
  return {{"view", view},
          {"position", Whole(comparison.position.value)},
          {"equal", Whole(comparison.keys)},
          {"differing", Whole(comparison.differing)},
          {"examples", std::move(examples)}};
}

Object ToJson(const eventstore::ArchiveReport& report) {
  return {{"records", Whole(report.records)},
          {"segments", Whole(report.segments)},
          {"bytes", Whole(report.file_bytes)},
          {"archived_to", Whole(report.end.value - 1)}};
}

Object ToJson(const retention::RetentionReport& report, bool dry) {
  Object definitions;
  for (const auto& [name, count] : report.definitions) definitions.Set(name, Whole(count));
  Object document{{"dry_run", dry},
                  {"instances", Whole(report.instances)},
                  {"definitions", std::move(definitions)}};
  if (dry) return document;
  document.Set("records", Whole(report.records));
  document.Set("archived", Whole(report.archived));
  return document;
}

Object ToJson(const retention::ErasureReport& report) {
  const retention::InClear& left = report.in_clear;
  Object document{{"erased", NumbersOf(report.instances)}, {"sent", Whole(report.sent)}};
  if (!left.instances.empty()) document.Set("in_clear", NumbersOf(left.instances));
  if (!left.registry.empty()) document.Set("sent_in_clear", Whole(left.registry.size()));
  if (!report.started.empty()) document.Set("started", NumbersOf(report.started));
  return document;
}

Object ToJson(const retention::RetentionPolicy& policy) {
  const auto seconds = [](int64_t us) { return static_cast<double>(us) / 1e6; };
  return {{"closed", seconds(policy.closed_us)},
          {"archive_after", seconds(policy.archive_after_us)},
          {"hot_log_bytes", Whole(policy.hot_log_bytes)},
          {"every", seconds(policy.every_us)}};
}

Object ToJson(const secrets::SecretInfo& secret) {
  return {{"name", secret.name},
          {"bytes", Whole(secret.bytes)},
          {"created", secret.created.value},
          {"changed", secret.changed.value}};
}

Array ToJson(const std::vector<BackedUpShard>& shards) {
  Array array;
  for (const BackedUpShard& shard : shards) {
    const uint64_t last = shard.end.next.value - 1;
    array.push_back(Object{{"shard", static_cast<int64_t>(shard.shard.value)},
                           {"position", Whole(last)},
                           {"time", last == 0 ? Value() : shard.last_time.value},
                           {"hash", eventstore::ToHex(shard.end.hash)}});
  }
  return array;
}

Object ToJson(const BackupManifest& manifest) {
  return Object{{"backup", Whole(manifest.id)},
                {"made", manifest.made.value},
                {"shards", ToJson(manifest.shards)},
                {"files", Whole(manifest.files.size())},
                {"bytes", Whole(manifest.bytes())}};
}

std::vector<std::string> FilesBesideTheLog() {
  return {"settings.json", "secrets.stele"};
}

Result<MadeBackup> MakeBackup(const eventstore::EventStore& store, const std::string& data,
                              const std::string& directory, uint32_t keep, TimeUs now) {
  MadeBackup backup;
  eventstore::BackupRequest request{.directory = directory,
                                    .now = now,
                                    .files = FilesBesideTheLog(),
                                    .keep = keep,
                                    .skip_unchanged = true,
                                    .progress = nullptr};
  if (const Status whole = CheckSecrets(data); !whole.has_value()) {
    backup.notes.push_back(
        fmt::format("secrets.stele is no store of secrets, and no older backup is removed: {}",
                    whole.error().message));
    request.keep = 0;
  }
  const auto made = store.Backup(request);
  if (!made.has_value()) return std::unexpected(made.error());
  if (!made->mended.empty()) backup.notes.push_back(MendedNote(made->mended));
  backup.document = ToJson(made->manifest);
  backup.document.Set("unchanged", made->unchanged);
  backup.document.Set("new_bytes", Whole(made->new_bytes));
  Array removed;
  for (const uint32_t id : made->removed) removed.push_back(Whole(id));
  backup.document.Set("removed", std::move(removed));
  return backup;
}

std::string MendBackups(const std::string& directory) {
  return MendedNote(eventstore::MendBackupList(directory));
}

Status ListBackups(const std::string& directory, const BackupVisitor& visitor) {
  const auto ids = eventstore::BackupIds(directory);
  if (!ids.has_value()) return std::unexpected(ids.error());
  for (const uint32_t id : *ids) Visit(visitor, ReadOne(directory, id));
  return {};
}

Status VerifyBackups(const std::string& directory, std::optional<uint32_t> only,
                     const BackupVisitor& visitor) {
  if (only.has_value()) {
    auto verified = VerifyOne(directory, *only);
    if (!verified.has_value()) return std::unexpected(verified.error());
    visitor.found(*std::move(verified));
    return {};
  }
  const auto ids = eventstore::BackupIds(directory);
  if (!ids.has_value()) return std::unexpected(ids.error());
  for (const uint32_t id : *ids) Visit(visitor, VerifyOne(directory, id));
  return {};
}

}  // namespace stele::server
