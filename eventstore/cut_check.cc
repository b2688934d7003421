#include "eventstore/cut_check.h"

#include <fmt/format.h>

namespace stele::eventstore {

Status CheckMayBeCut(ShardId shard, InstanceId instance, const StateDb& state,
                     const Result<std::vector<InstanceBlock>>& blocks, Position archived) {
  if (instance == InstanceId())
    return Fail(ErrorCode::kWrongState,
                "Expected an instance to cut out but found 0, the registry of definitions.");
  auto is_open = state.IsOpen(shard, instance);
  if (!is_open) return std::unexpected(std::move(is_open).error());
  if (*is_open)
    return Fail(ErrorCode::kWrongState,
                fmt::format("Expected instance {} of shard {} to have ended before it is cut out "
                            "but found it open.",
                            instance.value, shard.value));
  if (!blocks) return std::unexpected(blocks.error());
  if (blocks->empty())
    return Fail(ErrorCode::kUnknownInstance,
                fmt::format("Expected an instance of shard {} but found none with number {}.",
                            shard.value, instance.value));
  if (blocks->back().block < archived) return {};
  return Fail(ErrorCode::kStoreWrongPosition,
              fmt::format("Expected all records of instance {} of shard {} before position {}, "
                          "where the archive ends, but found some in the block at {}.",
                          instance.value, shard.value, archived.value, blocks->back().block.value));
}

}  // namespace stele::eventstore
