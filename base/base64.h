// RFC 4648, section 4.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace stele {

// With padding.
std::string Base64(std::string_view bytes);

// With padding or without. Nothing of what is no base64.
std::optional<std::string> DecodeBase64(std::string_view text);

}  // namespace stele
