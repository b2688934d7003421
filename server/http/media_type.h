// Media types (RFC 9110 8.3) and what a client accepts.
//
// Thread: any.
#pragma once

#include <string>
#include <string_view>

namespace stele::server::http {

// "application/json" of "Application/JSON; charset=utf-8".
std::string MediaType(std::string_view content_type);

// application/json, text/json, or anything with the suffix +json.
bool IsJson(std::string_view content_type);

// Whether gzip makes it smaller: texts, not pictures and archives.
bool IsCompressible(std::string_view content_type);

// Whether an Accept-Encoding allows gzip: named, or meant by "*", and not with a weight of 0.
bool AcceptsGzip(std::string_view accept_encoding);

}  // namespace stele::server::http
