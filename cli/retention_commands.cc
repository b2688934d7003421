// The commands about what is archived, purged and erased.
#include "cli/commands.h"
#include "cli/options.h"

namespace stele::cli {

namespace {

constexpr OptionSpec kInstance{"--instance", "ID", "this one, with all that it called", true};
constexpr OptionSpec kSubject{"--subject", "KEY",
                              "those with this business key, or with the tag `subject:KEY`"};

constexpr OptionSpec kArchiveOptions[] = {
    {"--before", "TIME", "what was recorded before: a duration (ago), a day, an instant"},
    {"--keep", "SIZE", "as much as does not fit into so many bytes: 512MiB, 4GiB"},
    kData,
    kJson};
constexpr OptionSpec kRetentionOptions[] = {
    {"--show", "", "say how long what is kept, by the settings, and do nothing"},
    {"--dry-run", "", "say what would go"},
    kInstance,
    kSubject,
    kReason,
    kBy,
    kData,
    kJson};
constexpr OptionSpec kEraseOptions[] = {kInstance, kSubject, kReason, kBy, kData, kJson};

constexpr Command kRetention[] = {
    {{"archive", "", 0, 0, "Moves old records out of the hot log into the archive.",
      "All of them without an option. They are read as before.\n\n"
      "  stele archive --before 7d\n"
      "  stele archive --keep 4GiB\n",
      kArchiveOptions, kAtServer},
     Archive},
    {{"retention", "", 0, 0, "Purges what has ended longer ago than its definition keeps it.",
      "`retention` of a definition says how long, or else settings.json. With --instance or\n"
      "--subject: these, whatever their age. What is purged is cut out of the log for good.\n\n"
      "  stele retention --show\n"
      "  stele retention --dry-run\n"
      "  stele retention\n"
      "  stele retention --instance 42 --reason 'asked for by the customer'\n",
      kRetentionOptions, kAtServer},
     Retain},
    {{"erase", "", 0, 0, "Destroys the keys of instances: nobody can read their data any more.",
      "The log must be encrypted (docs/encryption.md). What happened, and when, stays; what was\n"
      "given to the instances and what they gave goes, messages that they met, too. They must "
      "have\n"
      "ended. With --subject all messages go whose correlation key is KEY.\n\n"
      "  stele erase --instance 42 --reason 'asked for by the customer'\n"
      "  stele erase --subject customer-4711\n",
      kEraseOptions, kAtServer},
     Erase},
};

}  // namespace

std::span<const Command> RetentionCommands() {
  return kRetention;
}

}  // namespace stele::cli
