// The table of the commands for operators.
#include <algorithm>
#include <array>

#include "cli/commands.h"
#include "cli/options.h"

namespace stele::cli {

namespace {

// Lists of options, one behind the other.
template <size_t... Counts>
constexpr auto Joined(const std::array<OptionSpec, Counts>&... lists) {
  std::array<OptionSpec, (Counts + ...)> all;
  auto next = all.begin();
  ((next = std::ranges::copy(lists, next).out), ...);
  return all;
}

constexpr std::array kWhere{kData, kJson, kQuiet};
constexpr std::array kWho{kReason, kBy};
constexpr std::array kWorkers{kWorker, kWorkerSlots, kWorkerLease};
constexpr auto kRecorded = Joined(kWho, kWhere);
// Of what goes on behind the command, unless it is told not to wait for it.
constexpr auto kFollowed = Joined(std::array{kNoWait, kStub}, kWorkers, kWhere);
constexpr auto kGoesOn = Joined(kWho, kFollowed);
constexpr auto kCancelOptions = Joined(
    std::array{OptionSpec{"--compensate", "", "undo the steps that have completed"}}, kGoesOn);
constexpr auto kRollBackOptions = Joined(
    std::array{OptionSpec{"--from", "STEP",
                          "the open step that is sent back (default: whatever is behind STEP)"}},
    kGoesOn);
constexpr auto kSetOptions =
    Joined(std::array{OptionSpec{"--scope", "STEP",
                                 "the scope that the open step is in (default: the instance's)"}},
           kRecorded);
constexpr auto kMigrateOptions = Joined(
    std::array{
        OptionSpec{"--to", "VERSION", "the version to go on with"},
        OptionSpec{"--plan", "JSON|@FILE", "old step ids to new ones; null: nothing refers to it"},
        OptionSpec{"--dry-run", "", "only check whether it can be done"}},
    kRecorded);
constexpr std::array kMoment{
    OptionSpec{"--at", "SEQ|TIME", "behind the record that holds this event"}};
// What is different in a fork.
constexpr std::array kDifferent{
    OptionSpec{"--set", "NAME=JSON", "a variable of the instance, from there on", true},
    OptionSpec{
        "--definition", "FILE|NAME[@N]",
        "goes on in this version; a file is registered as a draft, or with --dry not at all"},
    kVersion,
    OptionSpec{"--plan", "JSON|@FILE",
               "old step ids to that version's; null: nothing refers to it"}};
// What one that is recorded begins with.
constexpr std::array kBegins{kBusinessKey, kUnique, kIdempotencyKey, kDeadline, kPaused};
constexpr auto kForkOptions = Joined(
    kMoment,
    std::array{OptionSpec{"--dry", "", "only say what would become of it"},
               OptionSpec{"--live", "",
                          "begin another instance there; what follows --stub has no meaning with "
                          "--dry"}},
    kDifferent,
    std::array{OptionSpec{"--stub", "STEP_OR_TYPE=JSON",
                          "this output in place of a step's results; of a type, where none is "
                          "recorded of the same",
                          true}},
    kBegins, kWho, std::array{kNoWait}, kWorkers, kWhere);
constexpr auto kResetOptions = Joined(kMoment, kDifferent, kBegins, kGoesOn);
constexpr auto kSignalOptions =
    Joined(std::array{OptionSpec{"--payload", "JSON|@FILE", "what comes with it"}, kBy}, kFollowed);
constexpr auto kPublishOptions = Joined(
    std::array{OptionSpec{"--key", "KEY", "the correlation key"},
               OptionSpec{"--payload", "JSON|@FILE", "what comes with it"},
               OptionSpec{"--ttl", "DURATION", "how long it is kept for a wait (default 1h)"},
               OptionSpec{"--id", "ID", "a message of the same id is published once"}, kBy},
    kFollowed);

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
      "With --live another instance begins as this one was, and is followed as by \"stele run\";\n"
      "this one goes on (docs/operators.md). With --dry nothing is recorded and nothing acts: "
      "what\n"
      "is recorded behind the event is decided again, results of tasks are those that are "
      "recorded\n"
      "where their steps are handed the same, and the report says where the recorded path was "
      "left\n"
      "and how it ended (docs/what-if.md).\n\n"
      "  stele fork 42 --at 17 --dry --set amount=900\n"
      "  stele fork 42 --at 1 --dry --definition order.yml --stub pack={}\n"
      "  stele fork 42 --at 17 --dry --json --server 127.0.0.1:7421\n"
      "  stele fork 42 --at 17 --live --set amount=900 --reason 'as the customer asked'\n",
      kForkOptions, kAtServer},
     Fork},
    {{"reset", "ID", 1, 1, "Goes on from an event of an instance in another one, and ends it.",
      "The other one keeps the business key and the deadline, unless others are given; this one\n"
      "is terminated. What has been done outside since that event is not undone.\n\n"
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
