// The bounds of the views.
#pragma once

#include <cstddef>
#include <cstdint>

namespace stele::projections {

// Instances that a feed holds in memory between batches, and the bytes of all of them. Those that
// go are read again when something happens to them.
inline constexpr size_t kMaxTrackedInstances = 50'000;
inline constexpr size_t kMaxTrackedBytes = 256u << 20;
// Records of a batch. What is written is seen after it. A large one costs less: what happened to an
// instance in it is written once.
inline constexpr uint64_t kBatchRecords = 65'536;
// Records of a building behind which it is flushed, so that it goes on there when it is cut off:
// about a second's. More often costs much, as each flush is a file of every view.
inline constexpr uint64_t kKeptRecords = 4 * kBatchRecords;
// A batch ends behind the record with which the bodies have so many bytes.
inline constexpr size_t kBatchBytes = 32u << 20;

// Views as of earlier positions whose directories are kept.
inline constexpr size_t kKeptAsOf = 4;

// A query: its text, its conditions, the values of one of them.
inline constexpr size_t kMaxQueryBytes = 4'096;
inline constexpr size_t kMaxConditions = 32;
inline constexpr size_t kMaxQueryValues = 100;
// Values that a prefix may stand for when nothing else leads to the rows.
inline constexpr size_t kMaxPrefixValues = 100;
// A page, and what may be read for it: then it ends with fewer rows, and the next one goes on.
inline constexpr size_t kDefaultPageRows = 50;
inline constexpr size_t kMaxPageRows = 1'000;
inline constexpr uint64_t kMaxPageKeys = 10'000;
// Words of a row that are searched, and bytes of one.
inline constexpr size_t kMaxWords = 32;
inline constexpr size_t kMaxWordBytes = 40;
// What a row of an instance or of a task tells at most.
inline constexpr size_t kMaxRowVariables = 32;
inline constexpr size_t kMaxRowVariableBytes = 100;
inline constexpr size_t kMaxRowObjectBytes = 4'096;  // a larger object is not looked into
inline constexpr size_t kMaxRowSteps = 16;           // open ones
inline constexpr size_t kMaxRowWaits = 8;
inline constexpr size_t kMaxRowTextBytes = 1'000;  // of an error, of a comment

}  // namespace stele::projections
