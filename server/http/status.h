// The one table of what an error is in HTTP.
//
// Thread: any.
#pragma once

#include <string_view>

#include "base/error.h"

namespace stele::server::http {

int HttpStatus(ErrorCode code);

// "Not Found"; "Unknown" for a number that HTTP has no phrase for.
std::string_view ReasonPhrase(int status);

}  // namespace stele::server::http
