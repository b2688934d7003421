#include "engine/tasks/line_buffer.h"

#include <utility>

namespace stele::tasks {

LineBuffer::Found LineBuffer::Take(std::string_view& bytes, std::string& line) {
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    const bool fits = line_.size() + piece.size() <= max_bytes_;
    if (!skips_ && fits) line_ += piece;
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
    const bool ended = end != std::string_view::npos;
    if (!skips_ && !fits) {
      line_ = {};
      ++number_;
      skips_ = !ended;
      return Found::kTooLong;
    }
    if (!ended) return Found::kNothing;
    if (std::exchange(skips_, false)) continue;
    ++number_;
    line = std::exchange(line_, {});
    return Found::kLine;
  }
  return Found::kNothing;
}

std::string LineBuffer::TakeRest() {
  skips_ = false;
  return std::exchange(line_, {});
}

}  // namespace stele::tasks
