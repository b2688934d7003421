// The lines of a request's head, judged strictly (RFC 9112 2 to 6): what they say of how the
// request is framed, or what is wrong with them.
//
// Thread: any, one object on one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace stele::server::http {

// Why a request is not taken, and the status that says so.
struct FramingFault {
  int status = 400;
  Error error;
};

std::optional<FramingFault> Malformed(std::string message);

// A line of a head or trailer: a name, a colon right behind it, a value without control characters.
std::optional<FramingFault> CheckFieldLine(std::string_view line);

class HeadReader {
 public:
  struct Facts {
    bool is_1_0 = false;
    bool close = false;  // the connection is to end behind this request
    bool chunked = false;
    uint64_t length = 0;  // of a body that is not in chunks
  };

  // Lines come without their CRLF, the request line first. Blanks behind a value are moved before
  // it, where kj skips them: it takes those behind for a part of the value.
  std::optional<FramingFault> ReadLine(std::span<char> line);
  // The head is whole: what only all its lines tell.
  std::optional<FramingFault> Finish();
  // REQUIRES: Finish found no fault.
  const Facts& facts() const { return facts_; }
  bool at_request_line() const { return lines_ == 0; }

 private:
  std::optional<FramingFault> ReadRequestLine(std::string_view line);
  std::optional<FramingFault> ReadField(std::string_view name, std::string_view value);
  std::optional<FramingFault> ReadHost(std::string_view value);
  std::optional<FramingFault> ReadLength(std::string_view value);
  std::optional<FramingFault> ReadCoding(std::string_view value);

  Facts facts_;
  size_t lines_ = 0;
  bool has_host_ = false;
  bool has_length_ = false;
  bool has_coding_ = false;
  // Of a target in absolute form, which says by itself whom it is for.
  std::optional<std::string> authority_;
  std::string host_;  // kept where there is such a target
};

}  // namespace stele::server::http
