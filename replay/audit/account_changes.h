// What a change of a user or of an API key has changed, beside what was recorded of it before.
//
// In memory it has a document for each user and key. It reads the registry's history once, from a
// bounded number of records before the first change that it is asked about.
//
// Thread: one at a time. REQUIRES: the store outlives it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "eventstore/event_store.h"
#include "replay/audit/deed.h"

namespace stele::replay {

// Records of the registry that are looked at for what was before.
inline constexpr uint64_t kAccountRecords = 200'000;

class AccountChanges {
 public:
  AccountChanges(const eventstore::EventStore& store, ShardId shard)
      : store_(store), shard_(shard) {}

  // Says in the deed whether the account was created or changed, in what, and whose key was
  // removed. Where nothing is known of before it stays as it is. REQUIRES: the deed is about an
  // account, and behind the one that was told before it.
  Status Tell(Deed& deed);

 private:
  // What is recorded before the position counts.
  Status ReadTo(Position position);

  const eventstore::EventStore& store_;
  const ShardId shard_;
  std::unique_ptr<eventstore::Cursor> cursor_;
  std::optional<eventstore::RecordView> next_;
  bool from_begin_ = false;                      // nothing is before what was read
  std::map<std::string, std::string> accounts_;  // documents by the setting's name
};

}  // namespace stele::replay
