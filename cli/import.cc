// `stele import`: a data directory of an export.
#include "replay/export/import.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/given.h"
#include "cli/settings.h"
#include "cli/text.h"
#include "engine/model/payload_spans.h"
#include "engine/runtime/open_store.h"
#include "eventstore/backup_directory.h"
#include "eventstore/durable_files.h"

namespace stele::cli {

namespace {

// A line has a record's event at most, and what JSON makes of it.
constexpr size_t kMaxLineBytes = 1u << 30;
constexpr size_t kPieceBytes = 1u << 20;

struct CloseFile {
  void operator()(std::FILE* file) const {
    if (file != stdin) std::fclose(file);
  }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

// Gives each line, without its end. One that lacks its end is the last.
Status ForEachLine(std::FILE* file, replay::JsonLinesImport& import) {
  std::string rest;
  const auto piece = std::make_unique<char[]>(kPieceBytes);
  while (const size_t read = std::fread(piece.get(), 1, kPieceBytes, file)) {
    std::string_view text(piece.get(), read);
    for (size_t end; (end = text.find('\n')) != text.npos; text.remove_prefix(end + 1)) {
      rest.append(text.substr(0, end));
      STELE_RETURN_IF_ERROR(import.Take(rest));
      rest.clear();
    }
    rest.append(text);
    if (rest.size() > kMaxLineBytes)
      return Fail(
          ErrorCode::kBackupDamaged,
          fmt::format("Expected lines of at most {} bytes but found a longer one", kMaxLineBytes));
  }
  if (std::ferror(file)) return eventstore::SystemError("read the export");
  return rest.empty() ? Status() : import.Take(rest);
}

// The settings that the new directory is to have, and the master key that they name.
Result<eventstore::RocksDbOptions> TakeSettings(const Arguments& arguments,
                                                const std::string& directory) {
  eventstore::RocksDbOptions options;
  if (!arguments.Has("--settings")) return options;
  const auto copied =
      eventstore::CopyWholeFile(arguments.Get("--settings"), directory + "/settings.json", 0600);
  if (!copied.has_value()) return std::unexpected(copied.error());
  auto source = ReadKeySource(directory);
  if (!source.has_value()) return std::unexpected(source.error());
  if (source->empty()) return options;
  // A path that is not absolute counts from the directory under the name that it will have.
  if (const std::string inside = directory + "/"; source->file.starts_with(inside))
    source->file = eventstore::ResolvedPath(arguments.Get("--data") + "/" +
                                            source->file.substr(inside.size()));
  auto key = runtime::ReadMasterKey(*source);
  if (!key.has_value()) return std::unexpected(key.error());
  options.master_key = *std::move(key);
  options.payloads = std::make_shared<model::RecordPayloads>();
  return options;
}

Result<replay::ImportReport> ImportFile(const Arguments& arguments, std::FILE* file) {
  auto log = eventstore::LogImport::Begin(arguments.Get("--data"));
  if (!log.has_value()) return std::unexpected(log.error());
  const auto options = TakeSettings(arguments, (*log)->directory());
  if (!options.has_value()) return std::unexpected(options.error());
  STELE_RETURN_IF_ERROR((*log)->Open(ShardId(0), *options));
  replay::JsonLinesImport import(**log, options->master_key.has_value());
  STELE_RETURN_IF_ERROR(ForEachLine(file, import));
  auto report = import.Finish();
  if (!report.has_value()) return report;
  const auto chain = (*log)->Finish();
  if (!chain.has_value()) return std::unexpected(chain.error());
  return report;
}

void Tell(const Arguments& arguments, const Terminal& terminal,
          const replay::ImportReport& report) {
  const bool same = report.imported == report.exported;
  if (arguments.Has("--json")) {
    terminal.Print(
        CleanJson(ToPrettyJson(Object{{"data", arguments.Get("--data")},
                                      {"records", static_cast<int64_t>(report.counts.records)},
                                      {"events", static_cast<int64_t>(report.counts.events)},
                                      {"hash", eventstore::ToHex(report.imported)},
                                      {"exported_hash", eventstore::ToHex(report.exported)}})) +
        "\n");
    return;
  }
  terminal.Print(fmt::format("imported: {} of {} to {}\n", Count(report.counts.events, "event"),
                             Count(report.counts.records, "record"),
                             Clean(arguments.Get("--data"))));
  terminal.Print(same ? fmt::format("verified: the last block's hash is {}, as it was\n",
                                    eventstore::ToHex(report.imported))
                      : fmt::format("verified; sealed anew, so that the last block's hash is {}, "
                                    "and no longer {}\n",
                                    eventstore::ToHex(report.imported),
                                    eventstore::ToHex(report.exported)));
}

}  // namespace

int Import(const Arguments& arguments, const Terminal& terminal) {
  if (arguments.Get("--data").empty())
    return Refuse(terminal,
                  {ErrorCode::kUsage, "Expected --data NEW, a new directory, but found none"});
  const std::string& name = arguments.operands()[0];
  const File file(name == "-" ? stdin : std::fopen(name.c_str(), "rbe"));
  if (file == nullptr) return Refuse(terminal, eventstore::SystemError("open " + name).error());
  const auto report = ImportFile(arguments, file.get());
  if (!report.has_value()) return Refuse(terminal, report.error());
  Tell(arguments, terminal, *report);
  return kExitDone;
}

}  // namespace stele::cli
