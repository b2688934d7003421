#include "engine/tasks/bounded_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace stele::tasks {
namespace {

bool IsContinuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// The length of the sequence that starts with `lead`, and the bounds of its second byte; 0 when no
// sequence starts so.
size_t SequenceLength(unsigned char lead, unsigned char* low, unsigned char* high) {
  *low = 0x80;
  *high = 0xBF;
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (lead == 0xE0) *low = 0xA0;
    if (lead == 0xED) *high = 0x9F;
    return 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (lead == 0xF0) *low = 0x90;
    if (lead == 0xF4) *high = 0x8F;
    return 4;
  }
  return 0;
}

}  // namespace

void BoundedText::Append(std::string_view piece) {
  size_t to_head = std::min(piece.size(), head_limit_ - head_.size());
  head_ += piece.substr(0, to_head);
  tail_ += piece.substr(to_head);
  if (tail_.size() > 2 * tail_limit_) {
    size_t surplus = tail_.size() - tail_limit_;
    tail_.erase(0, surplus);
    dropped_ += surplus;
  }
}

size_t BoundedText::left_out() const {
  return dropped_ + (tail_.size() > tail_limit_ ? tail_.size() - tail_limit_ : 0);
}

std::string BoundedText::ToString() const {
  if (!truncated()) return head_ + tail_;
  return fmt::format("{}\n[… {} bytes left out …]\n{}", Head(head_, head_limit_), left_out(),
                     Tail(tail_, tail_limit_));
}

std::string KeepEnds(std::string_view text, size_t limit) {
  BoundedText bounded(limit);
  bounded.Append(text);
  return bounded.ToString();
}

std::string_view Tail(std::string_view text, size_t limit) {
  if (text.size() <= limit) {
    limit = text.size();
  }
  std::string_view tail = text.substr(text.size() - limit);
  for (int i = 0; i < 3 && !tail.empty() && IsContinuation(tail.front()); ++i) {
    tail.remove_prefix(1);
  }
  return tail;
}

std::string_view Head(std::string_view text, size_t limit) {
  std::string_view head = text.substr(0, limit);
  size_t lead = head.size();
  for (int i = 0; i < 4 && lead > 0; ++i) {
    --lead;
    if (!IsContinuation(head[lead])) break;
  }
  if (head.empty()) return head;
  unsigned char low = 0;
  unsigned char high = 0;
  size_t length = SequenceLength(static_cast<unsigned char>(head[lead]), &low, &high);
  return length > head.size() - lead ? head.substr(0, lead) : head;
}

bool IsUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    unsigned char low = 0;
    unsigned char high = 0;
    size_t length = SequenceLength(static_cast<unsigned char>(text[i]), &low, &high);
    if (length == 0 || length > text.size() - i) return false;
    if (length > 1) {
      auto second = static_cast<unsigned char>(text[i + 1]);
      if (second < low || second > high) return false;
    }
    for (size_t j = 2; j < length; ++j) {
      if (!IsContinuation(text[i + j])) return false;
    }
    i += length;
  }
  return true;
}

}  // namespace stele::tasks
