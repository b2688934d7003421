// The table of the commands that look into the past of an instance.
#include "cli/commands.h"
#include "cli/options.h"

namespace stele::cli {

namespace {

constexpr OptionSpec kShowOptions[] = {
    {"--at", "SEQ|TIME",
     "behind this event, or all that had happened by then: 24h (ago), 2026-11-21T09:30:00Z, a day, "
     "start, end"},
    kData,
    kJson};
constexpr OptionSpec kDiffOptions[] = {
    {"--from", "SEQ|TIME", "the moment before (default: the first event)"},
    {"--to", "SEQ|TIME", "the moment behind (default: now)"},
    kData,
    {"--json", "", "a JSON Patch (RFC 6902) from the one state to the other"}};
constexpr OptionSpec kBisectOptions[] = {
    {"--exact", "", "look behind every event, also of more than 100,000, instead of searching"},
    kData,
    kJson};
constexpr OptionSpec kTimelineOptions[] = {
    {"--svg", "FILE", "a picture in this file instead of text; -: on standard output"},
    {"--limit", "N", "at most so many runs (default 1000)"},
    kData,
    kJson};

constexpr Command kPast[] = {
    {{"show", "ID", 1, 1, "Shows the whole state of an instance, now or at a moment of its past.",
      "Variables, steps, open runs, scopes, tokens, timers and what would be undone, as of then.\n"
      "docs/time-travel.md has the members of --json.\n\n"
      "  stele show 1\n  stele show 1 --at 12\n  stele show 1 --at 2026-11-21T09:30:00Z --json\n"
      "  stele show 1 --at 2h --server 127.0.0.1:7421\n",
      kShowOptions, kAtServer},
     ShowState},
    {{"diff", "ID", 1, 1, "Shows what differs between two moments of an instance.",
      "As a tree: + what was added, - removed, ~ changed, old → new.\n\n"
      "  stele diff 1 --from 5 --to 12\n  stele diff 1 --from 2h\n"
      "  stele diff 1 --from 5 --to 12 --json\n",
      kDiffOptions, kAtServer},
     DiffStates},
    {{"bisect", "ID EXPRESSION", 2, 2, "Finds the event at which an expression began to hold.",
      "A history of up to 100,000 events is looked at in full; of a longer one a binary search\n"
      "looks behind a few events. The expression sees what the definition's conditions see, and\n"
      "the members of \"stele show --json\". Where it cannot be evaluated it does not hold.\n"
      "Exits 1 when it never held.\n\n"
      "  stele bisect 1 'total > 100'\n  stele bisect 1 'steps.charge.status == \"failed\"'\n"
      "  stele bisect 1 'size(runs) > 3' --exact\n",
      kBisectOptions, kAtServer},
     BisectHistory},
    {{"timeline", "ID", 1, 1, "Draws the runs of an instance over time: attempts, waits, retries.",
      "  stele timeline 1\n  stele timeline 1 --svg order.svg\n  stele timeline 1 --json\n",
      kTimelineOptions, kAtServer},
     ShowTimeline},
};

}  // namespace

std::span<const Command> PastCommands() {
  return kPast;
}

}  // namespace stele::cli
