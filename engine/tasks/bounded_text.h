// A text of unknown length kept within a limit: the beginning and the end stay, a line says how
// much of the middle is missing.
#pragma once

#include <string>
#include <string_view>

namespace stele::tasks {

class BoundedText {
 public:
  // `limit` is in bytes, without the line about the gap.
  explicit BoundedText(size_t limit) : head_limit_(limit / 2), tail_limit_(limit - limit / 2) {}

  void Append(std::string_view piece);
  bool truncated() const { return left_out() > 0; }
  // Characters of UTF-8 are not cut in two at the gap.
  std::string ToString() const;

 private:
  size_t left_out() const;

  size_t head_limit_;
  size_t tail_limit_;
  size_t dropped_ = 0;  // bytes that are in neither
  std::string head_;
  std::string tail_;  // up to twice its limit, so that trimming is rare
};

std::string KeepEnds(std::string_view text, size_t limit);
// The last `limit` bytes, from the beginning of a character on.
std::string_view Tail(std::string_view text, size_t limit);
// The first `limit` bytes, to the end of a character.
std::string_view Head(std::string_view text, size_t limit);

// UTF-8 as RFC 3629 has it.
bool IsUtf8(std::string_view text);

}  // namespace stele::tasks
