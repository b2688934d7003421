// The commands of proofs.
#include "cli/commands.h"
#include "cli/options.h"

namespace stele::cli {

namespace {

constexpr OptionSpec kOutput{"--output", "FILE",
                             "a new file, closed to others, instead of standard output"};
constexpr OptionSpec kKey{"--key", "PUB", "a public key, or a file that has some, one a line",
                          true};
constexpr OptionSpec kKeygenOptions[] = {
    {"--output", "FILE", "the private key to a new file, closed to others"}};
constexpr OptionSpec kHeadOptions[] = {kData, kJson};
constexpr OptionSpec kHeadsOptions[] = {
    {"--from", "SIZE", "those over so many records or more"}, kData, kJson};
constexpr OptionSpec kProveOptions[] = {
    {"--event", "SEQ", "the record that holds this event alone"},
    {"--format", "FORMAT", "json (the default), or tlog-proof of c2sp.org for one record"},
    kOutput,
    kData};
constexpr OptionSpec kCheckOptions[] = {
    kKey,
    {"--checkpoint", "FILE", "a signed head that was kept: the proof must be under it"},
    {"--instance", "ID", "the instance that it must be of"},
    {"--event", "SEQ", "an event that it must prove"},
    kJson};
constexpr OptionSpec kConsistencyOptions[] = {
    kKey, {"--output", "FILE", "the proof to a new file, for \"audit check\""}, kData, kJson};

constexpr Command kAuditing[] = {
    {{"audit keygen", "NAME", 1, 1, "Makes a key that signs heads of the log.",
      "NAME says whose log it is, best as a URL without its scheme. The public key goes to "
      "standard\n"
      "output, and to whoever is to check proofs.\n\n"
      "  stele audit keygen bank.example/payments --output audit.key\n",
      kKeygenOptions},
     AuditKeygen},
    {{"audit head", "", 0, 0, "Prints the newest signed head of the log.",
      "Kept elsewhere it holds the operator to all that the log has up to there.\n\n"
      "  stele audit head > head-2026-11-22\n",
      kHeadOptions, kAtServer},
     AuditHead},
    {{"audit heads", "", 0, 0, "Lists the signed heads of the log.",
      "  stele audit heads\n  stele audit heads --from 1000000 --json\n", kHeadsOptions, kAtServer},
     AuditHeads},
    {{"audit prove", "ID", 1, 1, "Proves that an instance's records stand in the log, unchanged.",
      "What it writes is checked without the log, by \"audit check\". Sealed payloads stay "
      "sealed.\n"
      "Records behind the newest signed head are left out, unless a head can be signed now: at a\n"
      "server, and where \"audit\" in settings.json names the key.\n\n"
      "  stele audit prove 42 --output proof.json\n"
      "  stele audit prove 42 --event 7 --format tlog-proof --output 42.tlog-proof\n",
      kProveOptions, kAtServer},
     AuditProve},
    {{"audit check", "PROOF", 1, 1, "Checks a proof with the public key alone.",
      "Says what is proved, and what is not. Exits 1 when the proof does not hold.\n\n"
      "  stele audit check proof.json --key audit.pub\n"
      "  stele audit check proof.json --key bank.example/payments+1a2b3c4d+AQ… --checkpoint head\n",
      kCheckOptions},
     AuditCheck},
    {{"audit consistency", "OLD [NEW]", 1, 2,
      "Proves that nothing before a signed head was changed.",
      "OLD and NEW are files with signed heads; without NEW, the log as it is now. Exits 1 when "
      "the\n"
      "log is not what the older head was signed for. In a data directory every record is read; a\n"
      "server answers out of the hashes that it keeps, and \"verify\" reads its records.\n\n"
      "  stele audit consistency head-2026-11-22 --key audit.pub\n"
      "  stele audit consistency head-1 head-2 --output growth.json\n",
      kConsistencyOptions, kAtServer},
     AuditConsistency},
};

}  // namespace

std::span<const Command> AuditCommands() {
  return kAuditing;
}

}  // namespace stele::cli
