// gzip (RFC 1952) of whole bodies, through kj's wrapper of zlib.
//
// Thread: any.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace stele::server::http {

std::string Gzip(std::string_view plain, int level);

// kLimitExceeded as soon as more than `most` bytes have come out, however few went in; kBadRequest
// for what is no gzip, was cut, or goes on behind its end.
Result<std::string> Gunzip(std::string_view packed, size_t most);

}  // namespace stele::server::http
