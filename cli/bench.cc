// `stele bench`: what an engine or a server achieves on this machine, and what its disk does.
#include <fmt/format.h>
#include <time.h>

#include <csignal>

#include "base/json.h"
#include "cli/bench_options.h"
#include "cli/bench_report.h"
#include "cli/bench_run.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/text.h"

namespace stele::cli {

namespace {

constexpr OptionSpec kBenchOptions[] = {
    {"--over", "embedded|rpc",
     "an engine in this process, or a server that the command starts (default: embedded; of "
     "subscribers rpc)"},
    kAtServer[0],
    kAtServer[1],
    kAtServer[2],
    kAtServer[3],
    kAtServer[4],
    kAtServer[5],
    {"--rate", "N", "open loop: so many operations a second, whatever becomes of those before"},
    {"--in-flight", "N",
     "closed loop: so many under way (default: start 1024, complete 1, worker 256)"},
    {"--connections", "N",
     "to the server (default: start 16, complete 1, worker 4, subscribers 10000)"},
    {"--workers", "N", "that join the server, for the scenario worker (default 1)"},
    {"--duration", "DURATION", "how long is measured (default 10s)"},
    {"--warm-up", "DURATION", "how long the same is done before that (default 2s; 0s: not at all)"},
    {"--count", "N", "so many operations, in place of the two"},
    {"--data", "DIR",
     "the data directory (default: a new one in the present directory, which is removed)"},
    kJson,
    kQuiet};

constexpr std::string_view kDetails =
    "SCENARIO is one of\n"
    "  start        instances of one step that does nothing, started: until that is durable\n"
    "  complete     the same, until they have completed\n"
    "  worker       instances of ten tasks, one behind the other, that workers do\n"
    "  subscribers  the memory that followers of live events take of a server that is idle\n"
    "  sync         the disk alone: how long it takes to keep a little\n\n"
    "Beside the figures stands what a sync of the disk takes, before and behind. "
    "docs/benchmarks.md\n"
    "says what each figure means. A data directory or server that is named keeps what is done: a\n"
    "definition \"stele-bench-start\" or \"stele-bench-worker\" and its instances. A directory in\n"
    "which instances are open or triggers active is refused.\n\n"
    "Ctrl-C ends it early, with the figures up to then, and so does a server that goes away. "
    "Exits\n"
    "0 when it was measured, 1 when the load failed or was cut short, 2 for bad usage, 3 when it\n"
    "was ended.\n\n"
    "  stele bench start\n"
    "  stele bench start --over rpc --connections 16 --in-flight 1024\n"
    "  stele bench complete --over rpc --rate 200 --json\n"
    "  stele bench worker --server 127.0.0.1:7421 --workers 2\n"
    "  stele bench subscribers --connections 10000\n"
    "  stele bench sync --data /var/lib/stele\n";

constexpr Command kCommands[] = {
    {{"bench", "SCENARIO", 1, 1, "Measures what an engine, or a server, achieves here.", kDetails,
      kBenchOptions},
     Bench}};

// SIGINT and SIGTERM, which end a measurement in order: what it has made goes with it.
class Interrupts {
 public:
  // REQUIRES: there are no other threads yet, so that none takes the signals.
  Interrupts() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals_, &before_);
  }
  ~Interrupts() { sigprocmask(SIG_SETMASK, &before_, nullptr); }
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  bool asked() {
    const timespec now{};
    if (!asked_ && sigtimedwait(&signals_, nullptr, &now) > 0) asked_ = true;
    return asked_;
  }

 private:
  sigset_t signals_;
  sigset_t before_;
  bool asked_ = false;
};

void ShowProgress(const Terminal& terminal, const load::Progress& progress) {
  terminal.Print(fmt::format("\r\x1b[K{}: {} done a second{}", Duration(progress.elapsed_us),
                             progress.done_since, progress.warming_up ? ", warming up" : ""));
}

}  // namespace

std::span<const Command> MeasuringCommands() {
  return kCommands;
}

int Bench(const Arguments& arguments, const Terminal& terminal) {
  const auto options = ReadBenchOptions(arguments);
  if (!options.has_value()) return Refuse(terminal, options.error());
  const bool shows = terminal.is_interactive() && !options->json && !options->quiet;
  Interrupts interrupts;
  bool shown = false;
  BenchRun run(
      *options, [&] { return interrupts.asked(); },
      [&](const load::Progress& progress) {
        if (!shows) return;
        ShowProgress(terminal, progress);
        shown = true;
      });
  const auto report = run.Run();
  if (shown) terminal.Print("\r\x1b[K");
  if (!report.has_value()) {
    if (interrupts.asked()) return kExitInterrupted;
    const int code = Refuse(terminal, report.error());
    return report.error().code == ErrorCode::kTaskFailed ? kExitFailed : code;
  }
  terminal.Print(options->json ? CleanJson(ToPrettyJson(JsonOf(*options, *report))) + "\n"
                               : TextOf(*options, *report));
  if (interrupts.asked()) return kExitInterrupted;
  if (!report->measured.has_value() || !report->measured->cut_short.has_value()) return kExitDone;
  Error why = *report->measured->cut_short;
  why.message = fmt::format("Expected to measure to the end but found it cut short after {}: {}",
                            Duration(report->measured->window_us), why.message);
  terminal.PrintError(why);
  return kExitFailed;
}

}  // namespace stele::cli
