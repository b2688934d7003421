#include "projections/page_cursor.h"

#include <fmt/format.h>

#include <optional>

#include "projections/keys.h"

namespace stele::projections {

namespace {

constexpr char kVersion = 2;

// FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/
uint64_t Digest(std::string_view bytes) {
  uint64_t hash = 0xCBF29CE484222325;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return hash;
}

std::string Hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

std::optional<std::string> Unhex(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (size_t i = 0; i < text.size(); i += 2) {
    const size_t high = kDigits.find(text[i]);
    const size_t low = kDigits.find(text[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    bytes.push_back(static_cast<char>(high << 4 | low));
  }
  return bytes;
}

}  // namespace

std::string WriteCursor(const PageCursor& cursor, std::string_view search) {
  KeyWriter writer(kVersion);
  writer.Number(Digest(search))
      .Number(static_cast<uint64_t>(cursor.now.value))
      .Byte(cursor.behind ? 1 : 0)
      .Raw(cursor.place);
  const std::string bytes = writer.Take();
  return Hex(bytes) + fmt::format("{:016x}", Digest(bytes));
}

Result<PageCursor> ReadCursor(std::string_view text, std::string_view search) {
  const size_t size = text.size() < 16 ? 0 : text.size() - 16;
  const std::optional<std::string> bytes = Unhex(text.substr(0, size));
  KeyReader reader(bytes.has_value() ? *bytes : std::string_view());
  const bool known = reader.Byte() == kVersion;
  const uint64_t of = reader.Number();
  PageCursor cursor;
  cursor.now = TimeUs(static_cast<int64_t>(reader.Number()));
  cursor.behind = reader.Byte() != 0;
  cursor.place = reader.rest();
  if (!bytes.has_value() || !known || !reader.ok() ||
      text.substr(size) != fmt::format("{:016x}", Digest(*bytes)))
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("Expected a cursor as the page before gave it but found {} characters "
                            "that are none",
                            text.size()));
  if (of != Digest(search))
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("Expected a cursor of the search {} but found one of another query, "
                            "sort, moment or table",
                            search));
  return cursor;
}

}  // namespace stele::projections
