// The commands about backups.
#include "cli/commands.h"
#include "cli/options.h"

namespace stele::cli {

namespace {

constexpr OptionSpec kBackupOptions[] = {
    {"--keep", "N", "remove all but the N newest backups afterwards"},
    {"--list", "", "make none; list those that there are"},
    {"--verify", "", "make none; check every byte and every chain of those that there are"},
    {"--backup", "ID", "with --verify: this one alone"},
    kData,
    kJson};
constexpr OptionSpec kRestoreOptions[] = {
    {"--data", "NEW", "the data directory to make: missing or empty"},
    {"--to", "POSITION|TIME", "up to this position, or to the last record at or before this time"},
    {"--backup", "ID", "this backup (default: the newest)"},
    kJson};

constexpr Command kBackups[] = {
    {{"backup", "DIR", 1, 1, "Adds a backup of the data directory to DIR.",
      "Only what is new is copied; each backup is complete in itself. The log, settings.json and\n"
      "the store of secrets are in it, keys are not.\n\n"
      "  stele backup /mnt/backups --data /var/lib/stele\n"
      "  stele backup /mnt/backups --keep 14\n"
      "  stele backup /mnt/backups --list\n"
      "  stele backup /mnt/backups --verify\n",
      kBackupOptions, kAtServer},
     Backup},
    {{"restore", "DIR", 1, 1, "Makes a new data directory of a backup in DIR.",
      "It is there whole or not at all, and nothing is overwritten. A time is one of UTC unless "
      "it\n"
      "has an offset.\n\n"
      "  stele restore /mnt/backups --data /var/lib/stele\n"
      "  stele restore /mnt/backups --data ./then --to 2026-11-21T09:30:00Z\n"
      "  stele restore /mnt/backups --data ./then --to 4711 --backup 3\n",
      kRestoreOptions},
     RestoreBackup},
};

}  // namespace

std::span<const Command> BackupCommands() {
  return kBackups;
}

}  // namespace stele::cli
