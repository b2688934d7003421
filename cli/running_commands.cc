// The table of the commands that run workflows.
#include "cli/commands.h"
#include "cli/configuration/setting_table.h"
#include "cli/options.h"

namespace stele::cli {

namespace {

constexpr OptionSpec kInput{"--input", "JSON|@FILE", "the instance's input, an object"};
constexpr OptionSpec kVar{"--var", "NAME=VALUE", "a variable's value; JSON where it is JSON", true};
constexpr OptionSpec kPriority{"--priority", "N", "higher goes first (default: the definition's)"};
constexpr OptionSpec kTag{"--tag", "TAG", "a tag of the instance", true};
constexpr OptionSpec kStepByStep{"--step-by-step", "", "the same as --paused"};

constexpr OptionSpec kTraceParent{"--trace-parent", "TEXT",
                                  "W3C traceparent of what starts it (default: $TRACEPARENT)"};

constexpr OptionSpec kRunOptions[] = {
    kInput,    kVar,         kBusinessKey, kUnique,      kIdempotencyKey, kPriority, kTag,
    kDeadline, kPaused,      kStepByStep,  kTraceParent, kNoWait,         kBy,       kStub,
    kWorker,   kWorkerSlots, kWorkerLease, kData,        kJson,           kQuiet};
constexpr OptionSpec kStartOptions[] = {
    kVersion, kInput,    kVar,         kBusinessKey, kUnique,      kIdempotencyKey, kPriority,
    kTag,     kDeadline, kPaused,      kStepByStep,  kTraceParent, kNoWait,         kBy,
    kStub,    kWorker,   kWorkerSlots, kWorkerLease, kData,        kJson,           kQuiet};
constexpr OptionSpec kResumeOptions[] = {
    kReason,
    kBy,
    kNoWait,
    {"--parked", "retry|skip|fail", "without ID: decide about steps that wait for an operator"},
    kStub,
    kWorker,
    kWorkerSlots,
    kWorkerLease,
    kData,
    kJson,
    kQuiet};
constexpr OptionSpec kConfig{"--config", "FILE",
                             "the rest of this, as YAML (default: $STELE_CONFIG, or none)"};
constexpr OptionSpec kOnlyServe[] = {kConfig, kStub, kWorker, kWorkerSlots, kWorkerLease, kBy};
constexpr auto kServeOptions = WithSettings(kOnlyServe);
constexpr OptionSpec kOnlyConfig[] = {kConfig, kJson};
constexpr auto kConfigOptions = WithSettings(kOnlyConfig);
constexpr OptionSpec kValidateOptions[] = {
    {"--data", "DIR", "whose registered types and templates count (default ./stele-data)"}};

constexpr std::string_view kExits =
    "Exits 0 when it completed, 1 when it failed, 2 when the definition or the arguments are\n"
    "wrong, 3 when it was cancelled or interrupted or waits: for people, a message, a signal, a\n"
    "moment, an operator, a worker, a place or to be resumed. A note says for what, and which\n"
    "command goes on. Ctrl-C stops it in order, so that \"stele resume\" goes on with it; a "
    "second\n"
    "Ctrl-C exits at once.\n"
    "--json prints one document: instance, definition, status, output, error, steps, duration\n"
    "(in seconds), and waiting_for when it waits. Errors are documents then, too: a line\n"
    "{\"error\": {\"code\", \"message\"}} on standard error, of every command that knows "
    "--json.\n\n"
    "  stele run order.yml\n"
    "  stele run order.yml --var fail_at=shipping --input '{\"order\": 7}'\n"
    "  stele run order.yml --business-key A-17 --unique --deadline 2h\n"
    "  stele run order.yml --worker 'agent=python3 agent.py'\n"
    "  stele run order.yml --stub http='{\"status\": 200}' --stub pay='{\"payment\": \"P-1\"}'\n";

constexpr Command kCommands[] = {
    {{"run", "FILE", 1, 1, "Registers a workflow file and runs an instance of it to its end.",
      kExits, kRunOptions, kAtServer},
     RunWorkflow},
    {{"start", "NAME|FILE", 1, 1, "Starts an instance of a registered definition, or of a file.",
      "A name starts the newest version that is active, or the one that --version names. What is\n"
      "found as a file, or has a slash or an ending like .yml, is a file. Goes on like \"stele\n"
      "run\", with the same exit codes; with --no-wait it only records the start, and \"stele\n"
      "resume\" or \"stele serve\" goes on.\n\n"
      "  stele start order --input @order.json\n"
      "  stele start order --version 2 --business-key A-17 --unique\n"
      "  stele start order --idempotency-key mail-4711 --no-wait\n"
      "  stele start order --paused\n",
      kStartOptions, kAtServer},
     StartWorkflow},
    {{"resume", "[ID…]", 0, 10'000,
      "Continues every interrupted instance; with ID, resumes paused ones.",
      "The exit code is that of the worst of them: 1 before 3 before 0. --json prints a list of\n"
      "the documents that \"stele run\" prints. Of a compensation that failed, --parked skip gives "
      "it up.\n\n"
      "  stele resume\n  stele resume --parked retry\n  stele resume 42 --reason 'back from "
      "lunch'\n",
      kResumeOptions, kAtServer},
     Resume},
    {{"serve", "", 0, 0, "Keeps the engine of a data directory running, and serves its edges.",
      "Continues everything that is open and fires timers until SIGTERM or Ctrl-C, which stop it\n"
      "in order: nothing new is taken, what is under way is answered, everything is durable; it\n"
      "exits with 0. A second one ends it at once, with 3: nothing durable is lost. SIGHUP reads\n"
      "certificates and keys of issuers anew and opens the log again. Other commands cannot open\n"
      "the data directory meanwhile.\n\n"
      "--http serves REST and live events, --rpc Cap'n Proto. An ADDR is HOST:PORT, :PORT or\n"
      "unix:PATH; port 0 is a free one. Without either, nothing is open. The first start makes a\n"
      "user \"admin\" and prints its one-time password.\n\n"
      "What has a flag may also stand in the file of --config, or in a variable of the\n"
      "environment: a flag counts before a variable, that before the file. \"stele config\" shows\n"
      "what was said where; docs/configuration.md has the names.\n\n"
      "  stele serve --dev\n"
      "  stele serve --config /etc/stele/stele.yaml\n"
      "  stele serve --data /var/lib/stele --http :7420 --rpc :7421 --tls-certificate server.pem "
      "\\\n"
      "      --tls-key server.key\n",
      kServeOptions},
     Serve},
    {{"config", "", 0, 0, "Shows what \"stele serve\" would be told, and where that was said.",
      "Takes the flags, the file and the variables of \"stele serve\" and starts nothing. Exits 2\n"
      "when something is unknown, or wrong: every fault is printed with its place.\n\n"
      "  stele config --config stele.yaml\n"
      "  STELE_HTTP_LISTEN=:7420 stele config --json\n",
      kConfigOptions, /*more=*/{}, /*works_on_files=*/true},
     ShowConfiguration},
    {{"validate", "FILE…", 1, 10'000, "Checks workflow files without running them.",
      "Every fault is printed as file:line:column. Exits 2 when there is one.\n\n"
      "  stele validate examples/*.yml\n  stele validate order.yml --data /var/lib/stele\n",
      kValidateOptions, /*more=*/{}, /*works_on_files=*/true},
     Validate},
};

}  // namespace

std::span<const Command> RunningCommands() {
  return kCommands;
}

}  // namespace stele::cli
