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
  // Columns before the place of the next character.
  size_t place() const;

 private:
  void EraseBefore();
  void ToEarlier(bool earlier);

  std::string text_;
  size_t at_ = 0;  // in bytes, between two characters
  std::vector<std::string> earlier_;
  size_t shown_ = 0;  // which of them; their number: none
};

}  // namespace stele::cli
