// `stele backup` and `stele restore`.
#include "eventstore/backup.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/clock.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/data_files.h"
#include "cli/given.h"
#include "cli/open_data.h"
#include "cli/searching.h"
#include "cli/settings.h"
#include "cli/text.h"
#include "engine/runtime/open_store.h"
#include "engine/secrets/secret_store.h"
#include "eventstore/restore.h"

namespace stele::cli {

namespace {

using eventstore::BackedUpShard;
using eventstore::BackupManifest;

void TellMended(const Terminal& terminal, const std::string& mended) {
  if (!mended.empty())
    terminal.PrintNote("the list of backups was made anew of their manifests: " + mended);
}

uint64_t LastPosition(const BackedUpShard& shard) {
  return shard.end.next.value - 1;
}

Array ShardsToJson(const std::vector<BackedUpShard>& shards) {
  Array array;
  for (const BackedUpShard& shard : shards)
    array.push_back(Object{{"shard", static_cast<int64_t>(shard.shard.value)},
                           {"position", static_cast<int64_t>(LastPosition(shard))},
                           {"time", LastPosition(shard) == 0 ? Value() : shard.last_time.value},
                           {"hash", eventstore::ToHex(shard.end.hash)}});
  return array;
}

Object ManifestToJson(const BackupManifest& manifest) {
  return Object{{"backup", static_cast<int64_t>(manifest.id)},
                {"made", manifest.made.value},
                {"shards", ShardsToJson(manifest.shards)},
                {"files", static_cast<int64_t>(manifest.files.size())},
                {"bytes", static_cast<int64_t>(manifest.bytes())}};
}

// "position 120 of 2026-03-01 12:30:05.250"
std::string ReachText(const std::vector<BackedUpShard>& shards) {
  std::vector<std::string> texts;
  for (const BackedUpShard& shard : shards) {
    if (LastPosition(shard) == 0) continue;
    texts.push_back(fmt::format("position {} of {}", LastPosition(shard), Time(shard.last_time)));
    if (shards.size() > 1) texts.back() += fmt::format(" in shard {}", shard.shard.value);
  }
  return texts.empty() ? "no record" : fmt::format("{}", fmt::join(texts, ", "));
}

void PrintJson(const Terminal& terminal, Value document) {
  terminal.Print(CleanJson(ToPrettyJson(document)) + "\n");
}

// Each of these backups that is not removed meanwhile, and what became of it; the exit code tells
// whether all are whole.
int ForEach(const std::vector<uint32_t>& ids, const Terminal& terminal,
            const std::function<Status(uint32_t id)>& visit) {
  int code = kExitDone;
  for (const uint32_t id : ids)
    if (const Status visited = visit(id);
        !visited.has_value() && visited.error().code != ErrorCode::kStoreNotFound)
      code = std::max(code, Refuse(terminal, visited.error()));
  return code;
}

int ListAll(const Arguments& arguments, const Terminal& terminal) {
  const std::string& directory = arguments.operands()[0];
  std::vector<std::vector<std::string>> rows{{"ID", "MADE", "POSITION", "LAST RECORD", "BYTES"}};
  Array documents;
  const auto ids = eventstore::BackupIds(directory);
  if (!ids.has_value()) return Refuse(terminal, ids.error());
  const int code = ForEach(*ids, terminal, [&](uint32_t id) -> Status {
    const auto manifest = eventstore::ReadBackup(directory, id);
    if (!manifest.has_value()) return std::unexpected(manifest.error());
    documents.push_back(ManifestToJson(*manifest));
    const BackedUpShard none{};
    const BackedUpShard& shard = manifest->shards.empty() ? none : manifest->shards.front();
    rows.push_back({fmt::format("{}", id), Time(manifest->made),
                    fmt::format("{}", LastPosition(shard)), Time(shard.last_time),
                    fmt::format("{}", manifest->bytes())});
    return {};
  });
  if (arguments.Has("--json")) {
    PrintJson(terminal, std::move(documents));
  } else {
    terminal.Print(Table(terminal, rows));
  }
  return code;
}

int VerifyAll(const Arguments& arguments, const Terminal& terminal) {
  const std::string& directory = arguments.operands()[0];
  const auto only = GivenNumber(arguments, "--backup", 1, UINT32_MAX);
  if (!only.has_value()) return Refuse(terminal, only.error());
  Array documents;
  const auto verify = [&](uint32_t id) -> Status {
    const auto verified = eventstore::VerifyBackups(directory, id);
    if (!verified.has_value()) return std::unexpected(verified.error());
    const eventstore::VerifiedBackup& backup = verified->front();
    Object document = ManifestToJson(backup.manifest);
    document.Set("records", static_cast<int64_t>(backup.records));
    documents.push_back(std::move(document));
    if (!arguments.Has("--json"))
      terminal.Print(fmt::format("verified: backup {} with {}, up to {}\n", id,
                                 Count(backup.records, "record"),
                                 ReachText(backup.manifest.shards)));
    return {};
  };
  int code = kExitDone;
  if (only->has_value()) {
    const Status verified = verify(static_cast<uint32_t>(**only));
    if (!verified.has_value()) code = Refuse(terminal, verified.error());
  } else {
    const auto ids = eventstore::BackupIds(directory);
    if (!ids.has_value()) return Refuse(terminal, ids.error());
    code = ForEach(*ids, terminal, verify);
  }
  if (arguments.Has("--json")) PrintJson(terminal, std::move(documents));
  return code;
}

Status CheckNamed(const Arguments& arguments) {
  if (!arguments.operands()[0].empty()) return {};
  return Fail(ErrorCode::kUsage, "Expected a directory for backups but found an empty text");
}

// Whether the store of secrets has the form of one, if there is one. Nothing in it is opened.
Status CheckSecrets(const std::string& data) {
  const secrets::SecretStore store(data);
  if (!store.Exists()) return {};
  const auto listed = store.List(nullptr);
  const bool damaged = !listed.has_value() && listed.error().code == ErrorCode::kSecretStoreDamaged;
  return damaged ? std::unexpected(listed.error()) : Status();
}

int Make(const Arguments& arguments, const Terminal& terminal) {
  eventstore::BackupRequest request;
  request.directory = arguments.operands()[0];
  request.now = SystemClock().Now();
  request.files = FilesBesideTheLog();
  const auto keep = GivenNumber(arguments, "--keep", 1, UINT32_MAX);
  if (!keep.has_value()) return Refuse(terminal, keep.error());
  request.keep = static_cast<uint32_t>(keep->value_or(0));
  request.skip_unchanged = true;
  const std::string data = arguments.Get("--data", kDefaultData);
  eventstore::RocksDbOptions options;
  options.create_if_missing = false;
  const auto key = ReadKeySource(data);
  if (!key.has_value()) return Refuse(terminal, key.error());
  const auto archive = ReadArchiveDirectory(data);
  if (!archive.has_value()) return Refuse(terminal, archive.error());
  options.archive_directory = *archive;
  const auto store = runtime::OpenStore(data, options, *key);
  if (!store.has_value()) return Refuse(terminal, store.error());
  if (const Status whole = CheckSecrets(data); !whole.has_value()) {
    terminal.PrintNote(
        fmt::format("secrets.stele is no store of secrets, and no older backup is "
                    "removed: {}",
                    whole.error().message));
    request.keep = 0;
  }
  const auto made = (*store)->Backup(request);
  if (!made.has_value()) return Refuse(terminal, made.error());
  TellMended(terminal, made->mended);
  if (arguments.Has("--json")) {
    Object document = ManifestToJson(made->manifest);
    document.Set("unchanged", made->unchanged);
    document.Set("new_bytes", static_cast<int64_t>(made->new_bytes));
    Array removed;
    for (const uint32_t id : made->removed) removed.push_back(static_cast<int64_t>(id));
    document.Set("removed", std::move(removed));
    PrintJson(terminal, std::move(document));
    return kExitDone;
  }
  if (made->unchanged) {
    terminal.Print(
        fmt::format("backup {} in {} holds all that there is, up to {}; nothing is new\n",
                    made->manifest.id, Clean(request.directory), ReachText(made->manifest.shards)));
    return kExitDone;
  }
  terminal.Print(fmt::format("backup {} in {}: up to {}; {} bytes, {} of them new\n",
                             made->manifest.id, Clean(request.directory),
                             ReachText(made->manifest.shards), made->manifest.bytes(),
                             made->new_bytes));
  if (!made->removed.empty())
    terminal.Print(fmt::format("removed: {}\n", fmt::join(made->removed, ", ")));
  return kExitDone;
}

Status TakeMoment(const Arguments& arguments, eventstore::RestoreRequest* request) {
  const Result<GivenPoint> given = GivenPointOf(arguments, "--to");
  if (!given.has_value()) return std::unexpected(given.error());
  if (given->is_position) {
    request->to_position = given->position;
  } else {
    request->to_time = given->time;
  }
  return {};
}

}  // namespace

int Backup(const Arguments& arguments, const Terminal& terminal) {
  const bool lists = arguments.Has("--list"), verifies = arguments.Has("--verify");
  const bool makes = !lists && !verifies;
  const bool unfit = (lists && verifies) || (!makes && arguments.Has("--keep")) ||
                     (!makes && arguments.Has("--data")) ||
                     (!verifies && arguments.Has("--backup"));
  if (unfit)
    return Refuse(terminal, {ErrorCode::kUsage,
                             "Expected --list alone, --verify with --backup at most, or a backup "
                             "with --data and --keep at most, but found them mixed"});
  if (const Status named = CheckNamed(arguments); !named.has_value())
    return Refuse(terminal, named.error());
  if (!makes) TellMended(terminal, eventstore::MendBackupList(arguments.operands()[0]));
  if (lists) return ListAll(arguments, terminal);
  if (verifies) return VerifyAll(arguments, terminal);
  return Make(arguments, terminal);
}

int RestoreBackup(const Arguments& arguments, const Terminal& terminal) {
  eventstore::RestoreRequest request;
  request.directory = arguments.operands()[0];
  request.target = arguments.Get("--data");
  if (request.target.empty())
    return Refuse(terminal,
                  {ErrorCode::kUsage, "Expected --data NEW, a new directory, but found none"});
  const auto backup = GivenNumber(arguments, "--backup", 1, UINT32_MAX);
  if (!backup.has_value()) return Refuse(terminal, backup.error());
  if (backup->has_value()) request.backup = static_cast<uint32_t>(**backup);
  if (arguments.Has("--to"))
    if (const Status taken = TakeMoment(arguments, &request); !taken.has_value())
      return Refuse(terminal, taken.error());
  if (const Status named = CheckNamed(arguments); !named.has_value())
    return Refuse(terminal, named.error());
  TellMended(terminal, eventstore::MendBackupList(request.directory));
  const auto restored = eventstore::Restore(request);
  if (!restored.has_value()) return Refuse(terminal, restored.error());
  if (arguments.Has("--json")) {
    PrintJson(terminal, Object{{"backup", static_cast<int64_t>(restored->backup)},
                               {"data", request.target},
                               {"shards", ShardsToJson(restored->shards)},
                               {"records", static_cast<int64_t>(restored->records)}});
    return kExitDone;
  }
  terminal.Print(fmt::format("restored: backup {} to {}, up to {}\n", restored->backup,
                             Clean(request.target), ReachText(restored->shards)));
  terminal.Print(fmt::format("verified: {}", Count(restored->records, "record")));
  for (const BackedUpShard& shard : restored->shards)
    terminal.Print(fmt::format(", the last block's hash is {}", eventstore::ToHex(shard.end.hash)));
  terminal.Print("\n");
  return kExitDone;
}

}  // namespace stele::cli
