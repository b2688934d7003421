// How long the disk itself takes to keep a little: what a durable answer cannot be faster than.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/error.h"
#include "projections/histogram.h"

namespace stele::load {

// Appends 4 KiB to a file of its own in `directory` and syncs its data, again and again, until
// `enough` of the number so far and the microseconds since its beginning; the file is removed.
// Microseconds of each.
Result<projections::Histogram> MeasureSyncs(
    const std::string& directory,
    const std::function<bool(uint64_t syncs, int64_t elapsed_us)>& enough);

}  // namespace stele::load
