// Proofs out of a data directory, or of a server that has one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/arguments.h"
#include "replay/audit/consistency.h"
#include "replay/audit/proof.h"

namespace stele::cli {

// Of a data directory: under a head that is signed now when the newest one is not over all of the
// records, the settings name a key and nobody has the directory open. Of a server: kBadProof when
// it answers about something else.
Result<replay::MadeProof> ProveRecords(const Arguments& arguments, InstanceId instance,
                                       std::optional<Seq> event);
// `newer` empty: until now. Of a data directory every record is read, too, and kStoreCorrupt when
// one is not what the stored hashes are of; a server answers out of those alone. kBadProof when it
// answers about other heads.
Result<replay::Growth> ProveGrowth(const Arguments& arguments, const std::string& older,
                                   const std::string& newer);
// All over so many records or more; beyond the last the newest alone.
Result<std::vector<std::string>> ReadHeads(const Arguments& arguments, uint64_t from);

}  // namespace stele::cli
