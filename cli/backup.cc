// `stele backup` and `stele restore`.
#include "eventstore/backup.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/clock.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/document.h"
#include "cli/given.h"
#include "cli/open_data.h"
#include "cli/remote/maintenance.h"
#include "cli/remote/server_option.h"
#include "cli/searching.h"
#include "cli/text.h"
#include "eventstore/restore.h"
#include "server/operations/reports.h"

namespace stele::cli {

namespace {

using eventstore::BackedUpShard;

void TellMended(const Terminal& terminal, const std::string& note) {
  if (!note.empty()) terminal.PrintNote(note);
}

// "position 120 of 2026-03-01 12:30:05.250"
std::string ReachText(const Document& shards) {
  std::vector<std::string> texts;
  for (const Value& each : shards.items()) {
    const Document shard(each);
    if (shard["position"].whole() == 0) continue;
    texts.push_back(
        fmt::format("position {} of {}", shard["position"].whole(), Time(shard["time"].time())));
    if (shards.items().size() > 1)
      texts.back() += fmt::format(" in shard {}", shard["shard"].whole());
  }
  return texts.empty() ? "no record" : fmt::format("{}", fmt::join(texts, ", "));
}

void PrintJson(const Terminal& terminal, Value document) {
  terminal.Print(CleanJson(ToPrettyJson(document)) + "\n");
}

void PrintNotes(const Terminal& terminal, const std::vector<std::string>& notes) {
  for (const std::string& note : notes) terminal.PrintNote(note);
}

int PrintList(const Arguments& arguments, const Terminal& terminal, Array backups) {
  if (arguments.Has("--json")) {
    PrintJson(terminal, std::move(backups));
    return kExitDone;
  }
  std::vector<std::vector<std::string>> rows{{"ID", "MADE", "POSITION", "LAST RECORD", "BYTES"}};
  for (const Value& each : backups) {
    const Document backup(each);
    const Array& shards = backup["shards"].items();
    const Document shard(shards.empty() ? nullptr : &shards.front());
    rows.push_back({fmt::format("{}", backup["backup"].whole()), Time(backup["made"].time()),
                    fmt::format("{}", shard["position"].whole()), Time(shard["time"].time()),
                    fmt::format("{}", backup["bytes"].whole())});
  }
  terminal.Print(Table(terminal, rows));
  return kExitDone;
}

void PrintVerified(const Terminal& terminal, const Value& given) {
  const Document backup(given);
  terminal.Print(fmt::format("verified: backup {} with {}, up to {}\n", backup["backup"].whole(),
                             Count(static_cast<uint64_t>(backup["records"].whole()), "record"),
                             ReachText(backup["shards"])));
}

// What a directory of backups holds, with the exit code: whether all are whole. Text of those that
// were verified is printed at once.
int ListThem(const Arguments& arguments, const Terminal& terminal, bool verifies, uint32_t only) {
  Array documents;
  int code = kExitDone;
  const server::BackupVisitor visitor{
      .found =
          [&](Object document) {
            documents.emplace_back(std::move(document));
            if (verifies && !arguments.Has("--json")) PrintVerified(terminal, documents.back());
          },
      .fault = [&](const Error& error) { code = std::max(code, Refuse(terminal, error)); }};
  const std::string& directory = arguments.operands()[0];
  const Status read = verifies
                          ? server::VerifyBackups(
                                directory, only == 0 ? std::nullopt : std::optional(only), visitor)
                          : server::ListBackups(directory, visitor);
  if (!read.has_value()) {
    code = Refuse(terminal, read.error());
    if (!verifies || only == 0) return code;
  }
  if (verifies && !arguments.Has("--json")) return code;
  return std::max(code, PrintList(arguments, terminal, std::move(documents)));
}

int ListThemAtServer(const Arguments& arguments, const Terminal& terminal, bool verifies,
                     uint32_t only) {
  auto found = verifies ? VerifyBackupsAtServer(arguments, only) : ListBackupsAtServer(arguments);
  if (!found.has_value()) return Refuse(terminal, found.error());
  PrintNotes(terminal, found->notes);
  int code = kExitDone;
  for (const Error& fault : found->faults) code = std::max(code, Refuse(terminal, fault));
  if (verifies && !arguments.Has("--json")) {
    for (const Value& backup : found->backups) PrintVerified(terminal, backup);
    return code;
  }
  return std::max(code, PrintList(arguments, terminal, std::move(found->backups)));
}

Status CheckNamed(const Arguments& arguments) {
  if (!arguments.operands()[0].empty()) return {};
  return Fail(ErrorCode::kUsage, "Expected a directory for backups but found an empty text");
}

Result<server::MadeBackup> BackUpData(const Arguments& arguments, uint32_t keep) {
  const auto store = OpenForWriting(arguments);
  if (!store.has_value()) return std::unexpected(store.error());
  // So that the copy has a head over all that it holds.
  STELE_RETURN_IF_ERROR((*store)->SignHead(kShard));
  return server::MakeBackup(**store, arguments.Get("--data", kDefaultData), arguments.operands()[0],
                            keep, SystemClock().Now());
}

int Make(const Arguments& arguments, const Terminal& terminal) {
  const auto given = GivenNumber(arguments, "--keep", 1, UINT32_MAX);
  if (!given.has_value()) return Refuse(terminal, given.error());
  const auto keep = static_cast<uint32_t>(given->value_or(0));
  auto made =
      IsForServer(arguments) ? BackUpAtServer(arguments, keep) : BackUpData(arguments, keep);
  if (!made.has_value()) return Refuse(terminal, made.error());
  PrintNotes(terminal, made->notes);
  if (arguments.Has("--json")) {
    PrintJson(terminal, std::move(made->document));
    return kExitDone;
  }
  const Value document(std::move(made->document));
  const Document backup(document);
  const std::string directory = Clean(arguments.operands()[0]);
  if (backup["unchanged"].is_true()) {
    terminal.Print(
        fmt::format("backup {} in {} holds all that there is, up to {}; nothing is new\n",
                    backup["backup"].whole(), directory, ReachText(backup["shards"])));
    return kExitDone;
  }
  terminal.Print(fmt::format("backup {} in {}: up to {}; {} bytes, {} of them new\n",
                             backup["backup"].whole(), directory, ReachText(backup["shards"]),
                             backup["bytes"].whole(), backup["new_bytes"].whole()));
  std::vector<int64_t> removed;
  for (const Value& id : backup["removed"].items()) removed.push_back(Document(id).whole());
  if (!removed.empty()) terminal.Print(fmt::format("removed: {}\n", fmt::join(removed, ", ")));
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
  if (makes) return Make(arguments, terminal);
  const auto only = GivenNumber(arguments, "--backup", 1, UINT32_MAX);
  if (!only.has_value()) return Refuse(terminal, only.error());
  const auto id = static_cast<uint32_t>(only->value_or(0));
  if (IsForServer(arguments)) return ListThemAtServer(arguments, terminal, verifies, id);
  TellMended(terminal, server::MendBackups(arguments.operands()[0]));
  return ListThem(arguments, terminal, verifies, id);
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
  TellMended(terminal, server::MendBackups(request.directory));
  const auto restored = eventstore::Restore(request);
  if (!restored.has_value()) return Refuse(terminal, restored.error());
  if (arguments.Has("--json")) {
    PrintJson(terminal, Object{{"backup", static_cast<int64_t>(restored->backup)},
                               {"data", request.target},
                               {"shards", server::ToJson(restored->shards)},
                               {"records", static_cast<int64_t>(restored->records)}});
    return kExitDone;
  }
  const Value shards(server::ToJson(restored->shards));
  terminal.Print(fmt::format("restored: backup {} to {}, up to {}\n", restored->backup,
                             Clean(request.target), ReachText(Document(shards))));
  terminal.Print(fmt::format("verified: {}", Count(restored->records, "record")));
  for (const BackedUpShard& shard : restored->shards)
    terminal.Print(fmt::format(", the last block's hash is {}", eventstore::ToHex(shard.end.hash)));
  terminal.Print("\n");
  return kExitDone;
}

}  // namespace stele::cli
