#include "cli/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <clocale>
#include <cwchar>
#include <utility>

#include "base/json.h"
#include "base/text_direction.h"
#include "base/utf8.h"

namespace stele::cli {

namespace {

// What character is at the front, of so many bytes.
char32_t PointOf(std::string_view text, size_t bytes) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (bytes < 2) return first;
  char32_t point = first & (0xFF >> (bytes + 1));
  for (size_t i = 1; i < bytes; ++i) point = point << 6 | (text[i] & 0x3F);
  return point;
}

// The one rule of what of a text beyond ASCII a terminal, or who reads there, would obey: C1, what
// turns the text around it, separators of lines and paragraphs, the mark of an order of bytes. The
// bytes of the character at the front; 0: it is none of these.
size_t ObeyedBytes(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const auto second = text.size() < 2 ? 0 : static_cast<unsigned char>(text[1]);
  if (first < 0xC2) return 0;
  if (first == 0xC2) return 0x80 <= second && second < 0xA0 ? 2 : 0;
  const bool is_obeyed = TurnsText(text) || text.starts_with("\xE2\x80\xA8") ||
                         text.starts_with("\xE2\x80\xA9") || text.starts_with("\xEF\xBB\xBF");
  return is_obeyed ? Utf8Length(text) : 0;
}

// As JSON does it.
std::string Escaped(char32_t point) {
  return fmt::format("\\u{:04x}", static_cast<uint32_t>(point));
}

// A document that has no control characters of ASCII but DEL, with what a terminal obeys as
// `escape` has it.
template <class Escape>
std::string CleanDocument(std::string_view text, const Escape& escape) {
  std::string clean;
  clean.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const std::string_view rest = text.substr(i);
    const size_t bytes = text[i] == 0x7F ? 1 : ObeyedBytes(rest);
    if (bytes == 0) {
      clean += text[i];
      continue;
    }
    clean += escape(PointOf(rest, bytes));
    i += bytes - 1;
  }
  return clean;
}

// Adds the beginning of the value's JSON, not much more than `bytes` of it. Whether that is all.
bool WriteBeginning(const Value& value, size_t bytes, std::string& out) {
  const auto write_text = [&](std::string_view text) {
    WriteJsonString(text.substr(0, bytes), out);
    return text.size() <= bytes;
  };
  bool is_first = true;
  if (value.is_string()) return write_text(value.as_string());
  if (value.is_array()) {
    out += '[';
    for (const Value& item : value.as_array()) {
      if (!std::exchange(is_first, false)) out += ',';
      if (out.size() >= bytes || !WriteBeginning(item, bytes, out)) return false;
    }
    out += ']';
  } else if (value.is_object()) {
    out += '{';
    for (const Member& member : value.as_object()) {
      if (!std::exchange(is_first, false)) out += ',';
      if (out.size() >= bytes || !write_text(member.key)) return false;
      out += ':';
      if (!WriteBeginning(member.value, bytes, out)) return false;
    }
    out += '}';
  } else {
    WriteJson(value, out);
  }
  return true;
}

// How wide characters are, by the C library's tables for UTF-8, whatever the user's locale is.
class Columns {
 public:
  Columns() : locale_(newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {}
  ~Columns() {
    if (locale_ != nullptr) freelocale(locale_);
  }
  Columns(const Columns&) = delete;
  Columns& operator=(const Columns&) = delete;

  // Takes the character at the front of a text that is not empty.
  size_t Take(std::string_view& text) const {
    const size_t bytes = std::max<size_t>(Utf8Length(text), 1);
    const char32_t point = PointOf(text, bytes);
    text.remove_prefix(bytes);
    if (point < 0x80 || locale_ == nullptr) return 1;
    const locale_t before = uselocale(locale_);
    const int columns = wcwidth(static_cast<wchar_t>(point));
    uselocale(before);
    return columns < 0 ? 1 : static_cast<size_t>(columns);
  }

 private:
  locale_t locale_;
};

}  // namespace

std::string Clean(std::string_view text, bool keep_lines) {
  std::string clean;
  while (!text.empty()) {
    const size_t bytes = Utf8Length(text);
    const auto first = static_cast<unsigned char>(text[0]);
    if (bytes == 0) {
      clean += "\xEF\xBF\xBD";
    } else if (bytes == 1 && (first < 0x20 || first == 0x7F)) {
      const bool is_space = first == '\t' || first == '\n';
      if (is_space && keep_lines) {
        clean += text[0];
      } else if (is_space) {
        clean += ' ';
      } else if (first != '\r' || text.size() < 2 || text[1] != '\n') {
        clean += fmt::format("\\x{:02x}", first);
      }
    } else if (ObeyedBytes(text) != 0) {
      const char32_t point = PointOf(text, bytes);
      clean +=
          point < 0xA0 ? fmt::format("\\x{:02x}", static_cast<uint32_t>(point)) : Escaped(point);
    } else {
      clean += text.substr(0, bytes);
    }
    text.remove_prefix(bytes == 0 ? 1 : bytes);
  }
  return clean;
}

std::string CleanJson(std::string_view json) {
  return CleanDocument(json, Escaped);
}

std::string CleanXml(std::string_view xml) {
  return CleanDocument(
      xml, [](char32_t point) { return fmt::format("&#x{:x};", static_cast<uint32_t>(point)); });
}

std::string Inline(const Value& value) {
  return value.is_string() ? Clean(value.as_string()) : CleanJson(ToJson(value));
}

std::string Count(uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string Duration(int64_t microseconds) {
  const int64_t seconds = microseconds / 1'000'000;
  if (microseconds < 1'000) return fmt::format("{} µs", microseconds);
  if (microseconds < 1'000'000) return fmt::format("{} ms", microseconds / 1'000);
  if (seconds < 60) return fmt::format("{:.2f} s", static_cast<double>(microseconds) / 1e6);
  if (seconds < 3'600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  return fmt::format("{} h {} min", seconds / 3'600, seconds / 60 % 60);
}

std::string Time(TimeUs time) {
  if (!time) return "-";
  const auto moment =
      std::chrono::sys_time<std::chrono::microseconds>(std::chrono::microseconds(time.value));
  const auto day = std::chrono::floor<std::chrono::days>(moment);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::milliseconds>(moment - day));
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

size_t Width(std::string_view text) {
  const Columns columns;
  size_t width = 0;
  while (!text.empty()) width += columns.Take(text);
  return width;
}

std::string Cut(std::string_view text, size_t width) {
  if (Width(text) <= width) return std::string(text);
  if (width == 0) return "";
  const Columns columns;
  std::string_view rest = text;
  // The last column is the ellipsis's.
  for (size_t used = 0; !rest.empty();) {
    std::string_view behind = rest;
    used += columns.Take(behind);
    if (used > width - 1) break;
    rest = behind;
  }
  return std::string(text.substr(0, text.size() - rest.size())) + "…";
}

std::string CutJson(const Value& value, size_t width) {
  std::string text;
  // A column's character has four bytes at most.
  if (!WriteBeginning(value, width * 4, text)) text += "…";
  return Cut(CleanJson(text), width);
}

std::string Pad(std::string text, size_t width) {
  const size_t has = Width(text);
  if (has < width) text.append(width - has, ' ');
  return text;
}

}  // namespace stele::cli
