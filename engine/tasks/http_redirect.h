// What is asked for next when a server points elsewhere. RFC 9110, 15.4, as browsers do it; but
// another server gets nothing of the step's own: neither its headers, of which any may be a key or
// a signature, nor its body.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/tasks/curl_multi.h"

namespace stele::tasks {

// Changes `request` into the one that an answer of `status` asks for: `url`, absolute. What speaks
// against it, if anything does: "Expected … but found …".
std::optional<std::string> Redirect(HttpClient::Request& request, int64_t status,
                                    const std::string& url);

}  // namespace stele::tasks
