// How long and how much the operations of a server go at most.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace stele::server {

// Threads that read views and the log; those of questions that may take long, and how many of these
// may wait; those that hash passwords, each with the memory that a hash takes, and how many logins
// may wait.
inline constexpr size_t kReadingThreads = 4;
inline constexpr size_t kSlowThreads = 2;
inline constexpr size_t kMaxSlowQuestions = 64;
inline constexpr size_t kPasswordThreads = 2;
inline constexpr size_t kMaxPasswordsWaiting = 128;

// What a step has printed is shown when its view knows all that was durable, or that much later.
inline constexpr std::chrono::milliseconds kLogPatience{2'000};

// Events of a history in one page.
inline constexpr size_t kDefaultHistoryEvents = 200;
inline constexpr size_t kMaxHistoryEvents = 5'000;
// And their bytes, about: a page ends early.
inline constexpr size_t kMaxHistoryBytes = 8u << 20;

// Ends of pages that are remembered, 32 bytes each about.
inline constexpr size_t kKnownPageEnds = 4'096;

// Time machines that are kept, their memory together, and how long nobody may have asked for one;
// looked for so often.
inline constexpr size_t kMaxMachines = 32;
inline constexpr size_t kMachineBytes = 256u << 20;
inline constexpr int64_t kMachineIdleUs = 300'000'000;
inline constexpr int64_t kMachineSweepUs = 60'000'000;

// Of a dry fork: what is recorded behind it, in bytes; records and events more than those.
inline constexpr size_t kMaxWhatIfBytes = 64u << 20;
inline constexpr uint64_t kMaxWhatIfRecords = 10'000;
inline constexpr uint64_t kMaxWhatIfEvents = 100'000;

// Records of one page, by their bytes, and one record more.
inline constexpr size_t kMaxRecordPageBytes = 4u << 20;

// Deeds in a page of a report, and records that are looked at for one.
inline constexpr size_t kDefaultDeeds = 200;
inline constexpr size_t kMaxDeeds = 1'000;
inline constexpr uint64_t kMaxDeedRecords = 200'000;
inline constexpr size_t kMaxDeedPageBytes = 4u << 20;  // of texts, and one deed more

// Signed heads of a page.
inline constexpr size_t kDefaultHeads = 200;
inline constexpr size_t kMaxHeads = 1'000;
// The records and hashes of one proof that a server makes. As JSON it has three times as many at
// most, which fit into an answer.
inline constexpr size_t kMaxProofBytes = 16u << 20;

// What followers of live events are told from without reading the log again.
inline constexpr size_t kRecentEventBytes = 4u << 20;
// Of one that is further behind, so much is read at a time.
inline constexpr size_t kBehindEvents = 512;
inline constexpr size_t kBehindBytes = 1u << 20;  // and one record more
// When no thread was free to read, it is tried again so much later.
inline constexpr int64_t kReadAgainMs = 20;

// Denied attempts: the bytes that are kept of a name in them, how often the same one is noted, and
// how many are told apart in that time: what is beyond it is one record more.
inline constexpr size_t kMaxDeniedBytes = 128;
inline constexpr int64_t kDenialsEveryUs = 60'000'000;
inline constexpr size_t kMaxDenialsNoted = 120;

// Workers that are called, and polls that wait, at once; the name of one, the types that it names,
// how long it may wait for tasks, and hold them without a heartbeat.
inline constexpr size_t kMaxJoinedWorkers = 10'000;
inline constexpr size_t kMaxOpenPolls = 10'000;
// Letters of the word that a process names its leases with, 5 bits each.
inline constexpr size_t kProcessWordSize = 12;
inline constexpr size_t kMaxWorkerNameBytes = 128;
inline constexpr size_t kMaxWorkerTypes = 100;
inline constexpr int64_t kMaxPollWaitUs = 60'000'000;
inline constexpr int64_t kMinWorkerLeaseUs = 1'000'000;
inline constexpr int64_t kMaxWorkerLeaseUs = 3'600'000'000;

// Records behind a message that are looked at for who has received it.
inline constexpr size_t kMaxReceiverRecords = 10'000;

// Views that are built anew are looked at again so much later; how long a name of backups may be.
inline constexpr int64_t kBuiltAgainMs = 50;
inline constexpr size_t kMaxBackupNameBytes = 200;

}  // namespace stele::server
