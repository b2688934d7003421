// Lines out of a stream that comes in pieces: what programs say that speak a message a line.
//
// Thread: any, one at a time.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace stele::tasks {

class LineBuffer {
 public:
  enum class Found {
    kNothing,  // all of `bytes` is taken; the line goes on
    kLine,
    kTooLong,  // told once, at the byte that is too many; its rest is passed over
  };

  // `max_bytes`: of a line without its end.
  explicit LineBuffer(size_t max_bytes) : max_bytes_(max_bytes) {}

  // Takes the next line off `bytes`, without its end. Call until it finds nothing.
  Found Take(std::string_view& bytes, std::string& line);
  // What stands behind the last line end, once the stream has ended.
  std::string TakeRest();
  // Of the line that was found last, from 1.
  size_t number() const { return number_; }

 private:
  size_t max_bytes_;
  std::string line_;  // the beginning of one
  size_t number_ = 0;
  bool skips_ = false;  // the rest of a line that is too long
};

}  // namespace stele::tasks
