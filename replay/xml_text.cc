#include "replay/xml_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/utf8.h"

namespace stele::replay {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

}  // namespace

void WriteXmlText(std::string_view text, std::string& out) {
  for (size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x80) {
      const size_t bytes = Utf8Length(text.substr(i));
      const std::string_view sequence = text.substr(i, bytes);
      const bool fits = bytes != 0 && sequence != "\xEF\xBF\xBE" && sequence != "\xEF\xBF\xBF";
      out += fits ? sequence : kReplacement;
      i += std::max<size_t>(bytes, 1);
      continue;
    }
    ++i;
    if (byte == '&') {
      out += "&amp;";
    } else if (byte == '<') {
      out += "&lt;";
    } else if (byte == '>') {
      out += "&gt;";
    } else if (byte == '"') {
      out += "&quot;";
    } else if (byte == '\t' || byte == '\n' || byte == '\r') {
      fmt::format_to(std::back_inserter(out), "&#{};", byte);
    } else if (byte < 0x20) {
      out += kReplacement;
    } else {
      out += static_cast<char>(byte);
    }
  }
}

}  // namespace stele::replay
