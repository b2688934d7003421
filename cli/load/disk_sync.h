// How long the disk itself takes to keep a little: what a durable answer cannot be faster than.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/error.h"
#include "projections/histogram.h"

namespace stele::load {

enum class SyncKind : uint8_t {
  kBlock,   // 4 KiB appended: the file system has to find room for it, and to remember that
  kRecord,  // 128 bytes, into room that was made beforehand, as the log has it
};

// Writes to a file of its own in `directory` and syncs its data, again and again, until `enough` of
// the number so far and the microseconds since its beginning; the file is removed. Microseconds of
// each.
Result<projections::Histogram> MeasureSyncs(
    const std::string& directory, SyncKind kind,
    const std::function<bool(uint64_t syncs, int64_t elapsed_us)>& enough);

}  // namespace stele::load
