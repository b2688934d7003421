// Reads the body of a request, within a bound and a time.
//
// Thread: the connection's.
#pragma once

#include <kj/async-io.h>
#include <kj/timer.h>

#include <expected>
#include <string>

#include "server/http/response.h"

namespace stele::server::http {

// The body, or what to answer instead: 413 for more than `most` bytes (before the first is read,
// when the length is known), 408 when it is not there in time, 400 for broken chunks. Rejected when
// the client has gone. REQUIRES: `body` lives as long as the promise.
using ReadResult = std::expected<std::string, Response>;
kj::Promise<ReadResult> ReadBody(kj::AsyncInputStream& body, size_t most, kj::Timer& timer,
                                 kj::Duration time);

// The bytes as their Content-Encoding says: unpacked to at most `most` bytes. kUnsupportedMedia for
// another coding than gzip.
Result<std::string> Unpack(std::string body, std::string_view content_encoding, size_t most);

}  // namespace stele::server::http
