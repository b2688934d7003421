// What goes when somebody names instances, whatever their age: each with all that it called, none
// without who called it. Where it is about what they hold, each with its forks, too, which hold the
// same.
//
// Thread: one at a time, none that must not wait for a disk.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "eventstore/event_store.h"
#include "projections/view_store.h"

namespace stele::retention {

enum class Forks : uint8_t { kStay, kGo };

// These and all that they called, or that was forked from them if that is to go, directly or not,
// those that were called first; none twice. `closed`: a reader of the view of that name.
// `goes_alone`: asked of one that was called by who is kept. kUnknownInstance: there is none.
// kInstanceErased: it was purged. kWrongState names those that have not ended, or that somebody
// called who stays.
Result<std::vector<InstanceId>> TreesOf(const projections::ViewReader& closed,
                                        const eventstore::EventStore& log, ShardId shard,
                                        std::span<const InstanceId> roots, Forks forks,
                                        const std::function<bool(InstanceId)>& goes_alone);

}  // namespace stele::retention
