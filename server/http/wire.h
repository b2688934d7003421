// Responses in kj's form.
//
// Thread: the connection's.
#pragma once

#include <kj/compat/http.h>

#include <string>
#include <string_view>

#include "server/http/response.h"

namespace stele::server::http {

// REQUIRES: FindUnsafeField found none; `headers` outlives what is returned, which has no copy.
kj::HttpHeaders WireHeaders(const Headers& headers, const kj::HttpHeaderTable& table);

// Begins the response; the body, if it may have one, goes into what is returned.
kj::Own<kj::AsyncOutputStream> SendHead(kj::HttpService::Response& out,
                                        const kj::HttpHeaderTable& table, const Response& response,
                                        kj::Maybe<uint64_t> length);

// A whole response that is the connection's last, without kj.
std::string LastResponse(const Response& response, std::string_view body);

// The whole response; `body` is counted but not sent when `head_only`.
kj::Promise<void> SendWhole(kj::HttpService::Response& out, const kj::HttpHeaderTable& table,
                            const Response& response, std::string body, bool head_only);

}  // namespace stele::server::http
