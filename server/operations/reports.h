// What maintenance came to, as documents: what the program prints with --json, and what a server
// answers.
//
// Thread: any.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/value.h"
#include "engine/retention/service.h"
#include "engine/secrets/secret_store.h"
#include "eventstore/backup.h"
#include "projections/scratch_view.h"
#include "replay/verify.h"

namespace stele::server {

// {records, events, instances, open, definitions}
Object ToJson(const replay::VerifyReport& report);
// {view, position, equal, differing, examples}
Object ToJson(const std::string& view, const projections::Comparison& comparison);
// {records, segments, bytes, archived_to}
Object ToJson(const eventstore::ArchiveReport& report);
// {dry_run, instances, definitions, records, archived}; without the last two when it is dry.
Object ToJson(const retention::RetentionReport& report, bool dry);
// {erased, sent, in_clear, sent_in_clear, started}; without the last three where there is nothing.
Object ToJson(const retention::ErasureReport& report);
// {closed, archive_after, hot_log_bytes, every}: durations in seconds; 0: for ever, or any.
Object ToJson(const retention::RetentionPolicy& policy);
// {name, bytes, created, changed}
Object ToJson(const secrets::SecretInfo& secret);
// {backup, made, shards, files, bytes}
Object ToJson(const eventstore::BackupManifest& manifest);
// The same of each of these: {shard, position, time, hash}.
Array ToJson(const std::vector<eventstore::BackedUpShard>& shards);

// What lies in a data directory beside the log and cannot be rebuilt from it. Never a key.
std::vector<std::string> FilesBesideTheLog();

// A backup that was made: its manifest, {…, unchanged, new_bytes, removed}, and sentences that
// somebody should read.
struct MadeBackup {
  Object document;
  std::vector<std::string> notes;
};
// Into `directory`, of the store of the data directory `data`. `keep`: so many stay; 0: all. When
// the store of secrets is damaged none is removed.
Result<MadeBackup> MakeBackup(const eventstore::EventStore& store, const std::string& data,
                              const std::string& directory, uint32_t keep, TimeUs now);

// Told of each backup of a directory: its manifest, and {records} when it was verified; or why it
// cannot be read. One that is removed meanwhile is passed over.
struct BackupVisitor {
  std::function<void(Object document)> found;
  std::function<void(const Error& error)> fault;
};
// The sentence on a list of backups that was made anew; empty: it was whole.
std::string MendBackups(const std::string& directory);
// Of all, the oldest first. kStoreNotFound and so on: there is no such directory.
Status ListBackups(const std::string& directory, const BackupVisitor& visitor);
// Every byte and every chain, of all or of that one.
Status VerifyBackups(const std::string& directory, std::optional<uint32_t> only,
                     const BackupVisitor& visitor);

}  // namespace stele::server
