// The table of the commands about triggers.
#include "cli/commands.h"
#include "cli/options.h"

namespace stele::cli {

namespace {

constexpr OptionSpec kListOptions[] = {
    {"--definition", "NAME", "only those of this definition"},
    {"--kind", "KIND", "only those of this kind"},
    {"--next", "", "those that a schedule fires, what comes next first"},
    {"--all", "", "those that were removed, too"},
    kData,
    kJson};
constexpr OptionSpec kDataJson[] = {kData, kJson};
constexpr OptionSpec kAddOptions[] = {
    {"--kind", "KIND", "schedule, webhook, event, condition, manual, … (docs/triggers.md)"},
    {"--config", "JSON|@FILE", "its configuration, an object"},
    {"--name", "NAME", "what it is called (default: its kind and its number)"},
    kBy,
    kData,
    kJson};
constexpr OptionSpec kChangeOptions[] = {kReason, kBy, kData, kJson};
constexpr OptionSpec kFireOptions[] = {{"--input", "JSON|@FILE", "the input, an object"},
                                       {"--key", "KEY", "fires once for the same key"},
                                       kStub,
                                       kWorker,
                                       kWorkerSlots,
                                       kWorkerLease,
                                       kBy,
                                       kData,
                                       kJson,
                                       kQuiet};
constexpr OptionSpec kBackfillOptions[] = {{"--from", "MOMENT", "the first moment that counts"},
                                           {"--to", "MOMENT", "the first that does not"},
                                           kBy,
                                           kData,
                                           kJson};
constexpr OptionSpec kDeliverOptions[] = {{"--path", "/PATH", "of the request"},
                                          {"--method", "METHOD", "of the request (default POST)"},
                                          {"--header", "NAME: VALUE", "of the request", true},
                                          {"--body", "FILE", "of the request"},
                                          kStub,
                                          kWorker,
                                          kWorkerSlots,
                                          kWorkerLease,
                                          kBy,
                                          kData,
                                          kJson};

constexpr Command kCommands[] = {
    {{"triggers list", "", 0, 0, "Lists the triggers.",
      "One that a definition declares is taken up when the definition is registered; one that\n"
      "\"stele run\" has brought by \"stele serve\" and the commands that change triggers, and\n"
      "until then it is shown as declared.\n\n  stele triggers list\n  stele triggers list --next\n"
      "  stele triggers list --all --json\n",
      kListOptions, kAtServer},
     ListTriggers},
    {{"triggers show", "ID", 1, 1, "Shows a trigger: its configuration, and when it fired last.",
      "  stele triggers show 1\n", kDataJson, kAtServer},
     ShowTrigger},
    {{"triggers next", "ID [N]", 1, 2, "Shows when a schedule fires next.",
      "Times are in UTC.\n\n  stele triggers next 1\n  stele triggers next 1 30 --json\n",
      kDataJson, kAtServer},
     NextOfTrigger},
    {{"triggers add", "NAME", 1, 1, "Adds a trigger to a registered definition.",
      "  stele triggers add report --kind schedule --config '{\"cron\": \"0 2 * * *\"}'\n"
      "  stele triggers add order --kind webhook --name in --config '{\"path\": \"/in\"}'\n",
      kAddOptions, kAtServer},
     AddTrigger},
    {{"triggers pause", "ID", 1, 1, "Lets a trigger fire no more for now.",
      "What would have fired meanwhile is not made up for.\n\n  stele triggers pause 1\n",
      kChangeOptions, kAtServer},
     PauseTrigger},
    {{"triggers resume", "ID", 1, 1, "Lets a paused trigger fire again.",
      "  stele triggers resume 1\n", kChangeOptions, kAtServer},
     ResumeTrigger},
    {{"triggers remove", "ID", 1, 1, "Removes a trigger for good.",
      "One that a definition declares stays away until its declaration changes.\n\n"
      "  stele triggers remove 1\n",
      kChangeOptions, kAtServer},
     RemoveTrigger},
    {{"triggers fire", "ID", 1, 1, "Fires a trigger now, and follows what it starts.",
      "  stele triggers fire 1 --input '{\"day\": \"2026-05-01\"}'\n"
      "  stele triggers fire 1 --key 2026-05-01\n",
      kFireOptions, kAtServer},
     FireTrigger},
    {{"triggers backfill", "ID", 1, 1, "Fires the moments of a schedule that lie in a range.",
      "Moments that have started an instance already are left out. \"stele serve\" starts what is\n"
      "noted here, one after the other.\n\n"
      "  stele triggers backfill 1 --from 2026-04-01 --to 2026-05-01\n",
      kBackfillOptions, kAtServer},
     BackfillTrigger},
    {{"triggers deliver", "", 0, 0, "Hands a request to the webhook triggers.",
      "Exits 1 when a trigger refuses it, 2 when none listens for such a path and method.\n\n"
      "  stele triggers deliver --path /in --body order.json --header 'Idempotency-Key: 7'\n",
      kDeliverOptions},
     DeliverRequest},
};

}  // namespace

std::span<const Command> TriggerCommands() {
  return kCommands;
}

}  // namespace stele::cli
