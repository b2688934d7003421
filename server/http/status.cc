#include "server/http/status.h"

#include <algorithm>
#include <iterator>

namespace stele::server::http {
namespace {

struct Row {
  ErrorCode code;
  int status;
};

// 422 is for what is well-formed and cannot be: definitions, inputs. 413 is for every limit, 5xx
// for what the client can do nothing about.
constexpr Row kStatuses[] = {
    {ErrorCode::kInvalidJson, 400},
    {ErrorCode::kLimitExceeded, 413},
    {ErrorCode::kIo, 500},
    {ErrorCode::kUnsupported, 422},
    {ErrorCode::kInvalidYaml, 422},
    {ErrorCode::kInvalidDefinition, 422},
    {ErrorCode::kDuplicateId, 422},
    {ErrorCode::kUnknownStep, 422},
    {ErrorCode::kUnreachableStep, 422},
    {ErrorCode::kIrreducibleCycle, 422},
    {ErrorCode::kUnknownType, 422},
    {ErrorCode::kUnknownKey, 422},
    {ErrorCode::kBadDuration, 422},
    {ErrorCode::kUnknownReference, 422},
    {ErrorCode::kBadCron, 422},
    {ErrorCode::kBadTimeZone, 422},
    {ErrorCode::kExpressionSyntax, 422},
    {ErrorCode::kExpressionType, 422},
    {ErrorCode::kExpressionUndefined, 422},
    {ErrorCode::kExpressionLimit, 422},
    {ErrorCode::kStoreWrongPosition, 409},
    {ErrorCode::kStoreCorrupt, 500},
    {ErrorCode::kStoreLocked, 503},
    {ErrorCode::kStoreWriteFailed, 500},
    {ErrorCode::kStoreUnknownFormat, 500},
    {ErrorCode::kStoreNotFound, 404},
    {ErrorCode::kInstanceErased, 410},
    {ErrorCode::kBackupDamaged, 500},
    {ErrorCode::kNoSuchMoment, 404},
    {ErrorCode::kWrongDirectory, 500},
    {ErrorCode::kMasterKey, 500},
    {ErrorCode::kAuditKey, 500},
    {ErrorCode::kBadProof, 422},
    {ErrorCode::kUnknownHead, 404},
    {ErrorCode::kUnknownInstance, 404},
    {ErrorCode::kInstanceEnded, 409},
    {ErrorCode::kUnknownRun, 404},
    {ErrorCode::kStaleAttempt, 409},
    {ErrorCode::kWrongState, 409},
    {ErrorCode::kInvalidInput, 422},
    {ErrorCode::kUnknownDefinition, 404},
    {ErrorCode::kNotAllowed, 403},
    {ErrorCode::kCannotMigrate, 409},
    {ErrorCode::kDuplicateKey, 409},
    {ErrorCode::kDefinitionState, 409},
    {ErrorCode::kCannotFork, 409},
    {ErrorCode::kTaskFailed, 502},
    {ErrorCode::kTaskTimeout, 504},
    {ErrorCode::kTaskInterrupted, 502},
    {ErrorCode::kTaskOutputTooLarge, 502},
    {ErrorCode::kTaskConfig, 422},
    {ErrorCode::kTaskUnavailable, 503},
    {ErrorCode::kShardStopped, 503},
    {ErrorCode::kReplayMismatch, 500},
    {ErrorCode::kBackPressure, 503},
    {ErrorCode::kWrongThread, 500},
    {ErrorCode::kTimeout, 504},
    {ErrorCode::kUnknownView, 404},
    {ErrorCode::kUsage, 400},
    {ErrorCode::kConfiguration, 500},
    {ErrorCode::kUnreachable, 502},
    {ErrorCode::kSecretKey, 409},
    {ErrorCode::kSecretStoreDamaged, 500},
    {ErrorCode::kUnknownSecret, 404},
    {ErrorCode::kSecretExposed, 500},
    {ErrorCode::kBadSecret, 422},
    {ErrorCode::kUnknownWebhook, 404},
    {ErrorCode::kWrongMethod, 405},
    {ErrorCode::kBadSignature, 401},
    {ErrorCode::kUnknownTrigger, 404},
    {ErrorCode::kUnauthenticated, 401},
    {ErrorCode::kForbidden, 403},
    {ErrorCode::kBadToken, 401},
    {ErrorCode::kTooManyLogins, 429},
    {ErrorCode::kUnknownUser, 404},
    {ErrorCode::kWeakPassword, 422},
    {ErrorCode::kUnknownRoute, 404},
    {ErrorCode::kBadRequest, 400},
    {ErrorCode::kUnsupportedMedia, 415},
    {ErrorCode::kPreconditionFailed, 412},
    {ErrorCode::kListen, 500},
    {ErrorCode::kClosed, 503},
    {ErrorCode::kUnknownAlert, 404},
};

constexpr ErrorCode kCodes[] = {
#define STELE_ERROR_LISTED(name, number) ErrorCode::name,
    STELE_ERROR_CODES(STELE_ERROR_LISTED)
#undef STELE_ERROR_LISTED
};
static_assert(std::ranges::equal(kStatuses, kCodes, {}, &Row::code),
              "every error code has a status, in the order of base/error_codes.h");

struct Phrase {
  int status;
  std::string_view text;
};

constexpr Phrase kPhrases[] = {
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

}  // namespace

int HttpStatus(ErrorCode code) {
  return std::ranges::lower_bound(kStatuses, code, {}, &Row::code)->status;
}

std::string_view ReasonPhrase(int status) {
  const auto* found = std::ranges::lower_bound(kPhrases, status, {}, &Phrase::status);
  return found != std::end(kPhrases) && found->status == status ? found->text : "Unknown";
}

}  // namespace stele::server::http
