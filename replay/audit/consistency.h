// A proof that a log only grew between two heads: that it begins, record by record, with what the
// older one was over (RFC 9162, 2.1.4). docs/audit.md has the document.
//
// Thread: any.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "base/value.h"
#include "eventstore/event_store.h"
#include "eventstore/signed_head.h"

namespace stele::replay {

struct Growth {
  std::string older;  // the notes
  std::string newer;
  std::vector<eventstore::Hash> path;
};

// Out of the log, between two heads that somebody kept. kUnknownHead when the log has fewer records
// than one of them is over, kBadProof when it is not what they were signed over.
Result<Growth> ProveGrowth(const eventstore::EventStore& store, ShardId shard,
                           const std::string& older, const std::string& newer);

// The same until the newest head, which is signed now if it can be.
Result<Growth> ProveGrowthUntilNow(eventstore::EventStore& store, ShardId shard,
                                   const std::string& older);

Value ToJson(const Growth& growth);
Result<Growth> ParseGrowth(const Value& document);

struct CheckedGrowth {
  eventstore::TreeHead older, newer;
  std::string older_key, newer_key;  // that signed them, NAME+HASH; empty: nobody looked
};
// kBadProof, with what is wrong. Each head is to be signed by one of the keys, which may be another
// one: keys change. REQUIRES: there is a key.
Result<CheckedGrowth> CheckGrowth(const Growth& growth,
                                  const std::vector<eventstore::NoteVerifier>& keys);
// The same without looking at signatures.
Result<CheckedGrowth> CheckGrowthOfHeads(const Growth& growth);

// Whether the document is one of growth, to be read by ParseGrowth.
bool IsGrowth(const Value& document);

}  // namespace stele::replay
