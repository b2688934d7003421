// Signatures of webhooks that come in, as engine/tasks/body_signature.h makes them.
#pragma once

#include <string_view>

namespace stele::triggers {

// Takes the same time wherever a wrong signature differs. An empty secret signs nothing.
bool IsSignedWith(std::string_view secret, std::string_view body, std::string_view signature);

}  // namespace stele::triggers
