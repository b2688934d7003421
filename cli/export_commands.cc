// The commands that bring what happened to others, and back.
#include "cli/commands.h"
#include "cli/options.h"

namespace stele::cli {

namespace {

constexpr OptionSpec kExportOptions[] = {
    {"--format", "FORMAT", "jsonl (the default), cloudevents, xes or ocel"},
    {"--query", "QUERY", "only the instances that fit, as of \"stele list\""},
    {"--since", "TIME", "only what was recorded from then on"},
    {"--until", "TIME", "only what was recorded before"},
    {"--no-payloads", "", "without inputs, outputs, variables, messages: what people put in"},
    {"--output", "FILE", "a new file, closed to others, instead of standard output"},
    {"--source", "URI", "cloudevents: who says it (default /stele)"},
    {"--schema", "", "the JSON Schema of the lines of jsonl instead"},
    kData,
    {"--json", "", "with --output: what was written as JSON on standard output"}};
constexpr OptionSpec kImportOptions[] = {
    {"--data", "NEW", "the data directory to make: missing or empty"},
    {"--settings", "FILE", "its settings.json; payloads are sealed when that names a key"},
    kJson};

constexpr Command kExports[] = {
    {{"export", "", 0, 0, "Writes what happened as JSON Lines, CloudEvents, XES or OCEL 2.0.",
      "JSON Lines of a whole data directory can be imported again. docs/export.md tells what the\n"
      "formats have.\n\n"
      "  stele export --data /var/lib/stele > log.jsonl\n"
      "  stele export --format cloudevents --since 24h\n"
      "  stele export --format xes --query definition:order --no-payloads --output order.xes\n"
      "  stele export --format ocel --output order.json --server 127.0.0.1:7421\n",
      kExportOptions, kAtServer},
     Export},
    {{"import", "FILE|-", 1, 1, "Makes a new data directory of exported JSON Lines.",
      "The same records with the same hashes, verified; a line that was changed, added, moved or\n"
      "left out is told by its number. The directory is there whole or not at all.\n\n"
      "  stele import log.jsonl --data /var/lib/again\n"
      "  zcat log.jsonl.gz | stele import - --data ./again --settings settings.json\n",
      kImportOptions},
     Import},
};

}  // namespace

std::span<const Command> ExportCommands() {
  return kExports;
}

}  // namespace stele::cli
