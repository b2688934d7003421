#include "engine/tasks/event_stream.h"

#include <algorithm>
#include <utility>

namespace stele::tasks {

bool EventStream::Push(std::string_view piece, std::vector<std::string>& events) {
  while (!piece.empty()) {
    if (std::exchange(after_return_, false) && piece[0] == '\n') {
      piece.remove_prefix(1);
      continue;
    }
    size_t end = std::min(piece.find_first_of("\r\n"), piece.size());
    if (line_.size() + data_.size() + end > limit_) return false;
    line_ += piece.substr(0, end);
    if (end == piece.size()) return true;
    after_return_ = piece[end] == '\r';
    piece.remove_prefix(end + 1);
    if (!TakeLine(events)) return false;
  }
  return true;
}

bool EventStream::TakeLine(std::vector<std::string>& events) {
  std::string line = std::exchange(line_, {});
  if (std::exchange(at_start_, false) && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
  if (line.empty()) {
    if (std::exchange(has_data_, false)) events.push_back(std::exchange(data_, {}));
    return true;
  }
  std::string_view field = std::string_view(line).substr(0, line.find(':'));
  if (field != "data") return true;
  std::string_view value = std::string_view(line).substr(std::min(field.size() + 1, line.size()));
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (has_data_) data_ += '\n';
  data_ += value;
  has_data_ = true;
  return data_.size() <= limit_;
}

}  // namespace stele::tasks
