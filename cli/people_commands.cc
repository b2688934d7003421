// The table of the commands about tasks for people.
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/searching.h"

namespace stele::cli {

namespace {

constexpr OptionSpec kGroup{"--group", "GROUP", "a group that the person is in", true};
constexpr OptionSpec kComment{"--comment", "TEXT", "kept with the decision"};
constexpr OptionSpec kVar{"--var", "NAME=VALUE", "what was filled in; JSON where it is JSON", true};
constexpr OptionSpec kAsOperator{"--as-operator", "", "act for anybody"};

constexpr OptionSpec kTasksOptions[] = {
    {"--assignee", "PERSON", "only tasks that name the person, or that the person has claimed"},
    {"--group", "GROUP", "only tasks that name the group; with --assignee, those too", true},
    {"--definition", "NAME", "only tasks of its instances"},
    kSort,
    kLimit,
    kCursor,
    kAsOf,
    kData,
    kJson};
constexpr OptionSpec kHoldOptions[] = {kBy, kGroup, kComment, kAsOperator, kData, kJson};
constexpr OptionSpec kDecideOptions[] = {kBy,     kGroup, kComment, kVar,         kAsOperator,
                                         kNoWait, kStub,  kWorker,  kWorkerSlots, kWorkerLease,
                                         kData,   kJson,  kQuiet};
constexpr OptionSpec kFailOptions[] = {
    kBy,          {"--kind", "KIND", "of the error (default \"failed\")"},
    kGroup,       kAsOperator,
    kComment,     kReason,
    kNoWait,      kStub,
    kWorker,      kWorkerSlots,
    kWorkerLease, kData,
    kJson,        kQuiet};

constexpr Command kCommands[] = {
    {{"tasks", "[QUERY…]", 0, 100, "Lists the tasks that wait for people, the latest first.",
      "Those that are over, too, when the query asks for a state: open, claimed, approved,\n"
      "rejected, done, failed, skipped, cancelled. docs/queries.md names the fields.\n\n"
      "  stele tasks\n  stele tasks --assignee anna --group ops\n"
      "  stele tasks state:approved 'created>7d' definition:order*\n",
      kTasksOptions, kAtServer},
     ListTasks},
    {{"claim", "ID STEP", 2, 2, "Takes a task, so that nobody else decides it.",
      "  stele claim 42 review --by anna\n  stele claim 42 review --by bo --group ops\n",
      kHoldOptions, kAtServer},
     Claim},
    {{"release", "ID STEP", 2, 2, "Gives a claimed task back.",
      "  stele release 42 review --by anna\n", kHoldOptions, kAtServer},
     Release},
    {{"approve", "ID STEP", 2, 2, "Approves what an approval asks for.",
      "The exit codes are those of \"stele run\": 3 when the instance waits for more.\n\n"
      "  stele approve 42 review --by anna --comment 'looks right'\n"
      "  stele approve 42 review --by bo --group ops --var limit=500\n",
      kDecideOptions, kAtServer},
     Approve},
    {{"reject", "ID STEP", 2, 2, "Rejects what an approval asks for.",
      "  stele reject 42 review --by anna --comment 'too expensive'\n", kDecideOptions, kAtServer},
     Reject},
    {{"complete", "ID STEP", 2, 2, "Completes a manual task.",
      "  stele complete 42 pack --by anna --var parcel=P-1\n", kDecideOptions, kAtServer},
     CompleteTask},
    {{"fail", "ID STEP", 2, 2, "Fails a task for people, as its step says what then happens.",
      "  stele fail 42 pack --by anna --comment 'out of stock' --kind no_stock\n", kFailOptions,
      kAtServer},
     FailTask},
};

}  // namespace

std::span<const Command> PeopleCommands() {
  return kCommands;
}

}  // namespace stele::cli
