// The one table of error codes. A number is never used again; docs/errors.md says what to do about
// each, and a test compares the two. Ranges: 00xx general, 01xx definitions, 02xx expressions,
// 03xx event store, 04xx commands on instances, 05xx tasks, 06xx runtime, 07xx command line,
// 08xx secrets, 09xx triggers, 10xx edges of a server.
#pragma once

#include <cstdint>
#include <string_view>

namespace stele {

enum class ErrorCode : uint16_t {
// X(name, number): keep sorted by number.
#define STELE_ERROR_CODES(X)   \
  X(kInvalidJson, 1)           \
  X(kLimitExceeded, 2)         \
  X(kIo, 3)                    \
  X(kUnsupported, 4)           \
  X(kInvalidYaml, 101)         \
  X(kInvalidDefinition, 102)   \
  X(kDuplicateId, 103)         \
  X(kUnknownStep, 104)         \
  X(kUnreachableStep, 105)     \
  X(kIrreducibleCycle, 106)    \
  X(kUnknownType, 107)         \
  X(kUnknownKey, 108)          \
  X(kBadDuration, 109)         \
  X(kUnknownReference, 110)    \
  X(kBadCron, 111)             \
  X(kBadTimeZone, 112)         \
  X(kExpressionSyntax, 201)    \
  X(kExpressionType, 202)      \
  X(kExpressionUndefined, 203) \
  X(kExpressionLimit, 204)     \
  X(kStoreWrongPosition, 301)  \
  X(kStoreCorrupt, 302)        \
  X(kStoreLocked, 303)         \
  X(kStoreWriteFailed, 304)    \
  X(kStoreUnknownFormat, 305)  \
  X(kStoreNotFound, 306)       \
  X(kInstanceErased, 307)      \
  X(kBackupDamaged, 308)       \
  X(kNoSuchMoment, 309)        \
  X(kWrongDirectory, 310)      \
  X(kMasterKey, 311)           \
  X(kAuditKey, 312)            \
  X(kBadProof, 313)            \
  X(kUnknownHead, 314)         \
  X(kUnknownInstance, 401)     \
  X(kInstanceEnded, 402)       \
  X(kUnknownRun, 403)          \
  X(kStaleAttempt, 404)        \
  X(kWrongState, 405)          \
  X(kInvalidInput, 406)        \
  X(kUnknownDefinition, 407)   \
  X(kNotAllowed, 408)          \
  X(kCannotMigrate, 409)       \
  X(kDuplicateKey, 410)        \
  X(kDefinitionState, 411)     \
  X(kCannotFork, 412)          \
  X(kTaskFailed, 501)          \
  X(kTaskTimeout, 502)         \
  X(kTaskInterrupted, 503)     \
  X(kTaskOutputTooLarge, 504)  \
  X(kTaskConfig, 505)          \
  X(kTaskUnavailable, 506)     \
  X(kShardStopped, 601)        \
  X(kReplayMismatch, 602)      \
  X(kBackPressure, 603)        \
  X(kWrongThread, 604)         \
  X(kTimeout, 605)             \
  X(kUnknownView, 606)         \
  X(kUsage, 701)               \
  X(kConfiguration, 702)       \
  X(kUnreachable, 703)         \
  X(kSecretKey, 801)           \
  X(kSecretStoreDamaged, 802)  \
  X(kUnknownSecret, 803)       \
  X(kSecretExposed, 804)       \
  X(kBadSecret, 805)           \
  X(kUnknownWebhook, 901)      \
  X(kWrongMethod, 902)         \
  X(kBadSignature, 903)        \
  X(kUnknownTrigger, 904)      \
  X(kUnauthenticated, 1001)    \
  X(kForbidden, 1002)          \
  X(kBadToken, 1003)           \
  X(kTooManyLogins, 1004)      \
  X(kUnknownUser, 1005)        \
  X(kWeakPassword, 1006)       \
  X(kUnknownRoute, 1007)       \
  X(kBadRequest, 1008)         \
  X(kUnsupportedMedia, 1009)   \
  X(kPreconditionFailed, 1010) \
  X(kListen, 1011)             \
  X(kClosed, 1012)             \
  X(kUnknownAlert, 1013)
#define STELE_ERROR_ENUM(name, number) name = number,
  STELE_ERROR_CODES(STELE_ERROR_ENUM)
#undef STELE_ERROR_ENUM
};

// The name without its k: "UnknownStep".
std::string_view ErrorCodeName(ErrorCode code);

}  // namespace stele
