// The limits of the log. A batch or a stored block beyond them is refused, never truncated.
#pragma once

#include <cstddef>
#include <cstdint>

namespace stele::eventstore {

inline constexpr size_t kMaxActorBytes = 255;
inline constexpr size_t kMaxSourceBytes = 255;
// One record with its header. Larger than the largest JSON document with room for the rest.
inline constexpr size_t kMaxRecordBytes = 128u << 20;
// The records of one block before compression.
inline constexpr size_t kMaxBlockBytes = 256u << 20;
inline constexpr uint32_t kMaxBlockRecords = 1u << 20;

// The committer closes a block here, so that reading one record never decompresses much more than
// what it needs; a single larger record gets a block of its own.
inline constexpr size_t kTargetBlockBytes = 1u << 20;

// Records that are not in the index yet; reading the log behind the index is what a start after a
// crash has to do.
inline constexpr size_t kIndexChunkRecords = 256u << 10;

// What a chunk of an archive segment holds before compression: a chunk ends with the block that
// reaches the target. Larger ones compress better, and cost more for a single record.
inline constexpr size_t kTargetChunkBytes = 256u << 10;
inline constexpr size_t kMaxChunkBytes = kTargetChunkBytes + kMaxBlockBytes + 104;

// Of an archive segment's file. A segment ends with the chunk that reaches it.
inline constexpr uint64_t kTargetSegmentBytes = 64u << 20;

// A signed head follows the one before it with the block that makes so many records, or so much
// time by the records' clock, since then.
inline constexpr uint64_t kRecordsBetweenHeads = 10'000;
inline constexpr int64_t kTimeBetweenHeadsUs = 60'000'000;

// Opened keys of payloads that are kept in memory, some 200 bytes each.
inline constexpr size_t kCachedPayloadKeys = 16u << 10;

}  // namespace stele::eventstore
