#include "cli/commands.h"

#include "cli/options.h"

namespace stele::cli {

namespace {

constexpr OptionSpec kListOptions[] = {
    {"--status", "STATUS", "running, waiting, parked, paused, queued, completed, failed, …", true},
    {"--definition", "NAME", "only its instances", true},
    {"--tag", "TAG", "only instances with the tag; given twice, with both", true},
    {"--business-key", "KEY", "only instances with the key"},
    kData,
    kJson};
constexpr OptionSpec kDataOnly[] = {kData};
constexpr OptionSpec kDataJson[] = {kData, kJson};
constexpr OptionSpec kLogsOptions[] = {
    {"--step", "STEP", "only the attempts of this step"}, kData, kJson};
constexpr OptionSpec kSecretsOptions[] = {
    {"--key-file", "FILE", "the key (default: STELE_SECRETS_KEY, STELE_SECRETS_KEY_FILE)"},
    {"--new-key-file", "FILE", "rotate: the key that the store needs from then on"},
    {"--out", "FILE", "keygen: a new file, closed to others, instead of standard output"},
    kData,
    kJson};

constexpr Command kReading[] = {
    {{"list", "", 0, 0, "Lists the instances of a data directory.",
      "WAITS FOR says what an open instance needs to go on. Statuses: running, waiting, parked,\n"
      "paused, queued, compensating, completed, failed, cancelled, terminated.\n\n"
      "  stele list --data /var/lib/stele\n"
      "  stele list --status waiting --status parked\n"
      "  stele list --definition order --tag express --json\n",
      kListOptions},
     List},
    {{"status", "ID", 1, 1,
      "Shows an instance: its steps, what it waits for, variables and errors.",
      "  stele status 1\n  stele status 1 --json\n", kDataJson},
     ShowStatus},
    {{"logs", "ID", 1, 1, "Shows what the attempts of an instance's steps printed.",
      "  stele logs 1\n  stele logs 1 --step ship_order\n  stele logs 1 --json\n", kLogsOptions},
     ShowLogs},
    {{"history", "ID", 1, 1, "Shows every event of an instance.",
      "--json prints one event a line (JSON Lines).\n\n  stele history 1\n"
      "  stele history 1 --json\n",
      kDataJson},
     ShowHistory},
    {{"verify", "", 0, 0, "Checks every checksum, the chain, and decides everything again.",
      "Exits 1 when something is wrong, and says at which position.\n\n  stele verify\n",
      kDataOnly},
     Verify},
};

constexpr Command kKeeping[] = {
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

std::vector<CommandGroup> CommandGroups() {
  return {{"Running", RunningCommands()},
          {"Looking", kReading},
          {"For operators", OperatorCommands()},
          {"For people", PeopleCommands()},
          {"Definitions and types", DefinitionCommands()},
          {"Triggers", TriggerCommands()},
          {"Secrets", kKeeping},
          {"Backups", BackupCommands()}};
}

std::vector<Command> Commands() {
  std::vector<Command> commands;
  for (const CommandGroup& group : CommandGroups())
    commands.insert(commands.end(), group.commands.begin(), group.commands.end());
  return commands;
}

int Refuse(const Terminal& terminal, const Error& error) {
  terminal.PrintError(error);
  switch (error.code) {
    case ErrorCode::kInstanceEnded:
    case ErrorCode::kStaleAttempt:
    case ErrorCode::kWrongState:
    case ErrorCode::kNotAllowed:
    case ErrorCode::kCannotMigrate:
    case ErrorCode::kDuplicateKey:
    case ErrorCode::kDefinitionState:
    case ErrorCode::kBackPressure:
    case ErrorCode::kBadSignature:
      return kExitFailed;
    default:
      return kExitUsage;
  }
}

}  // namespace stele::cli
