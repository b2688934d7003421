// What tells a view that it is of another log, or of another course of its own: of each batch the
// view keeps what the log says of the batch's last record.
#pragma once

#include <string>

#include "base/error.h"
#include "eventstore/event_store.h"
#include "projections/view_store.h"

namespace stele::projections {

// What a record keeps whatever is erased in it: when it was written, for which instance, and which
// of the instance's events it holds.
std::string MarkOf(const eventstore::RecordHeader& header);

// Whether the log has the record that the generation came to last. Where that record was cut out
// there is nothing to compare, and it does.
Result<bool> IsOfLog(const eventstore::EventStore& log, ShardId shard,
                     const Generation& generation);

}  // namespace stele::projections
