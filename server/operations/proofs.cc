#include "server/operations/proofs.h"

#include "eventstore/tree_reader.h"
#include "server/operations/limits.h"

namespace stele::server {

Promised<replay::MadeProof> ProveRecords(Desk& desk, const Caller& caller, InstanceId instance,
                                         std::optional<Seq> event) {
  if (const Status allowed = desk.Allow(caller, Permission::kAudit, {}, instance);
      !allowed.has_value())
    return Result<replay::MadeProof>(std::unexpected(allowed.error()));
  return desk.ReadLong(
      [log = desk.engine().store, shard = desk.engine().shard_id, instance, event] {
        return replay::MakeCurrentProof(*log, shard, instance, event, kMaxProofBytes);
      });
}

Promised<std::vector<std::string>> ReadHeads(Desk& desk, const Caller& caller, uint64_t from,
                                             size_t limit) {
  if (const Status allowed = desk.Allow(caller, Permission::kAudit); !allowed.has_value())
    return Result<std::vector<std::string>>(std::unexpected(allowed.error()));
  return desk.ReadLong([log = desk.engine().store, shard = desk.engine().shard_id, from, limit] {
    return log->Tree(shard)->HeadsFrom(from, limit);
  });
}

Promised<replay::Growth> ProveGrowth(Desk& desk, const Caller& caller, const std::string& older,
                                     const std::string& newer) {
  if (const Status allowed = desk.Allow(caller, Permission::kAudit); !allowed.has_value())
    return Result<replay::Growth>(std::unexpected(allowed.error()));
  return desk.ReadLong([log = desk.engine().store, shard = desk.engine().shard_id, older, newer] {
    return newer.empty() ? replay::ProveGrowthUntilNow(*log, shard, older)
                         : replay::ProveGrowth(*log, shard, older, newer);
  });
}

}  // namespace stele::server
