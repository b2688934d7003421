// A line that is typed: its text, where the next character goes, and the lines before it.
//
// Thread: that of the screen.
#pragma once

#include <string>
#include <vector>

#include "cli/debug/screen.h"

namespace stele::cli {

class Prompt {
 public:
  enum class Outcome : uint8_t { kGoesOn, kDone, kCancelled };

  void Begin(std::string text);
  Outcome Take(const Key& key);
  const std::string& text() const { return text_; }
  // What is shown of a text that may be longer than its place: the beginning is left out, so far
  // that the next character's column is among them.
  struct Shown {
    std::string text;
    size_t place = 0;  // columns before the next character
  };
  Shown ShownIn(size_t columns) const;

 private:
  void EraseBefore();
  void ToEarlier(bool earlier);

  std::string text_;
  size_t at_ = 0;  // in bytes, between two characters
  std::vector<std::string> earlier_;
  size_t shown_ = 0;  // which of them; their number: none
};

}  // namespace stele::cli
