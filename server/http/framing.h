// Where the requests of a connection begin and end (RFC 9112), for readers who do not look for
// themselves: what is passed on is framed in the one way that nobody can read otherwise. Bytes in,
// steps out; no stream, no clock, nothing kept of what was passed.
//
// Heads are passed on whole, when all of them is known to be right. A body with a length goes as it
// is; chunks lose their extensions, and the end of the last one comes when the trailer, which is
// dropped, was read. How the input is cut makes no difference to what is passed on or refused.
//
// Thread: any, one object on one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "server/http/head_reader.h"

namespace stele::server::http {

class Framing {
 public:
  struct Step {
    size_t drop = 0;           // bytes at the front of the input that are done with
    std::string_view instead;  // what is passed on for them; stays until the next call
    uint64_t pass = 0;  // so many bytes behind them are passed on as they are, come or yet to come
  };

  // What to do with the input: everything that has come and was neither dropped nor passed on.
  // Nothing when that is too little to tell, or there is a fault, which ends everything. Blanks
  // within a head may be moved (HeadReader).
  std::optional<Step> Next(std::span<char> input);
  // The input ends behind these bytes, of which nothing can be told.
  void End(std::span<const char> input);

  // No request is being read, but for what its bytes of `pass` are.
  bool between() const { return state_ == State::kHead; }
  // Of the request whose head was passed on last.
  const HeadReader::Facts& facts() const { return head_.facts(); }
  const std::optional<FramingFault>& fault() const { return fault_; }

 private:
  enum class State { kHead, kChunk, kChunkEnd, kTrailer };

  std::optional<Step> NextOfHead(std::span<char> input);
  std::optional<Step> NextChunk(std::string_view input);
  std::optional<Step> NextChunkEnd(std::string_view input);
  std::optional<Step> NextOfTrailer(std::string_view input);
  std::optional<Step> HeadIsWhole();
  struct Bound {
    int status;
    std::string_view what;
    size_t most;
  };
  // A line without its CRLF, with which it is within what is left of the bound; otherwise nothing,
  // and perhaps a fault.
  std::optional<std::string_view> Line(std::string_view input, const Bound& bound, size_t used);
  std::nullopt_t RefuseTooLarge(const Bound& bound);
  std::nullopt_t Refuse(FramingFault fault);

  State state_ = State::kHead;
  std::optional<FramingFault> fault_;
  HeadReader head_;
  bool head_begins_ = true;  // the reader has the facts of the request before
  bool blank_line_ = false;  // stands before the head
  size_t read_ = 0;          // bytes of the head whose lines are judged
  size_t searched_ = 0;      // bytes that hold no further end of a line
  size_t extension_bytes_ = 0;
  size_t trailer_bytes_ = 0;
  std::array<char, 20> size_line_{};
};

}  // namespace stele::server::http
