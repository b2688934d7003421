// A proof that records of an instance stand in a log as it was when a head was signed: the head,
// and for each record its bytes and the hashes beside its way up the tree (RFC 9162, 2.1.3). Who
// has the key that checks the head needs nothing else. docs/audit.md has the document.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "base/value.h"
#include "eventstore/event_store.h"
#include "eventstore/signed_head.h"

namespace stele::replay {

// A record as the log has it, its payloads sealed if they are.
struct ProvedRecord {
  Position position;
  std::string frame;
  std::vector<eventstore::Hash> path;
};

struct Proof {
  std::string head;  // the note
  InstanceId instance;
  std::optional<Seq> event;  // the record that holds it alone; none: all from the first one on
  std::vector<ProvedRecord> records;
};

struct MadeProof {
  Proof proof;
  uint64_t covered = 0;   // the records that the head is over
  uint64_t left_out = 0;  // records of the instance behind them
};

// The JSON of a proof has so many bytes at most, and three times as many as its records and hashes.
inline constexpr size_t kMaxProofTextBytes = size_t{1} << 30;
inline constexpr size_t kMaxProvedBytes = kMaxProofTextBytes / 3;

// `most_bytes`: of the records and of the hashes beside their ways; beyond it kLimitExceeded.
// Under the newest head. kUnknownHead: there is none, or it is not over any of the records.
// kUnknownInstance: there is no such instance or event. kInstanceErased.
Result<MadeProof> MakeProof(const eventstore::EventStore& store, ShardId shard, InstanceId instance,
                            std::optional<Seq> event, size_t most_bytes = kMaxProvedBytes);
// The same under a head that is signed if need be and if the store can: nothing is left out then.
Result<MadeProof> MakeCurrentProof(eventstore::EventStore& store, ShardId shard,
                                   InstanceId instance, std::optional<Seq> event,
                                   size_t most_bytes = kMaxProvedBytes);

Value ToJson(const Proof& proof);
Result<Proof> ParseProof(const Value& document);
// In the form of c2sp.org/tlog-proof, the frame being extra data. REQUIRES: there is one record.
std::string ToTlogProof(const Proof& proof);

// What a proof proves.
struct CheckedRecord {
  Position position;
  TimeUs time;
  Seq first, last;  // of its events
  std::string actor;
  std::string source;
  bool sealed = false;  // its payloads are, and left out of the events
  Array events;         // engine/model/event_json.h, of records that this build reads
};
struct CheckedProof {
  eventstore::TreeHead head;
  std::string key;  // that signed it, NAME+HASH
  InstanceId instance;
  std::optional<Seq> event;
  std::vector<CheckedRecord> records;
};

// kBadProof, with the first thing that is wrong: the signature, a record that is not in the tree at
// its place, that is of another instance, out of order or behind a gap, an instance that does not
// begin with its first event, an event that is not in the record. One of the keys is to have signed
// the head. REQUIRES: there is a key.
Result<CheckedProof> CheckProof(const Proof& proof,
                                const std::vector<eventstore::NoteVerifier>& keys);

}  // namespace stele::replay
