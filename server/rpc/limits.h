// Bounds of the native interface. What a call carries is bounded by the shard and the operations.
#pragma once

#include <cstddef>
#include <cstdint>

namespace stele::server::rpc {

inline constexpr uint32_t kProtocol = 1;

// A message, in both directions, and what may be read of it: pointers of a message may overlap.
inline constexpr uint64_t kMaxMessageWords = 8u << 20;  // 64 MiB
// An answer that would be larger is refused.
inline constexpr size_t kMaxAnswerBytes = 48u << 20;
// Messages of calls that are not answered, of a connection: no more is read at so many words.
inline constexpr size_t kMaxCallWords = 2u << 20;  // 16 MiB
// Answers that a connection's peer has not read: no more calls are read at so many.
inline constexpr size_t kMaxUnsentBytes = 8u << 20;
// The same for what the server says of its own accord, events and tasks: none more is said at so
// many, which leaves room for answers.
inline constexpr size_t kMaxUnaskedBytes = 4u << 20;
// For a peer to take something of what it has asked for: how often it is looked whether it does.
inline constexpr int64_t kSendPatienceUs = 60'000'000;
// What a connection may send before it is known who it is, and how long that may take.
inline constexpr uint64_t kWordsBeforeLogin = 128u << 10;  // 1 MiB
inline constexpr int64_t kLoginPatienceUs = 30'000'000;

// How often a server that ends looks whether its clients have read their answers.
inline constexpr int64_t kLookAgainMs = 5;

// Of a connection: questions that are being answered from the log or the views, others wait; and
// those that follow events.
inline constexpr size_t kMaxQuestions = 16;
inline constexpr size_t kMaxSubscriptions = 1'000;
// Events of one message to a follower: so many, and so many bytes and one event.
inline constexpr size_t kEventsPerMessage = 512;
inline constexpr size_t kEventBytesPerMessage = 128u << 10;

// How often whoever watches something long is told how far it is.
inline constexpr int64_t kProgressEveryMs = 250;

inline constexpr size_t kMaxStartsPerCall = 10'000;
inline constexpr int64_t kMaxPatienceUs = int64_t{3'600} * 1'000'000;
// Of a task on its way to a worker, beside its texts: what its message is made for at first.
inline constexpr size_t kMessageBytesOfTask = 512;
// A text that is no JSON and no definition: a name, a key, a reason.
inline constexpr size_t kMaxTextBytes = 64u << 10;

}  // namespace stele::server::rpc
