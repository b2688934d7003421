// `stele verify`: the proof that a log is what was written.
#include "replay/verify.h"

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/open_data.h"
#include "cli/text.h"

namespace stele::cli {

namespace {

int VerifyChain(const eventstore::EventStore& store, const Terminal& terminal) {
  const auto records = store.VerifyChain(kShard);
  if (!records.has_value()) {
    terminal.PrintError(records.error());
    return kExitFailed;
  }
  terminal.Print(
      fmt::format("verified: the chain of {}; not what they mean\n", Count(*records, "record")));
  return kExitDone;
}

}  // namespace

int Verify(const Arguments& arguments, const Terminal& terminal) {
  const bool chain_alone = arguments.Has("--chain");
  const auto store = OpenForReading(arguments, /*damaged=*/true, /*without_key=*/chain_alone);
  if (!store.has_value()) {
    terminal.PrintError(store.error());
    return store.error().code == ErrorCode::kStoreCorrupt ? kExitFailed : kExitUsage;
  }
  if (chain_alone) return VerifyChain(**store, terminal);
  const bool live = terminal.is_interactive();
  const auto progress = [&](Position at, Position end) {
    terminal.Print(fmt::format("\r\x1b[Kposition {} of {}", at.value, end.value - 1));
  };
  const Result<replay::VerifyReport> report =
      replay::Verify(**store, kShard, live ? replay::VerifyProgress(progress) : nullptr);
  if (live) terminal.Print("\r\x1b[K");
  if (!report.has_value()) {
    terminal.PrintError(report.error());
    return kExitFailed;
  }
  terminal.Print(fmt::format("verified: {} with {}, {} ({} open), {}\n",
                             Count(report->records, "record"), Count(report->events, "event"),
                             Count(report->instances, "instance"), report->open,
                             Count(report->definitions, "definition")));
  return kExitDone;
}

}  // namespace stele::cli
