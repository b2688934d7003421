// `stele verify`: the proof that a log is what was written.
#include "replay/verify.h"

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/open_data.h"
#include "cli/text.h"

namespace stele::cli {

int Verify(const Arguments& arguments, const Terminal& terminal) {
  const auto store = OpenForReading(arguments, /*damaged=*/true);
  if (!store.has_value()) {
    terminal.PrintError(store.error());
    return store.error().code == ErrorCode::kStoreCorrupt ? kExitFailed : kExitUsage;
  }
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
