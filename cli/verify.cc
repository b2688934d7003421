// `stele verify`: the proof that a log is what was written.
#include "replay/verify.h"

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/document.h"
#include "cli/open_data.h"
#include "cli/remote/maintenance.h"
#include "cli/remote/server_option.h"
#include "cli/text.h"
#include "cli/views.h"
#include "server/operations/reports.h"

namespace stele::cli {

namespace {

uint64_t CountIn(const Document& report, std::string_view member) {
  return static_cast<uint64_t>(report[member].whole());
}

void Print(const Terminal& terminal, const Value& given, bool chain_alone) {
  const Document report(given);
  const std::string records = Count(CountIn(report, "records"), "record");
  if (chain_alone) {
    terminal.Print(fmt::format("verified: the chain of {}; not what they mean\n", records));
    return;
  }
  terminal.Print(fmt::format(
      "verified: {} with {}, {} ({} open), {}\n", records,
      Count(CountIn(report, "events"), "event"), Count(CountIn(report, "instances"), "instance"),
      CountIn(report, "open"), Count(CountIn(report, "definitions"), "definition")));
}

Result<Value> VerifyStore(const eventstore::EventStore& store, const Terminal& terminal,
                          bool chain_alone) {
  if (chain_alone) {
    const auto records = store.VerifyChain(kShard);
    if (!records.has_value()) return std::unexpected(records.error());
    return Object{{"records", static_cast<int64_t>(*records)}};
  }
  const auto show = ShowProgress(terminal, "position");
  const auto progress = [&](Position at, Position end) -> Status {
    if (show) show(at.value, end.value - 1);
    return {};
  };
  const Result<replay::VerifyReport> report = replay::Verify(store, kShard, progress);
  EndProgress(terminal);
  if (!report.has_value()) return std::unexpected(report.error());
  return server::ToJson(*report);
}

}  // namespace

int Verify(const Arguments& arguments, const Terminal& terminal) {
  const bool chain_alone = arguments.Has("--chain");
  if (IsForServer(arguments)) {
    const auto report = VerifyAtServer(arguments, terminal, chain_alone);
    if (!report.has_value()) {
      const int code = Refuse(terminal, report.error());
      return report.error().code == ErrorCode::kReplayMismatch ? kExitFailed : code;
    }
    Print(terminal, *report, chain_alone);
    return kExitDone;
  }
  const auto store = OpenForReading(arguments, /*damaged=*/true, /*without_key=*/chain_alone);
  if (!store.has_value()) {
    terminal.PrintError(store.error());
    return store.error().code == ErrorCode::kStoreCorrupt ? kExitFailed : kExitUsage;
  }
  const auto report = VerifyStore(**store, terminal, chain_alone);
  if (!report.has_value()) {
    terminal.PrintError(report.error());
    return kExitFailed;
  }
  Print(terminal, *report, chain_alone);
  return kExitDone;
}

}  // namespace stele::cli
