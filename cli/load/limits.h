// Bounds of a measurement.
#pragma once

#include <cstddef>
#include <cstdint>

namespace stele::load {

// What waits for an answer at once in an open loop: what is due beyond it is begun later, and
// counts from when it was due.
inline constexpr uint64_t kMaxUnderWay = 100'000;
// Behind a refusal, in a closed loop.
inline constexpr int64_t kRefusalPauseUs = 10'000;
// How long answers are waited for when nothing more is begun.
inline constexpr int64_t kDrainUs = 60'000'000;
// How often it is looked at what has happened, at least.
inline constexpr int64_t kLookEveryUs = 10'000;
// A wait for the end of an instance; the longest that a server takes is an hour.
inline constexpr int64_t kEndPatienceUs = 600'000'000;
// To be connected to a server, and to be known there; for one of its answers.
inline constexpr int64_t kConnectPatienceUs = 10'000'000;
inline constexpr int64_t kAnswerPatienceUs = 120'000'000;
// Connections that are made at once.
inline constexpr size_t kConnectsAtOnce = 128;
// Tasks that an instance of the workers' scenario has, one behind the other.
inline constexpr int kTasksOfInstance = 10;
// How often the disk is synced for a figure beside others, and how long at most; how much is
// written each time, and the room that is made for small ones.
inline constexpr uint64_t kSyncsBeside = 200;
inline constexpr int64_t kSyncsBesideUs = 250'000;
inline constexpr size_t kSyncBlockBytes = 4'096;
inline constexpr size_t kSyncRecordBytes = 128;
inline constexpr size_t kSyncRoomBytes = 64u << 20;
// What is left to settle before memory is read.
inline constexpr int64_t kSettleUs = 1'000'000;

}  // namespace stele::load
