// The table of the commands about definitions and task types.
#include "cli/commands.h"
#include "cli/options.h"

namespace stele::cli {

namespace {

constexpr OptionSpec kDialect{"--dialect", "DIALECT",
                              "processes, steps, nodes, process_steps, ordered_tasks or canonical"};
constexpr OptionSpec kFormat{"--format", "yaml|json", "the syntax (default yaml)"};
constexpr OptionSpec kDraft{"--draft", "", "nothing starts it until \"definitions activate\""};

constexpr OptionSpec kRegisterOptions[] = {kDraft, kBy, kData, kJson};
constexpr OptionSpec kShowOptions[] = {
    kVersion, {"--source", "", "the text of the file that was registered"}, kData, kJson};
constexpr OptionSpec kListOptions[] = {kData, kJson};
constexpr OptionSpec kRemoveOptions[] = {kBy, kData, kJson};
constexpr OptionSpec kExportOptions[] = {kDialect, kFormat, kVersion, kData};
constexpr OptionSpec kStateOptions[] = {kVersion, kReason, kBy, kData, kJson};
constexpr OptionSpec kInstantiateOptions[] = {
    {"--name", "NAME", "what the definition is called (default: what the template says)"},
    {"--set", "NAME=VALUE", "a parameter's value; JSON where it is JSON", true},
    {"--version", "N", "the version of a registered template (default: the newest that may start)"},
    {"--dialect", "DIALECT", "print the definition in this notation instead of registering it"},
    kFormat,
    kDraft,
    kBy,
    kData,
    kJson};
constexpr OptionSpec kConvertOptions[] = {
    kDialect, kFormat, {"--out", "FILE", "a new file instead of standard output"}};
constexpr OptionSpec kTypeOptions[] = {
    {"--schema", "FILE", "the JSON Schema of its configuration, JSON or YAML"},
    {"--url", "URL", "each attempt is a POST to it (docs/tasks.md)"},
    {"--header", "NAME: VALUE", "sent with each POST; stored as it is", true},
    {"--secret", "NAME", "a secret that signs the body"},
    {"--worker", "", "a worker runs it"},
    kBy,
    kData,
    kJson};

constexpr Command kCommands[] = {
    {{"definitions register", "FILE…", 1, 10'000, "Registers workflow files.",
      "A file that is registered already is found again; one that differs is the next version.\n\n"
      "  stele definitions register order.yml\n  stele definitions register order.yml --draft\n",
      kRegisterOptions, kAtServer},
     RegisterDefinitions},
    {{"definitions list", "", 0, 0, "Lists the definitions and their versions.",
      "  stele definitions list\n", kListOptions, kAtServer},
     ListDefinitions},
    {{"definitions show", "NAME", 1, 1, "Shows a definition: its state, variables and steps.",
      "The newest version unless --version names one. --json prints its canonical form with it.\n\n"
      "  stele definitions show order\n  stele definitions show order --version 1 --source\n",
      kShowOptions, kAtServer},
     ShowDefinition},
    {{"definitions export", "NAME", 1, 1, "Prints a definition in any notation.",
      "  stele definitions export order --dialect nodes --format json > order.json\n",
      kExportOptions, kAtServer},
     ExportDefinition},
    {{"definitions diff", "NAME V1 V2", 3, 3, "Shows what differs between two versions.",
      "  stele definitions diff order 1 2\n", kListOptions, kAtServer},
     DiffVersions},
    {{"definitions activate", "NAME", 1, 1, "Lets a version start instances.",
      "The newest version unless --version names one.\n\n  stele definitions activate order\n",
      kStateOptions, kAtServer},
     ActivateDefinition},
    {{"definitions pause", "NAME", 1, 1, "Keeps a version from starting instances for now.",
      "  stele definitions pause order --reason 'stocktaking'\n", kStateOptions, kAtServer},
     PauseDefinition},
    {{"definitions retire", "NAME", 1, 1, "Takes a version out of use; open instances go on.",
      "  stele definitions retire order --version 1\n", kStateOptions, kAtServer},
     RetireDefinition},
    {{"definitions draft", "NAME", 1, 1, "Makes a version a draft again.",
      "  stele definitions draft order\n", kStateOptions, kAtServer},
     DraftDefinition},
    {{"definitions instantiate", "FILE|NAME", 1, 1,
      "Registers what a template and values for its parameters make.",
      "  stele definitions instantiate sync.yml --name sync-berlin --set city=Berlin\n"
      "  stele definitions instantiate sync.yml --set city=Berlin --dialect steps\n"
      "  stele definitions instantiate sync --version 2 --name sync-paris --set city=Paris\n",
      kInstantiateOptions, kAtServer},
     InstantiateTemplate},
    {{"convert", "FILE", 1, 1, "Prints a workflow file in another notation.",
      "  stele convert order.yml --dialect nodes --format json --out order.json\n", kConvertOptions,
      /*more=*/{}, /*works_on_files=*/true},
     Convert},
    {{"types register", "NAME", 1, 1, "Registers a task type of your own.",
      "A step uses it as type custom:NAME. With --url an HTTP server runs it, with --worker a\n"
      "worker. The configuration of its steps is checked against the schema. \"agent\" is a type\n"
      "for workers; other names of built-in types are taken.\n\n"
      "  stele types register resize --schema resize.json --url http://localhost:8000/run\n"
      "  stele types register label --schema label.yml --worker\n",
      kTypeOptions, kAtServer},
     RegisterType},
    {{"types list", "", 0, 0, "Lists the task types that are registered.", "  stele types list\n",
      kListOptions, kAtServer},
     ListTypes},
    {{"types remove", "NAME", 1, 1, "Removes a task type of your own.",
      "  stele types remove resize\n", kRemoveOptions, kAtServer},
     RemoveType},
};

}  // namespace

std::span<const Command> DefinitionCommands() {
  return kCommands;
}

}  // namespace stele::cli
