// Proofs that the log is what was written, for auditors: signed heads, records under them, growth
// between them. Heads are signed on demand where there is a key.
//
// Thread: the loop's; the log is read on threads of its own.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "replay/audit/consistency.h"
#include "replay/audit/proof.h"
#include "server/operations/desk.h"

namespace stele::server {

// Of all of the instance's records, or of the one with the event. kLimitExceeded: they and
// their ways have more than kMaxProofBytes.
Promised<replay::MadeProof> ProveRecords(Desk& desk, const Caller& caller, InstanceId instance,
                                         std::optional<Seq> event);

// Over so many records or more, the smallest first. Beyond the last one: the newest alone.
Promised<std::vector<std::string>> ReadHeads(Desk& desk, const Caller& caller, uint64_t from,
                                             size_t limit);

// Between two signed heads; without `newer`: until now.
Promised<replay::Growth> ProveGrowth(Desk& desk, const Caller& caller, const std::string& older,
                                     const std::string& newer);

}  // namespace stele::server
