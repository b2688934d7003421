#include "server/http/framing.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "server/http/headers.h"
#include "server/http/limits.h"

namespace stele::server::http {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace

std::nullopt_t Framing::Refuse(FramingFault fault) {
  fault_.emplace(std::move(fault));
  return std::nullopt;
}

std::optional<Framing::Step> Framing::Next(std::span<char> input) {
  if (fault_.has_value() || input.empty()) return std::nullopt;
  const std::string_view text(input.data(), input.size());
  switch (state_) {
    case State::kHead:
      return NextOfHead(input);
    case State::kChunk:
      return NextChunk(text);
    case State::kChunkEnd:
      return NextChunkEnd(text);
    case State::kTrailer:
      return NextOfTrailer(text);
  }
  __builtin_unreachable();
}

void Framing::End(std::span<const char> input) {
  if (!fault_.has_value() && between() && !input.empty())
    Refuse(*Malformed("Expected a whole head but found the end within it"));
}

std::nullopt_t Framing::RefuseTooLarge(const Bound& bound) {
  return Refuse({.status = bound.status,
                 .error = {ErrorCode::kLimitExceeded,
                           fmt::format("Expected {} of at most {} bytes but found more", bound.what,
                                       bound.most)}});
}

std::optional<std::string_view> Framing::Line(std::string_view input, const Bound& bound,
                                              size_t used) {
  const std::string_view within = input.substr(0, bound.most - used);
  const size_t end = within.find('\n', searched_);
  if (end == std::string_view::npos) {
    if (within.size() == bound.most - used) return RefuseTooLarge(bound);
    searched_ = within.size();
    return std::nullopt;
  }
  searched_ = 0;
  if (end == 0 || within[end - 1] != '\r')
    return Refuse(*Malformed("Expected CR and LF at the end of a line but found LF alone"));
  return within.substr(0, end - 1);
}

std::optional<Framing::Step> Framing::NextOfHead(std::span<char> input) {
  if (std::exchange(head_begins_, false)) head_ = HeadReader();
  constexpr Bound kRequestLine = {414, "a request line", kMaxRequestLineBytes};
  constexpr Bound kHead = {431, "a head", kMaxHeadBytes};
  while (true) {
    const std::string_view rest(input.data() + read_, input.size() - read_);
    const bool first = head_.at_request_line();
    const auto line = first ? Line(rest, kRequestLine, 0) : Line(rest, kHead, read_);
    if (!line.has_value()) return std::nullopt;
    const size_t begin = std::exchange(read_, read_ + line->size() + kLineEnd.size());
    if (line->empty() && !first) return HeadIsWhole();
    // One empty line before a head is forgiven (RFC 9112 2.2).
    if (line->empty() && !std::exchange(blank_line_, true)) continue;
    if (auto fault = head_.ReadLine(input.subspan(begin, line->size()))) return Refuse(*fault);
  }
}

std::optional<Framing::Step> Framing::HeadIsWhole() {
  if (auto fault = head_.Finish()) return Refuse(*fault);
  const size_t drop = std::exchange(blank_line_, false) ? kLineEnd.size() : 0;
  const size_t size = std::exchange(read_, 0) - drop;
  head_begins_ = true;
  if (facts().chunked) state_ = State::kChunk;
  extension_bytes_ = 0;
  trailer_bytes_ = 0;
  return Step{.drop = drop, .instead = {}, .pass = size + facts().length};
}

std::optional<Framing::Step> Framing::NextChunk(std::string_view input) {
  const auto line = Line(input, {400, "a chunk's first line", kMaxChunkLineBytes}, 0);
  if (!line.has_value()) return std::nullopt;
  int64_t size = 0;
  const char* const end = line->data() + line->size();
  const auto [behind, error] = std::from_chars(line->data(), end, size, 16);
  if (error == std::errc::result_out_of_range)
    return Refuse({.status = 413,
                   .error = {ErrorCode::kLimitExceeded,
                             "Expected the size of a chunk in 63 bits but found a larger one"}});
  const std::string_view extension(behind, end);
  if (error != std::errc() || line->starts_with('-') ||
      (!extension.empty() && !Trim(extension).starts_with(';')))
    return Refuse(*Malformed("Expected the size of a chunk in hexadecimal but found other bytes"));
  if (!IsFieldValue(extension))
    return Refuse(
        *Malformed("Expected no control characters behind the size of a chunk but found one"));
  extension_bytes_ += extension.size();
  if (extension_bytes_ > kMaxExtensionBytes)
    return RefuseTooLarge({400, "extensions of chunks", kMaxExtensionBytes});
  const size_t drop = line->size() + kLineEnd.size();
  if (size == 0) {
    state_ = State::kTrailer;
    return Step{.drop = drop};
  }
  state_ = State::kChunkEnd;
  char* out = std::to_chars(size_line_.begin(), size_line_.end(), size, 16).ptr;
  out = std::ranges::copy(kLineEnd, out).out;
  return Step{
      .drop = drop, .instead = {size_line_.data(), out}, .pass = static_cast<uint64_t>(size)};
}

std::optional<Framing::Step> Framing::NextChunkEnd(std::string_view input) {
  if (!kLineEnd.starts_with(input.substr(0, kLineEnd.size())))
    return Refuse(*Malformed("Expected CR and LF behind a chunk but found other bytes"));
  if (input.size() < kLineEnd.size()) return std::nullopt;
  state_ = State::kChunk;
  return Step{.drop = kLineEnd.size(), .instead = kLineEnd};
}

std::optional<Framing::Step> Framing::NextOfTrailer(std::string_view input) {
  const auto line = Line(input, {431, "a trailer", kMaxTrailerBytes}, trailer_bytes_);
  if (!line.has_value()) return std::nullopt;
  const size_t drop = line->size() + kLineEnd.size();
  trailer_bytes_ += drop;
  if (line->empty()) {
    state_ = State::kHead;
    return Step{.drop = drop, .instead = kLastChunk};
  }
  if (auto fault = CheckFieldLine(*line)) return Refuse(*fault);
  return Step{.drop = drop};
}

}  // namespace stele::server::http
