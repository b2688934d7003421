#include "cli/debug/prompt.h"

#include "cli/text.h"

namespace stele::cli {

namespace {

constexpr size_t kMostKept = 100;
constexpr std::string_view kControlU = "\x15";
constexpr std::string_view kControlC = "\x03";

bool ContinuesCharacter(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

}  // namespace

void Prompt::Begin(std::string text) {
  text_ = std::move(text);
  at_ = text_.size();
  shown_ = earlier_.size();
}

Prompt::Shown Prompt::ShownIn(size_t columns) const {
  const std::string_view text = text_;
  size_t begin = at_;
  size_t place = 0;
  while (begin > 0) {
    size_t before = begin - 1;
    while (before > 0 && ContinuesCharacter(text[before])) --before;
    const size_t width = place + Width(text.substr(before, begin - before));
    if (width >= columns) break;
    begin = before;
    place = width;
  }
  return {text_.substr(begin), place};
}

void Prompt::EraseBefore() {
  const size_t end = at_;
  while (at_ > 0 && ContinuesCharacter(text_[--at_])) {
  }
  text_.erase(at_, end - at_);
}

void Prompt::ToEarlier(bool earlier) {
  if (earlier ? shown_ == 0 : shown_ >= earlier_.size()) return;
  shown_ += earlier ? -1 : 1;
  text_ = shown_ < earlier_.size() ? earlier_[shown_] : "";
  at_ = text_.size();
}

Prompt::Outcome Prompt::Take(const Key& key) {
  switch (key.code) {
    case Key::Code::kEnter:
      if (!text_.empty()) earlier_.push_back(text_);
      if (earlier_.size() > kMostKept) earlier_.erase(earlier_.begin());
      return Outcome::kDone;
    case Key::Code::kEscape:
      return Outcome::kCancelled;
    case Key::Code::kBackspace:
      if (text_.empty()) return Outcome::kCancelled;
      EraseBefore();
      break;
    case Key::Code::kCharacter:
      if (key.character == kControlC) return Outcome::kCancelled;
      if (key.character == kControlU) {
        Begin("");
      } else if (static_cast<unsigned char>(key.character[0]) >= ' ') {
        text_.insert(at_, key.character);
        at_ += key.character.size();
      }
      break;
    case Key::Code::kLeft:
      while (at_ > 0 && ContinuesCharacter(text_[--at_])) {
      }
      break;
    case Key::Code::kRight:
      while (at_ < text_.size() && ++at_ < text_.size() && ContinuesCharacter(text_[at_])) {
      }
      break;
    case Key::Code::kHome:
      at_ = 0;
      break;
    case Key::Code::kEnd:
      at_ = text_.size();
      break;
    case Key::Code::kUp:
    case Key::Code::kDown:
      ToEarlier(key.code == Key::Code::kUp);
      break;
    case Key::Code::kNone:
    case Key::Code::kGone:
    case Key::Code::kTab:
    case Key::Code::kBackTab:
    case Key::Code::kPageUp:
    case Key::Code::kPageDown:
    case Key::Code::kResized:
    case Key::Code::kOther:
      break;
  }
  return Outcome::kGoesOn;
}

}  // namespace stele::cli
