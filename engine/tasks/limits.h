// The bounds of what a task may take and give. Each has an option in the executor that it limits.
#pragma once

#include <cstddef>
#include <cstdint>

namespace stele::tasks {

// What a script may write to one of its streams before the middle is left out.
inline constexpr size_t kMaxStreamBytes = 1u << 20;
// The output `stdout` of a script; longer texts lose their middle.
inline constexpr size_t kMaxStdoutOutputBytes = 64u << 10;
// The log that is kept with an attempt.
inline constexpr size_t kMaxLogBytes = 256u << 10;
// The end of the error stream that a failure carries.
inline constexpr size_t kErrorTailBytes = 4u << 10;
// A failure's kind and message: above what the executors here make themselves.
inline constexpr size_t kMaxFailureKindBytes = 256;
inline constexpr size_t kMaxFailureMessageBytes = 8u << 10;
// The file `outputs`; a longer one fails the attempt.
inline constexpr size_t kMaxOutputsFileBytes = 1u << 20;
// An input up to this size is also in the environment (Linux allows 128 KiB a string).
inline constexpr size_t kMaxEnvironmentValueBytes = 64u << 10;
// Between SIGTERM and SIGKILL.
inline constexpr int64_t kKillGraceUs = 5'000'000;

// A response's body after decompression, and its headers.
inline constexpr size_t kMaxResponseBytes = 8u << 20;
inline constexpr size_t kMaxResponseHeaderBytes = 64u << 10;
inline constexpr int64_t kMaxRedirects = 10;
// A request without a timeout of its own.
inline constexpr int64_t kDefaultHttpTimeoutUs = 30'000'000;
// The beginning of a refused response that a failure carries.
inline constexpr size_t kBodyExcerptBytes = 4u << 10;

// A mail with its attachments, as it travels (base64 adds a third); what servers commonly take.
inline constexpr size_t kMaxEmailBytes = 32u << 20;
// What is kept of a mail server's reply, and a line of it (RFC 5321, 4.5.3.1.5 has 512).
inline constexpr size_t kMaxSmtpReplyBytes = 2u << 10;
inline constexpr size_t kMaxSmtpLineBytes = 2u << 10;
// A chat completion without a timeout of its own: long texts take minutes.
inline constexpr int64_t kDefaultLlmTimeoutUs = 120'000'000;

// The rows of an SQL step: how many by default, how many a configuration may ask for, and their
// names and values as text. The engine refuses longer outputs as well.
inline constexpr size_t kDefaultSqlRows = 1000;
inline constexpr size_t kMaxSqlRows = 100'000;
inline constexpr size_t kMaxSqlResultBytes = 1u << 20;
inline constexpr size_t kMaxSqlColumns = 512;
// One value on its way into or out of SQLite.
inline constexpr size_t kMaxSqliteValueBytes = 16u << 20;
inline constexpr size_t kMaxSqlStatements = 1000;
// SQLite's own limit; PostgreSQL allows 65,535.
inline constexpr size_t kMaxSqlParameters = 32'766;
// An SQL step without a timeout of its own.
inline constexpr int64_t kDefaultSqlTimeoutUs = 60'000'000;
// How long a statement waits for another connection's lock on an SQLite file.
inline constexpr int64_t kSqliteBusyUs = 5'000'000;
// Attempts that may be inside SQLite at once: fewer than libuv's pool has threads.
inline constexpr size_t kMaxSqliteRunning = 2;
// Connections to one PostgreSQL database, and how long an idle one is kept.
inline constexpr size_t kMaxPostgresConnections = 8;
inline constexpr int64_t kPostgresIdleUs = 60'000'000;
inline constexpr int64_t kPostgresConnectUs = 10'000'000;
// How long a cancelled statement, or a connection that is made ready for the next step, may take
// before its connection is closed.
inline constexpr int64_t kPostgresCancelGraceUs = 5'000'000;

// An attempt of an mcp step without a timeout of its own.
inline constexpr int64_t kDefaultMcpTimeoutUs = 60'000'000;
// One message of an MCP server, and all pages of a list of tools.
inline constexpr size_t kMaxMcpMessageBytes = 8u << 20;
// Between the end of a server's input and SIGTERM.
inline constexpr int64_t kMcpInputGraceUs = 2'000'000;
// What the end of a session at an address may take, each request.
inline constexpr int64_t kMcpGoodbyeUs = 5'000'000;

// How long a worker may hold a task without a heartbeat.
inline constexpr int64_t kWorkerLeaseUs = 30'000'000;
// How long at least until a worker that is a program has said its first word.
inline constexpr int64_t kWorkerStartUs = 30'000'000;
// How often a task may lose its worker before it fails.
inline constexpr uint32_t kMaxWorkerLosses = 3;
// How long a worker may take to stop a task that is cancelled.
inline constexpr int64_t kWorkerCancelGraceUs = 5'000'000;
// What is kept of a heartbeat's text, and of a worker's name in sentences.
inline constexpr size_t kMaxWorkerTextBytes = 1u << 10;
// A line of a worker that is a program, and what it may leave unread.
inline constexpr size_t kMaxWorkerLineBytes = 8u << 20;
// Between the starts of a worker that ends: the first, and twice as long each time up to the last.
inline constexpr int64_t kWorkerRestartUs = 200'000;
inline constexpr int64_t kMaxWorkerRestartUs = 30'000'000;
// Starts in a row without a line from it, after which a worker is given up where that is wanted.
inline constexpr uint32_t kMaxWorkerStarts = 5;
// Between the end of a worker's input and SIGTERM.
inline constexpr int64_t kWorkerInputGraceUs = 2'000'000;
// Tasks at once that one worker may ask for.
inline constexpr uint32_t kMaxWorkerSlots = 1000;
// Tasks a second that one worker may be limited to: one in eleven days to more than there are.
inline constexpr double kMinWorkerRate = 1e-6;
inline constexpr double kMaxWorkerRate = 1e6;

}  // namespace stele::tasks
