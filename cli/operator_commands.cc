// The table of the commands for operators.
#include "cli/commands.h"
#include "cli/options.h"

namespace stele::cli {

namespace {

constexpr OptionSpec kRecorded[] = {kReason, kBy, kData, kJson, kQuiet};
constexpr OptionSpec kGoesOn[] = {kReason,      kBy,          kNoWait, kStub, kWorker,
                                  kWorkerSlots, kWorkerLease, kData,   kJson, kQuiet};
constexpr OptionSpec kCancelOptions[] = {{"--compensate", "", "undo the steps that have completed"},
                                         kReason,
                                         kBy,
                                         kNoWait,
                                         kStub,
                                         kWorker,
                                         kWorkerSlots,
                                         kWorkerLease,
                                         kData,
                                         kJson,
                                         kQuiet};
constexpr OptionSpec kRollBackOptions[] = {
    {"--from", "STEP", "the open step that is sent back (default: whatever is behind STEP)"},
    kReason,
    kBy,
    kNoWait,
    kStub,
    kWorker,
    kWorkerSlots,
    kWorkerLease,
    kData,
    kJson,
    kQuiet};
constexpr OptionSpec kSetOptions[] = {
    {"--scope", "STEP", "the scope that the open step is in (default: the instance's)"},
    kReason,
    kBy,
    kData,
    kJson,
    kQuiet};
constexpr OptionSpec kMigrateOptions[] = {
    {"--to", "VERSION", "the version to go on with"},
    {"--plan", "JSON|@FILE", "old step ids to new ones; null: nothing refers to it"},
    {"--dry-run", "", "only check whether it can be done"},
    kReason,
    kBy,
    kData,
    kJson,
    kQuiet};
constexpr OptionSpec kForkOptions[] = {
    {"--at", "SEQ|TIME", "behind the record that holds this event"},
    {"--dry", "", "only say what would become of it"},
    {"--live", "", "begin another instance there; what follows that has no meaning with --dry"},
    {"--set", "NAME=JSON", "a variable of the instance, from there on", true},
    {"--definition", "FILE|NAME[@N]", "goes on in this version"},
    kVersion,
    {"--plan", "JSON|@FILE", "old step ids to that version's; null: nothing refers to it"},
    {"--stub", "STEP_OR_TYPE=JSON",
     "this output in place of a step's results; of a type, where none is recorded of the same",
     true},
    kBusinessKey,
    kUnique,
    kIdempotencyKey,
    kDeadline,
    kPaused,
    kReason,
    kBy,
    kNoWait,
    kWorker,
    kWorkerSlots,
    kWorkerLease,
    kData,
    kJson,
    kQuiet};
constexpr OptionSpec kResetOptions[] = {
    {"--at", "SEQ|TIME", "behind the record that holds this event"},
    {"--set", "NAME=JSON", "a variable of the instance, from there on", true},
    {"--definition", "FILE|NAME[@N]", "goes on in this version"},
    kVersion,
    {"--plan", "JSON|@FILE", "old step ids to that version's; null: nothing refers to it"},
    kStub,
    kBusinessKey,
    kUnique,
    kIdempotencyKey,
    kDeadline,
    kPaused,
    kReason,
    kBy,
    kNoWait,
    kWorker,
    kWorkerSlots,
    kWorkerLease,
    kData,
    kJson,
    kQuiet};
constexpr OptionSpec kSignalOptions[] = {{"--payload", "JSON|@FILE", "what comes with it"},
                                         kBy,
                                         kNoWait,
                                         kStub,
                                         kWorker,
                                         kWorkerSlots,
                                         kWorkerLease,
                                         kData,
                                         kJson,
                                         kQuiet};
constexpr OptionSpec kPublishOptions[] = {
    {"--key", "KEY", "the correlation key"},
    {"--payload", "JSON|@FILE", "what comes with it"},
    {"--ttl", "DURATION", "how long it is kept for a wait (default 1h)"},
    {"--id", "ID", "a message of the same id is published once"},
    kBy,
    kNoWait,
    kStub,
    kWorker,
    kWorkerSlots,
    kWorkerLease,
    kData,
    kJson,
    kQuiet};

constexpr Command kCommands[] = {
    {{"pause", "ID…", 1, 10'000, "Pauses instances: nothing of them starts until \"resume\".",
      "  stele pause 42 --reason 'the supplier is down'\n", kRecorded, kAtServer},
     Pause},
    {{"step", "ID [N]", 1, 2,
      "Starts one thing that a paused instance holds; N one after the other.",
      "Each starts when the one before it and what follows of it have come to rest, and the "
      "instance\nstays paused behind the last one. With --no-wait, N of those held now start "
      "together. What is held: steps to start, failures to decide about, the\n"
      "instance's end.\n\n  stele step 42\n  stele step 42 3\n",
      kGoesOn, kAtServer},
     StepOn},
    {{"cancel", "ID…", 1, 10'000, "Cancels instances, with --compensate undoing their steps.",
      "Exits 0 when they are cancelled.\n\n  stele cancel 42\n  stele cancel 42 --compensate "
      "--reason 'the order was withdrawn'\n",
      kCancelOptions, kAtServer},
     Cancel},
    {{"terminate", "ID…", 1, 10'000, "Ends instances at once; nothing is undone.",
      "  stele terminate 42 --reason duplicate\n", kGoesOn, kAtServer},
     Terminate},
    {{"retry", "ID [STEP]", 1, 2, "Goes on with a failed instance, or tries a step again now.",
      "Without STEP the instance has failed; it goes on with the steps that failed or were cut\n"
      "off. With STEP the step waits for its next attempt or for an operator. STEP is a step's\n"
      "id; #RUN or STEP#RUN names a run when several are open.\n\n"
      "  stele retry 42\n  stele retry 42 ship_order\n  stele retry 42 update#7\n",
      kGoesOn, kAtServer},
     Retry},
    {{"skip", "ID STEP", 2, 2, "Ends an open step that is optional, and goes on behind it.",
      "  stele skip 42 newsletter\n", kGoesOn, kAtServer},
     Skip},
    {{"rollback", "ID STEP", 2, 2, "Sends an instance back to an earlier step.",
      "What is open behind STEP is cancelled; nothing is undone.\n\n"
      "  stele rollback 42 draft\n  stele rollback 42 draft --from review --reason 'wrong price'\n",
      kRollBackOptions, kAtServer},
     RollBack},
    {{"resolve", "ID STEP retry|skip|fail", 3, 3,
      "Decides about a step that waits for an operator.",
      "Of a compensation that failed, skip waives it.\n\n"
      "  stele resolve 42 ship_order retry\n  stele resolve 42 ship_order skip\n",
      kGoesOn, kAtServer},
     Resolve},
    {{"set", "ID NAME=VALUE…", 2, 10'000, "Sets variables of an open instance.",
      "A value is JSON where it is JSON, else text; a variable that is declared as a string stays "
      "one.\n\n"
      "  stele set 42 price=12.5 note=urgent\n  stele set 42 price=1 --scope update#7\n",
      kSetOptions, kAtServer},
     SetVariables},
    {{"migrate", "ID…", 1, 10'000, "Goes on with instances in another version of their definition.",
      "All reasons against it are listed. Exits 1 when it cannot be done.\n\n"
      "  stele migrate 42 --to 3 --dry-run\n"
      "  stele migrate 42 43 --to 3 --plan '{\"ship\": \"deliver\"}'\n",
      kMigrateOptions, kAtServer},
     Migrate},
    {{"fork", "ID", 1, 1, "Goes on from an event of an instance with something changed.",
      "With --live another instance begins as this one was, and is followed as by \"stele run\"; "
      "this\n"
      "one goes on (docs/operators.md). With --dry nothing is recorded and nothing acts: what is "
      "recorded behind the event is "
      "decided\n"
      "again, results of tasks are those that are recorded where their steps are handed the same,\n"
      "and the report says where the recorded path was left and how it ended (docs/what-if.md).\n\n"
      "  stele fork 42 --at 17 --dry --set amount=900\n"
      "  stele fork 42 --at 1 --dry --definition order.yml --stub pack={}\n"
      "  stele fork 42 --at 17 --dry --json --server 127.0.0.1:7421\n"
      "  stele fork 42 --at 17 --live --set amount=900 --reason 'as the customer asked'\n",
      kForkOptions, kAtServer},
     Fork},
    {{"reset", "ID", 1, 1, "Goes on from an event of an instance in another one, and ends it.",
      "The other one keeps the business key and the deadline, unless others are given; this one "
      "is\n"
      "terminated. What has been done outside since that event is not undone.\n\n"
      "  stele reset 42 --at 17 --reason 'the rate was wrong' --set rate=0.07\n"
      "  stele reset 42 --at 17 --definition order.yml\n",
      kResetOptions, kAtServer},
     Reset},
    {{"signal", "ID NAME", 2, 2, "Sends a signal to an instance.",
      "It is kept until a step waits for it.\n\n"
      "  stele signal 42 paid --payload '{\"amount\": 12}'\n",
      kSignalOptions, kAtServer},
     Signal},
    {{"publish", "NAME", 1, 1, "Publishes a message; one instance that waits for it receives it.",
      "It is kept for a while when nobody waits yet. The instance that receives it goes on.\n\n"
      "  stele publish payment --key A-17 --payload @payment.json\n"
      "  stele publish tick --id 2026-11-21 --ttl 24h\n",
      kPublishOptions, kAtServer},
     Publish},
};

}  // namespace

std::span<const Command> OperatorCommands() {
  return kCommands;
}

}  // namespace stele::cli
