#include "server/http/target.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"
#include "server/http/limits.h"

namespace stele::server::http {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsControl(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

std::unexpected<Error> Bad(std::string sentence) {
  return Fail(ErrorCode::kBadRequest, std::move(sentence));
}

// The raw text is printable ASCII by now, so it can stand in a message.
Result<std::string> ReadSegment(std::string_view raw) {
  Result<std::string> segment = PercentDecode(raw, false);
  if (!segment.has_value()) return segment;
  if (*segment == "." || *segment == "..")
    return Bad(fmt::format("Expected no \".\" or \"..\" in a path but found \"{}\"", raw));
  if (segment->find_first_of("/\\") != std::string::npos)
    return Bad(fmt::format("Expected no slash within a segment but found \"{}\"", raw));
  if (std::ranges::any_of(*segment, IsControl))
    return Bad(fmt::format("Expected no control characters in a path but found \"{}\"", raw));
  if (!IsUtf8(*segment))
    return Bad(fmt::format("Expected UTF-8 in a path but found other bytes in \"{}\"", raw));
  return segment;
}

Status ReadPath(std::string_view path, Target& target) {
  target.path = path;
  path.remove_prefix(1);
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    if (slash == 0) return Bad("Expected no empty segment in a path but found \"//\"");
    if (target.segments.size() == kMaxSegments)
      return Bad(
          fmt::format("Expected at most {} segments in a path but found more", kMaxSegments));
    Result<std::string> segment = ReadSegment(path.substr(0, slash));
    if (!segment.has_value()) return std::unexpected(std::move(segment).error());
    target.segments.push_back(*std::move(segment));
    target.slash_at_end = slash + 1 == path.size();
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return {};
}

Result<std::string> ReadQueryText(std::string_view raw) {
  Result<std::string> text = PercentDecode(raw, true);
  if (!text.has_value()) return text;
  if (!IsUtf8(*text))
    return Bad(fmt::format("Expected UTF-8 in a query but found other bytes in \"{}\"", raw));
  if (text->contains('\0'))
    return Bad(fmt::format("Expected no NUL in a query but found \"{}\"", raw));
  return text;
}

Status ReadQuery(std::string_view query, Target& target) {
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view part = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (part.empty()) continue;
    if (target.query.size() == kMaxQueryParameters)
      return Bad(
          fmt::format("Expected at most {} query parameters but found more", kMaxQueryParameters));
    const size_t equals = std::min(part.find('='), part.size());
    Result<std::string> name = ReadQueryText(part.substr(0, equals));
    if (!name.has_value()) return std::unexpected(std::move(name).error());
    Result<std::string> value = ReadQueryText(part.substr(std::min(equals + 1, part.size())));
    if (!value.has_value()) return std::unexpected(std::move(value).error());
    if (name->empty())
      return Bad(fmt::format("Expected a name of a query parameter but found \"{}\"", part));
    target.query.emplace_back(*std::move(name), *std::move(value));
  }
  return {};
}

// Of "http://host:1/path" the path; the origin form as it is.
std::string_view WithoutAuthority(std::string_view raw) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!raw.starts_with(scheme)) continue;
    const size_t end = raw.find_first_of("/?", scheme.size());
    return end == std::string_view::npos ? "/" : raw.substr(end);
  }
  return raw;
}

}  // namespace

Result<std::string> PercentDecode(std::string_view text, bool plus_is_blank) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
      if (high < 0 || low < 0)
        return Bad(
            fmt::format("Expected two hexadecimal digits behind a percent sign but found "
                        "\"{}\"",
                        text.substr(i, 3)));
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += plus_is_blank && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

Result<Target> ParseTarget(std::string_view raw) {
  if (raw.size() > kMaxTargetBytes)
    return Bad(fmt::format("Expected a request target of at most {} bytes but found {}",
                           kMaxTargetBytes, raw.size()));
  const auto odd = std::ranges::find_if(
      raw, [](char c) { return c <= 0x20 || c == 0x7F || static_cast<unsigned char>(c) >= 0x80; });
  if (odd != raw.end())
    return Bad(
        fmt::format("Expected other bytes than visible ASCII to be written as %XX in a "
                    "request target but found the byte 0x{:02X}",
                    static_cast<unsigned char>(*odd)));
  const std::string_view origin = WithoutAuthority(raw);
  if (!origin.starts_with('/'))
    return Bad(fmt::format("Expected a path that begins with a slash but found \"{}\"",
                           origin.substr(0, 40)));
  if (origin.contains('#')) return Bad("Expected no fragment in a request target but found \"#\"");
  Target target;
  const size_t mark = std::min(origin.find('?'), origin.size());
  STELE_RETURN_IF_ERROR(ReadPath(origin.substr(0, mark), target));
  STELE_RETURN_IF_ERROR(ReadQuery(origin.substr(std::min(mark + 1, origin.size())), target));
  return target;
}

}  // namespace stele::server::http
