// The table of the commands that look.
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/searching.h"

namespace stele::cli {

namespace {

constexpr OptionSpec kListOptions[] = {
    {"--status", "STATUS[,…]", "running, waiting, parked, paused, queued, completed, failed, …",
     true},
    {"--definition", "NAME", "only its instances", true},
    {"--tag", "TAG", "only instances with the tag; given twice, with both", true},
    {"--business-key", "KEY", "only instances with the key"},
    kSort,
    kLimit,
    kCursor,
    kAsOf,
    kData,
    kJson};
constexpr OptionSpec kActiveOptions[] = {kSort, kLimit, kCursor, kAsOf, kData, kJson};
constexpr OptionSpec kStatisticsOptions[] = {
    {"--each", "", "a line for each definition"},
    {"--by", "UNIT", "a line for each minute, hour or day in which something happened"},
    kVersion,
    {"--from", "TIME", "what happened from then on: 24h (ago), 2026-11-21, 2026-11-21T09:30:00Z"},
    {"--to", "TIME", "what happened before"},
    kLimit,
    kCursor,
    kAsOf,
    kData,
    kJson};
constexpr OptionSpec kWorkersOptions[] = {kAsOf, kData, kJson};
constexpr OptionSpec kErrorsOptions[] = {{"--definition", "NAME", "only in its instances"},
                                         {"--step", "STEP", "only at this step"},
                                         {"--kind", "KIND", "only this kind of error"},
                                         {"--since", "TIME", "only what occurred since then"},
                                         kLimit,
                                         kCursor,
                                         kAsOf,
                                         kData,
                                         kJson};
constexpr OptionSpec kDataOnly[] = {kData};
constexpr OptionSpec kDataJson[] = {kData, kJson};
constexpr OptionSpec kLogsOptions[] = {
    {"--step", "STEP", "only the attempts of this step"},
    {"--outputs", "", "also what they gave (--json has it anyway)"},
    kData,
    kJson};
constexpr OptionSpec kReportOptions[] = {
    {"--instance", "ID", "only what was done to this one, or denied"},
    {"--definition", "NAME", "only this definition and its instances"},
    {"--actor", "NAME", "only what this one did"},
    {"--since", "TIME", "only what was recorded then or later"},
    {"--until", "TIME", "only what was recorded before"},
    {"--kind", "KIND", "only this kind", true},
    {"--denied", "", "only attempts that were denied"},
    {"--all", "", "also what the engine and its workers did"},
    {"--format", "text|json|csv", "how it is written (default: text)"},
    kData,
    kJson};
constexpr OptionSpec kDebugOptions[] = {
    {"--commands", "FILE", "do these, one a line, instead of a terminal's; - is standard input"},
    {"--at", "PLACE", "begin there: an event's number, a time, start (the default) or end"},
    kData,
    {"--json", "", "beside --commands: what each answers as a line of JSON"}};
constexpr OptionSpec kVerifyOptions[] = {
    {"--chain", "", "checksums and the chain alone, which takes no key"}, kData};

constexpr OptionSpec kReplayOptions[] = {
    {"--instances", "QUERY", "only those that fit, as \"stele list\" takes it (default: all)"},
    {"--definition", "FILE|NAME[@N]",
     "decides the instances of its name with it in place of theirs"},
    kVersion,
    {"--jobs", "N", "threads that decide (default: one a processor)"},
    kData,
    kJson};

constexpr Command kReading[] = {
    {{"list", "[QUERY…]", 0, 100, "Lists the instances that fit a query, the latest first.",
      "A query is field:value, started>24h, tag:a,b, -status:failed, var.customer=42, order* for\n"
      "what begins so, and words that errors and business keys hold; docs/queries.md names the\n"
      "fields. --json prints all of them, text a page.\n"
      "WAITS FOR says what an open instance needs to go on. Statuses: running, waiting, parked,\n"
      "paused, queued, compensating, completed, failed, cancelled, terminated.\n"
      "--sort: started, ended, duration, priority, definition, status or key; -ended: the latest "
      "first.\n\n"
      "  stele list --data /var/lib/stele\n"
      "  stele list --status waiting --status parked\n"
      "  stele list --definition order --tag express --json\n"
      "  stele list status:failed 'started>24h' var.customer=42\n"
      "  stele list definition:order* --sort started --limit 20\n"
      "  stele list status:waiting --as-of 2026-11-21T09:30:00Z\n",
      kListOptions, kAtServer},
     List},
    {{"active", "[QUERY…]", 0, 100, "Lists what is under way: at which step, how far, since when.",
      "Instances that have not ended and fit the query (docs/queries.md). PROGRESS is the share "
      "of\n"
      "the definition's outermost steps that are decided. --json has the same members as \"stele\n"
      "list\".\n\n"
      "  stele active\n  stele active definition:order 'started<24h'\n",
      kActiveOptions, kAtServer},
     ListActive},
    {{"status", "ID", 1, 1,
      "Shows an instance: its steps, what it waits for, variables and errors.",
      "  stele status 1\n  stele status 1 --json\n  stele status 1 --server 127.0.0.1:7421\n",
      kDataJson, kAtServer},
     ShowStatus},
    {{"logs", "ID", 1, 1, "Shows what the attempts of an instance's steps printed.",
      "  stele logs 1\n  stele logs 1 --step ship_order\n  stele logs 1 --json\n", kLogsOptions,
      kAtServer},
     ShowLogs},
    {{"history", "ID", 1, 1, "Shows every event of an instance.",
      "--json prints one event a line (JSON Lines).\n\n  stele history 1\n"
      "  stele history 1 --json\n",
      kDataJson, kAtServer},
     ShowHistory},
    {{"debug", "ID", 1, 1, "A debugger for what an instance has recorded, forward and back.",
      "On a terminal: the graph with its tokens, events, values, watches; ? says what the keys "
      "do.\n"
      "--commands does without one: next, back, step, out, continue, reverse, jump, break, watch,\n"
      "print, assert, search, list, graph, vars, changes; help lists them, and docs/debugger.md\n"
      "shows it. A script ends at the first command that cannot be done: 2, and 1 where an assert\n"
      "does not hold.\n\n"
      "  stele debug 7\n  stele debug 7 --at end --server 127.0.0.1:7421\n"
      "  stele debug 7 --commands steps.txt\n"
      "  echo 'print variables.total' | stele debug 7 --at end --commands -\n",
      kDebugOptions, kAtServer},
     Debug},
    {{"dap", "", 0, 0, "An editor steps through an instance: a Debug Adapter Protocol server.",
      "Speaks on standard input and output to the editor that starts it. What is looked at stands "
      "in\n"
      "the editor's launch configuration: {\"instance\": 7, \"data\": DIR or \"server\": ADDR,\n"
      "\"program\": FILE}; docs/dap.md has those of VS Code and Neovim.\n\n"
      "  stele dap\n  stele dap --server 127.0.0.1:7421\n",
      kDataOnly, kAtServer},
     ServeEditor},
    {{"stats", "[NAME]", 0, 1, "Shows figures of a definition and its steps, or of all.",
      "docs/statistics.md says what each figure is.\n\n"
      "  stele stats\n  stele stats --each\n  stele stats order --from 24h\n"
      "  stele stats order --from 7d --by day\n  stele stats order --version 2 --json\n",
      kStatisticsOptions, kAtServer},
     ShowStatistics},
    {{"errors", "", 0, 0, "Lists what goes wrong: kinds of errors, how often, and where last.",
      "  stele errors\n  stele errors --definition order --since 24h\n", kErrorsOptions, kAtServer},
     ListErrors},
    {{"workers", "", 0, 0, "Lists who has done tasks, how many, and when last.",
      "Workers by the names under which they joined; what is with one now is not in the log\n"
      "(docs/statistics.md).\n\n  stele workers\n  stele workers --json\n",
      kWorkersOptions, kAtServer},
     ListWorkers},
    {{"projections list", "", 0, 0, "Lists the views and how far behind the log each is.",
      "A command that asks a view brings it up to the log first.\n\n"
      "  stele projections list\n",
      kDataJson, kAtServer},
     ListProjections},
    {{"projections rebuild", "[NAME…]", 0, 100, "Builds views anew from the log; all without NAME.",
      "The one that is there serves until the new one has caught up. What was cut off goes on.\n\n"
      "  stele projections rebuild\n  stele projections rebuild instances tasks\n",
      kDataJson, kAtServer},
     RebuildProjections},
    {{"projections verify", "[NAME…]", 0, 100, "Compares views with a new building, key by key.",
      "Exits 1 when one differs.\n\n  stele projections verify\n", kDataJson, kAtServer},
     VerifyProjections},
    {{"audit report", "", 0, 0, "Says who did what to which instance, when, from where and why.",
      "Operators' actions, decisions of people, starts, changes of definitions, triggers, users,\n"
      "settings and alerts, removals, and attempts that were denied: in the order of the log.\n"
      "Kinds: start, operate, decide, message, definition, trigger, access, setting, alert,\n"
      "removal, denied, engine (with --all). At a server it takes the permission \"audit\".\n"
      "docs/audit.md says what each column means.\n\n"
      "  stele audit report --instance 42\n"
      "  stele audit report --actor ada --since 2026-11-01 --format csv > ada.csv\n"
      "  stele audit report --denied --since 24h --json\n",
      kReportOptions, kAtServer},
     ReportAudit},
    {{"verify", "", 0, 0, "Checks every checksum, the chain, and decides everything again.",
      "Exits 1 when something is wrong, and says at which position.\n\n  stele verify\n"
      "  stele verify --chain\n",
      kVerifyOptions, kAtServer},
     Verify},
    {{"replay", "", 0, 0,
      "Decides histories again, with this build or a changed definition, and compares.",
      "Each recorded cause is decided again, and what follows compared with what is recorded, up "
      "to\n"
      "where an instance first differs. Exits 1 when one does (docs/regression.md).\n\n"
      "  stele replay\n"
      "  stele replay --definition order.yml\n"
      "  stele replay --definition order@3 --instances 'definition:order started<7d'\n"
      "  stele replay --instances status:failed --json\n",
      kReplayOptions, kAtServer},
     Replay},
};

}  // namespace

std::span<const Command> ReadingCommands() {
  return kReading;
}

}  // namespace stele::cli
