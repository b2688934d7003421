#include "cli/commands.h"

namespace stele::cli {

namespace {

constexpr OptionSpec kData{"--data", "DIR", "the data directory (default ./stele-data)"};
constexpr OptionSpec kJson{"--json", "", "JSON on standard output instead of text"};
constexpr OptionSpec kQuiet{"--quiet", "", "only outputs and errors"};
constexpr OptionSpec kStub{"--stub", "STEP_OR_TYPE=JSON",
                           "complete a step with this output instead of acting", true};

constexpr OptionSpec kRunOptions[] = {
    {"--input", "JSON|@FILE", "the instance's input, an object"},
    {"--var", "NAME=VALUE", "a variable's value; JSON where it is JSON", true},
    kData,
    kStub,
    kJson,
    kQuiet};
constexpr OptionSpec kDataOnly[] = {kData};
constexpr OptionSpec kDataJson[] = {kData, kJson};
constexpr OptionSpec kLogsOptions[] = {{"--step", "STEP", "only the attempts of this step"}, kData};
constexpr OptionSpec kResumeOptions[] = {
    kData,
    kStub,
    {"--parked", "retry|skip|fail", "decide about steps that wait for an operator"},
    kJson,
    kQuiet};

constexpr OptionSpec kSecretsOptions[] = {
    {"--key-file", "FILE", "the key (default: STELE_SECRETS_KEY, STELE_SECRETS_KEY_FILE)"},
    {"--new-key-file", "FILE", "rotate: the key that the store needs from then on"},
    {"--out", "FILE", "keygen: a new file, closed to others, instead of standard output"},
    kData,
    kJson};

constexpr Command kCommands[] = {
    {{"run", "FILE", 1, 1, "Runs a workflow to its end.",
      "Exits 0 when it completed, 1 when it failed, 2 when the definition or the arguments are\n"
      "wrong, 3 when it was cancelled or interrupted or waits for an operator. Ctrl-C stops it in\n"
      "order, so that \"stele resume\" goes on with it; a second Ctrl-C exits at once. --json\n"
      "prints one document: instance, definition, status, output, error, steps, duration.\n\n"
      "  stele run order.yml\n"
      "  stele run order.yml --var fail_at=shipping --input '{\"order\": 7}'\n"
      "  stele run order.yml --stub http='{\"status\": 200}' --stub pay='{\"payment\": \"P-1\"}'\n",
      kRunOptions},
     RunWorkflow},
    {{"validate",
      "FILE…",
      1,
      10'000,
      "Checks workflow files without running them.",
      "Every fault is printed as file:line:column. Exits 2 when there is one.\n\n"
      "  stele validate examples/*.yml\n",
      {}},
     Validate},
    {{"list", "", 0, 0, "Lists the instances of a data directory.",
      "  stele list --data /var/lib/stele\n", kDataJson},
     List},
    {{"status", "ID", 1, 1, "Shows an instance: its steps, variables, timers and errors.",
      "  stele status 1\n  stele status 1 --json\n", kDataJson},
     ShowStatus},
    {{"logs", "ID", 1, 1, "Shows what the attempts of an instance's steps printed.",
      "  stele logs 1\n  stele logs 1 --step ship_order\n", kLogsOptions},
     ShowLogs},
    {{"history", "ID", 1, 1, "Shows every event of an instance.",
      "--json prints one event a line (JSON Lines).\n\n  stele history 1\n"
      "  stele history 1 --json\n",
      kDataJson},
     ShowHistory},
    {{"resume", "", 0, 0, "Continues every instance that was interrupted.",
      "The exit code is that of the worst of them: 1 before 3 before 0. --json prints a list of\n"
      "the documents that \"stele run\" prints. Of a compensation that failed, --parked skip gives "
      "it up.\n\n"
      "  stele resume\n  stele resume --parked retry\n",
      kResumeOptions},
     Resume},
    {{"verify", "", 0, 0, "Checks every checksum, the chain, and decides everything again.",
      "Exits 1 when something is wrong, and says at which position.\n\n  stele verify\n",
      kDataOnly},
     Verify},
    {{"secrets", "ACTION [NAME]", 1, 2,
      "Keeps secrets, encrypted: set, remove, list, rotate, keygen.",
      "The value comes from standard input, or is asked for on a terminal. The store is the file\n"
      "secrets.stele of the data directory; docs/secrets.md says what else secrets may come "
      "from.\n\n"
      "  stele secrets keygen --out stele.key\n"
      "  stele secrets set API_TOKEN --key-file stele.key < token\n"
      "  stele secrets list\n"
      "  stele secrets remove API_TOKEN --key-file stele.key\n"
      "  stele secrets rotate --key-file stele.key --new-key-file next.key\n",
      kSecretsOptions},
     Secrets},
};

}  // namespace

std::span<const Command> Commands() {
  return kCommands;
}

}  // namespace stele::cli
