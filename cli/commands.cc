#include "cli/commands.h"

#include "cli/options.h"

namespace stele::cli {

namespace {

constexpr OptionSpec kSecretsOptions[] = {
    {"--key-file", "FILE", "the key (default: STELE_SECRETS_KEY, STELE_SECRETS_KEY_FILE)"},
    {"--new-key-file", "FILE", "rotate: the key that the store needs from then on"},
    {"--out", "FILE", "keygen: a new file, closed to others, instead of standard output"},
    kData,
    kJson};

constexpr OptionSpec kKeysOptions[] = {
    {"--new-key-file", "FILE", "rotate: the master key that the log needs from then on"},
    {"--new-key-env", "NAME", "rotate: the same, from an environment variable"},
    {"--new-key-command", "COMMAND", "rotate: the same, as a command prints it"},
    {"--out", "FILE", "generate: a new file, closed to others, instead of standard output"},
    kData,
    kJson};

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
      kSecretsOptions, kAtServer},
     Secrets},
    {{"keys", "ACTION", 1, 1, "The master key of sealed payloads: status, rotate, generate.",
      "\"encryption\" in settings.json of the data directory says where the key is;\n"
      "docs/encryption.md what it is for, and what is lost with it.\n\n"
      "  stele keys generate --out master.key\n"
      "  stele keys status\n"
      "  stele keys rotate --new-key-file next.key\n",
      kKeysOptions, kAtServer},
     Keys},
};

}  // namespace

std::vector<CommandGroup> CommandGroups() {
  return {{"Running", RunningCommands()},     {"Looking", ReadingCommands()},
          {"Looking back", PastCommands()},   {"For operators", OperatorCommands()},
          {"For people", PeopleCommands()},   {"Definitions and types", DefinitionCommands()},
          {"Triggers", TriggerCommands()},    {"Alerts", AlertCommands()},
          {"Secrets and keys", kKeeping},     {"Backups", BackupCommands()},
          {"Retention", RetentionCommands()}, {"Exports", ExportCommands()},
          {"Proofs", AuditCommands()},        {"At a server", ServerCommands()},
          {"Measuring", MeasuringCommands()}};
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
    case ErrorCode::kCannotFork:
    case ErrorCode::kBadProof:
    case ErrorCode::kBackPressure:
    case ErrorCode::kBadSignature:
    case ErrorCode::kStoreCorrupt:
    case ErrorCode::kBackupDamaged:
      return kExitFailed;
    default:
      return kExitUsage;
  }
}

}  // namespace stele::cli
