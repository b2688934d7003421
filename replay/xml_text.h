// Text as XML writes it.
//
// Thread: any.
#pragma once

#include <string>
#include <string_view>

namespace stele::replay {

// Between tags, or as the value of an attribute. What XML 1.0 cannot hold becomes U+FFFD.
void WriteXmlText(std::string_view text, std::string& out);

}  // namespace stele::replay
