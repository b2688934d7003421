// JSON pointers (RFC 6901): where in a document something stands.
#pragma once

#include <string>
#include <string_view>

namespace stele::expression {

// Adds "/" and the token, escaped, to the pointer.
void AppendPointerToken(std::string_view token, std::string& pointer);

}  // namespace stele::expression
