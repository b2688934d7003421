#include "cli/dap/framing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

namespace stele::cli::dap {
namespace {

constexpr std::string_view kLength = "content-length";
constexpr size_t kShownBytes = 60;

std::string Shown(std::string_view text) {
  std::string shown = "\"";
  for (const char c : text.substr(0, kShownBytes))
    shown += std::isprint(static_cast<unsigned char>(c)) != 0 ? c : '?';
  return shown + (text.size() > kShownBytes ? "…\"" : "\"");
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

bool IsLength(std::string_view name) {
  return std::ranges::equal(name, kLength, [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == b;
  });
}

Result<size_t> LengthOf(std::string_view text) {
  size_t length = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (fault != std::errc() || end != text.data() + text.size())
    return Fail(
        ErrorCode::kBadRequest,
        fmt::format("Expected a number of bytes as Content-Length but found {}", Shown(text)));
  if (length > kMaxMessageBytes)
    return Fail(ErrorCode::kLimitExceeded,
                fmt::format("Expected a message of at most {} bytes but found one of {}",
                            kMaxMessageBytes, length));
  return length;
}

// Of the lines before the blank one. Other fields than the length are left alone.
Result<size_t> ParseHeader(std::string_view header) {
  std::optional<size_t> length;
  while (!header.empty()) {
    const size_t end = std::min(header.find('\n'), header.size());
    const std::string_view line = Trimmed(header.substr(0, end));
    header.remove_prefix(std::min(end + 1, header.size()));
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos)
      return Fail(
          ErrorCode::kBadRequest,
          fmt::format("Expected a field as \"Content-Length: 119\" but found {}", Shown(line)));
    if (!IsLength(Trimmed(line.substr(0, colon)))) continue;
    const Result<size_t> given = LengthOf(Trimmed(line.substr(colon + 1)));
    if (!given.has_value()) return given;
    if (length && *length != *given)
      return Fail(ErrorCode::kBadRequest,
                  fmt::format("Expected one Content-Length but found {} and {}", *length, *given));
    length = *given;
  }
  if (!length)
    return Fail(ErrorCode::kBadRequest, "Expected Content-Length in a header but found none");
  return *length;
}

// Where the blank line begins that ends the header, and where what follows it does.
std::optional<std::pair<size_t, size_t>> BlankLine(std::string_view text) {
  for (size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
    const std::string_view rest = text.substr(at + 1);
    if (rest.starts_with('\n')) return std::pair(at, at + 2);
    if (rest.starts_with("\r\n")) return std::pair(at, at + 3);
  }
  return std::nullopt;
}

}  // namespace

Result<bool> Framing::ReadHeader() {
  const std::string_view text = std::string_view(unread_).substr(at_);
  const auto blank = BlankLine(text.substr(0, kMaxHeaderBytes));
  if (!blank && text.size() >= kMaxHeaderBytes)
    return Fail(ErrorCode::kLimitExceeded,
                fmt::format("Expected a header of at most {} bytes but found {}", kMaxHeaderBytes,
                            Shown(text)));
  if (!blank) return false;
  const Result<size_t> length = ParseHeader(text.substr(0, blank->first));
  if (!length.has_value()) return std::unexpected(length.error());
  length_ = *length;
  at_ += blank->second;
  return true;
}

Result<std::optional<std::string>> Framing::Next() {
  if (fault_) return std::unexpected(*fault_);
  if (!length_) {
    const Result<bool> read = ReadHeader();
    if (!read.has_value()) {
      fault_ = read.error();
      return std::unexpected(*fault_);
    }
  }
  if (!length_ || unread_.size() - at_ < *length_) {
    unread_.erase(0, std::exchange(at_, 0));
    return std::nullopt;
  }
  std::string message = unread_.substr(at_, *length_);
  at_ += *length_;
  length_.reset();
  return message;
}

std::string Framed(std::string_view message) {
  return fmt::format("Content-Length: {}\r\n\r\n{}", message.size(), message);
}

}  // namespace stele::cli::dap
