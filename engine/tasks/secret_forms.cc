#include "engine/tasks/secret_forms.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/base64.h"
#include "base/json.h"
#include "engine/tasks/redactor.h"

namespace stele::tasks {

namespace {

// Shorter pieces of base64 would blot out ordinary text.
constexpr size_t kMinInnerBase64 = 4;

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string Hex(std::string_view text) {
  std::string hex;
  for (const char c : text) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return hex;
}

bool IsAlphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// `plain` are the signs that stay as they are.
std::string PercentEncoded(std::string_view text, std::string_view plain, bool upper,
                           bool plus_for_blank) {
  std::string out;
  for (const char c : text) {
    if (IsAlphanumeric(c) || plain.find(c) != std::string_view::npos) {
      out += c;
    } else if (c == ' ' && plus_for_blank) {
      out += '+';
    } else if (upper) {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      out += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string Replaced(std::string_view text, char from, std::string_view to) {
  std::string out;
  for (const char c : text) {
    if (c == from) {
      out += to;
    } else {
      out += c;
    }
  }
  return out;
}

// The characters of UTF-8 beyond ASCII as \uXXXX, pairs of them beyond U+FFFF. What is no UTF-8
// was replaced when `json` was written. Digits in lower case or `upper`.
std::string AsciiJson(std::string_view json, bool upper) {
  const auto unit = [upper](uint32_t code) {
    return upper ? fmt::format("\\u{:04X}", code) : fmt::format("\\u{:04x}", code);
  };
  std::string out;
  for (size_t i = 0; i < json.size();) {
    const auto lead = static_cast<unsigned char>(json[i]);
    const size_t bytes = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (bytes == 1 || i + bytes > json.size()) {
      out += json[i++];
      continue;
    }
    uint32_t point = lead & (0xFFu >> (bytes + 1));
    for (size_t j = 1; j < bytes; ++j)
      point = point << 6 | (static_cast<unsigned char>(json[i + j]) & 0x3Fu);
    if (point > 0xFFFF) {
      point -= 0x10000;
      out += unit(0xD800 + (point >> 10)) + unit(0xDC00 + (point & 0x3FF));
    } else {
      out += unit(point);
    }
    i += bytes;
  }
  return out;
}

// As Go's encoding/json writes it, and whoever puts JSON into pages: <, > and & escaped.
std::string HtmlSafe(std::string_view json, bool upper) {
  std::string out = Replaced(json, '<', upper ? "\\u003C" : "\\u003c");
  out = Replaced(out, '>', upper ? "\\u003E" : "\\u003e");
  return Replaced(out, '&', "\\u0026");
}

// The characters that do not change whatever stands around `text`, which begins `shift` bytes
// behind the start of a group.
std::string InnerBase64(std::string_view text, size_t shift) {
  const std::string encoded = Base64(std::string(shift, '\0') + std::string(text));
  const size_t first = (shift * 8 + 5) / 6;
  const size_t end = (shift + text.size()) * 8 / 6;
  return end > first ? encoded.substr(first, end - first) : std::string();
}

void AddBase64(std::string_view text, std::vector<SecretForm>& forms) {
  const auto add = [&](const std::string& encoded) {
    forms.push_back({encoded, true});
    forms.push_back({Replaced(Replaced(encoded, '+', "-"), '/', "_"), true});
  };
  add(Base64(text));
  for (size_t shift = 0; shift < 3; ++shift) {
    const std::string inner = InnerBase64(text, shift);
    if (inner.size() >= kMinInnerBase64) add(inner);
  }
}

}  // namespace

std::vector<SecretForm> FormsOf(std::string_view secret) {
  std::vector<SecretForm> forms;
  const std::string_view text = Trim(secret);
  if (text.empty()) return forms;
  forms.push_back({std::string(text), false});

  std::string quoted;
  WriteJsonString(text, quoted);
  const std::string json = quoted.substr(1, quoted.size() - 2);
  for (const std::string& form : {json, AsciiJson(json, false), AsciiJson(json, true)}) {
    forms.push_back({form, false});
    forms.push_back({Replaced(form, '/', "\\/"), false});
    for (const bool upper : {false, true}) forms.push_back({HtmlSafe(form, upper), false});
  }
  // RFC 3986's unreserved characters; those of encodeURIComponent; paths; forms.
  for (const bool upper : {true, false}) {
    for (const std::string_view plain : {"-._~", "-_.!~*'()", "-._~/"})
      forms.push_back({PercentEncoded(text, plain, upper, false), false});
    for (const std::string_view plain : {"*-._", "-._~"})
      forms.push_back({PercentEncoded(text, plain, upper, true), false});
  }
  const std::string hex = Hex(text);
  forms.push_back({hex, true});
  std::string upper_hex = hex;
  std::ranges::transform(upper_hex, upper_hex.begin(), [](char c) {
    return c >= 'a' && c <= 'f' ? static_cast<char>(c - 32) : c;
  });
  forms.push_back({upper_hex, true});
  AddBase64(text, forms);
  if (secret != text) forms.push_back({Base64(secret), true});

  std::ranges::sort(forms);
  forms.erase(std::unique(forms.begin(), forms.end()), forms.end());
  return forms;
}

}  // namespace stele::tasks
