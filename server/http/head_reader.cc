#include "server/http/head_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "server/http/headers.h"
#include "server/http/limits.h"
#include "server/http/octets.h"

namespace stele::server::http {
namespace {

constexpr size_t kShownBytes = 40;

std::optional<FramingFault> Refused(int status, ErrorCode code, std::string message) {
  return FramingFault{.status = status, .error = {code, std::move(message)}};
}

// Bytes that a client sent, for a sentence.
std::string Shown(std::string_view text) {
  std::string shown;
  for (const char c : text.substr(0, kShownBytes)) shown += c >= 0x20 && c < 0x7F ? c : '?';
  return shown;
}

// uri-host [ ":" port ]; an empty one is of no host.
bool IsHost(std::string_view host) {
  if (host.starts_with('[')) {
    const size_t end = host.find(']');
    if (end == std::string_view::npos || end == 1) return false;
    const std::string_view address = host.substr(1, end - 1);
    if (!std::ranges::all_of(address, IsHostOctet)) return false;
    host.remove_prefix(end + 1);
    if (!host.empty() && host[0] != ':') return false;
  }
  const size_t colon = std::min(host.find(':'), host.size());
  const std::string_view port = host.substr(std::min(colon + 1, host.size()));
  return std::ranges::all_of(host.substr(0, colon), IsHostOctet) &&
         std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<std::string_view> AuthorityOf(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!EqualIgnoringCase(target.substr(0, scheme.size()), scheme)) continue;
    target.remove_prefix(scheme.size());
    return target.substr(0, target.find_first_of("/?#"));
  }
  return std::nullopt;
}

}  // namespace

std::optional<FramingFault> Malformed(std::string message) {
  return Refused(400, ErrorCode::kBadRequest, std::move(message));
}

std::optional<FramingFault> CheckFieldLine(std::string_view line) {
  const size_t colon = line.find(':');
  if (line.starts_with(' ') || line.starts_with('\t'))
    return Malformed("Expected a field on one line but found one that is folded over two");
  if (colon == std::string_view::npos || !IsFieldName(line.substr(0, colon)))
    return Malformed(fmt::format(
        "Expected the name of a field and a colon right behind it but found \"{}\"", Shown(line)));
  if (!IsFieldValue(line.substr(colon + 1)))
    return Malformed(fmt::format("Expected no control characters in the field {} but found one",
                                 line.substr(0, colon)));
  return std::nullopt;
}

std::optional<FramingFault> HeadReader::ReadLine(std::span<char> line) {
  const std::string_view text(line.data(), line.size());
  if (lines_++ == 0) return ReadRequestLine(text);
  if (lines_ > kMaxFields + 1)
    return Refused(431, ErrorCode::kLimitExceeded,
                   fmt::format("Expected at most {} fields but found more", kMaxFields));
  if (auto fault = CheckFieldLine(text)) return fault;
  const size_t colon = text.find(':');
  const size_t end = text.find_last_not_of(" \t") + 1;
  if (end < text.size() && end > colon + 1) {
    const auto value = line.subspan(colon + 1);
    std::rotate(value.begin(), value.begin() + static_cast<ptrdiff_t>(end - colon - 1),
                value.end());
  }
  return ReadField(text.substr(0, colon), Trim(text.substr(colon + 1)));
}

std::optional<FramingFault> HeadReader::ReadRequestLine(std::string_view line) {
  const size_t first = line.find(' '), last = line.rfind(' ');
  if (first == std::string_view::npos || first == last)
    return Malformed(fmt::format(
        "Expected a method, a target and a version, with a blank between each two, but found "
        "\"{}\"",
        Shown(line)));
  const std::string_view method = line.substr(0, first), version = line.substr(last + 1);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (!IsFieldName(method))
    return Malformed(fmt::format("Expected a method but found \"{}\"", Shown(method)));
  if (target.size() > kMaxTargetBytes)
    return Refused(414, ErrorCode::kLimitExceeded,
                   fmt::format("Expected a request target of at most {} bytes but found {}",
                               kMaxTargetBytes, target.size()));
  if (target.empty() || !std::ranges::all_of(target, IsTargetOctet))
    return Malformed(
        "Expected a request target of visible ASCII, and other bytes written as %XX, but found "
        "others");
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (version.size() != 8 || !version.starts_with("HTTP/") || !is_digit(version[5]) ||
      version[6] != '.' || !is_digit(version[7]))
    return Malformed(fmt::format("Expected the version HTTP/1.1 but found \"{}\"", Shown(version)));
  if (version[5] != '1')
    return Refused(505, ErrorCode::kUnsupported,
                   fmt::format("Expected the version HTTP/1.1 but found {}", version));
  facts_.is_1_0 = version[7] == '0';
  facts_.close = facts_.is_1_0;
  if (const auto authority = AuthorityOf(target)) authority_.emplace(*authority);
  return std::nullopt;
}

std::optional<FramingFault> HeadReader::ReadField(std::string_view name, std::string_view value) {
  if (EqualIgnoringCase(name, "Host")) return ReadHost(value);
  if (EqualIgnoringCase(name, "Content-Length")) return ReadLength(value);
  if (EqualIgnoringCase(name, "Transfer-Encoding")) return ReadCoding(value);
  if (EqualIgnoringCase(name, "Connection"))
    for (const std::string_view option : SplitList(value))
      facts_.close |= EqualIgnoringCase(option, "close");
  return std::nullopt;
}

std::optional<FramingFault> HeadReader::ReadHost(std::string_view value) {
  if (has_host_) return Malformed("Expected one field Host but found two");
  has_host_ = true;
  if (!IsHost(value))
    return Malformed(
        fmt::format("Expected a host in the field Host but found \"{}\"", Shown(value)));
  if (authority_.has_value()) host_ = value;
  return std::nullopt;
}

std::optional<FramingFault> HeadReader::ReadLength(std::string_view value) {
  if (has_length_) return Malformed("Expected one field Content-Length but found two");
  has_length_ = true;
  if (value.empty()) return Malformed("Expected a number as Content-Length but found none");
  constexpr uint64_t kMost = std::numeric_limits<int64_t>::max();
  for (const char c : value) {
    if (c < '0' || c > '9')
      return Malformed(
          fmt::format("Expected a number as Content-Length but found \"{}\"", Shown(value)));
    if (facts_.length > (kMost - 9) / 10)
      return Refused(
          413, ErrorCode::kLimitExceeded,
          fmt::format("Expected a Content-Length below {} but found \"{}\"", kMost, Shown(value)));
    facts_.length = facts_.length * 10 + static_cast<uint64_t>(c - '0');
  }
  return std::nullopt;
}

std::optional<FramingFault> HeadReader::ReadCoding(std::string_view value) {
  if (has_coding_) return Malformed("Expected one field Transfer-Encoding but found two");
  has_coding_ = true;
  facts_.chunked = EqualIgnoringCase(value, "chunked");
  if (facts_.chunked) return std::nullopt;
  const auto is_other = [](std::string_view coding) {
    return !EqualIgnoringCase(coding, "chunked");
  };
  const std::vector<std::string_view> codings = SplitList(value);
  // Without chunks at last nobody knows where the body ends; the others we do not take off.
  if (codings.size() < 2 || is_other(codings.back()) || !is_other(codings.front()))
    return Malformed(
        fmt::format("Expected chunked as Transfer-Encoding but found \"{}\"", Shown(value)));
  return Refused(
      501, ErrorCode::kUnsupported,
      fmt::format("Expected chunked alone as Transfer-Encoding but found \"{}\"", Shown(value)));
}

std::optional<FramingFault> HeadReader::Finish() {
  if (!has_host_ && !facts_.is_1_0) return Malformed("Expected a field Host but found none");
  // Where two readers may see two bodies, one of them sees a request that nobody sent.
  if (has_length_ && has_coding_)
    return Malformed("Expected either Content-Length or Transfer-Encoding but found both");
  if (has_coding_ && facts_.is_1_0)
    return Malformed("Expected no Transfer-Encoding in HTTP/1.0 but found one");
  if (authority_.has_value() && has_host_ && !EqualIgnoringCase(*authority_, host_))
    return Malformed(
        fmt::format("Expected the field Host to be \"{}\", as the target has it, but "
                    "found \"{}\"",
                    Shown(*authority_), Shown(host_)));
  return std::nullopt;
}

}  // namespace stele::server::http
