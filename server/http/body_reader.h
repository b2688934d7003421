// Reads the body of a request, within a bound and a time.
//
// Thread: the connection's.
#pragma once

#include <kj/async-io.h>
#include <kj/timer.h>

#include <expected>
#include <string>

#include "server/http/response.h"

namespace stele::server::http {

// The bytes of bodies that a server holds at once.
class BodyBudget {
 public:
  explicit BodyBudget(size_t most) : left_(most) {}

  // A part of it, given back at its end.
  class Share {
   public:
    explicit Share(BodyBudget& budget) : budget_(budget) {}
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() { budget_.left_ += taken_; }

    // False, and nothing is taken: there is not so much left.
    bool Take(size_t size) {
      if (size > budget_.left_) return false;
      budget_.left_ -= size;
      taken_ += size;
      return true;
    }

   private:
    BodyBudget& budget_;
    size_t taken_ = 0;
  };

 private:
  size_t left_;
};

// The body, or what to answer instead: 413 for more than `most` bytes (before the first is read,
// when the length is known), 503 when the server holds too many bodies (`share`), 408 when it is
// not there in time, 400 for broken chunks. Rejected when the client has gone. REQUIRES: `body` and
// `share` live as long as the promise.
using ReadResult = std::expected<std::string, Response>;
kj::Promise<ReadResult> ReadBody(kj::AsyncInputStream& body, size_t most, BodyBudget::Share& share,
                                 kj::Timer& timer, kj::Duration time);

// The bytes as their Content-Encoding says: unpacked to at most `most` bytes. kUnsupportedMedia for
// another coding than gzip.
Result<std::string> Unpack(std::string body, std::string_view content_encoding, size_t most);

}  // namespace stele::server::http
