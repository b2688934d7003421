// JSON text walked over where it stands, without making values of it: json.cc finds with it where a
// text stops being JSON, exports take texts apart that must stay as they are byte for byte.
//
// Every step says false at the first byte that is no JSON (RFC 8259), and stands there. Whether
// bytes beyond ASCII are UTF-8 is not looked at.
//
// Thread: one at a time.
#pragma once

#include <cstddef>
#include <string_view>

namespace stele {

class JsonScanner {
 public:
  // `depth`: how many arrays and objects may be in each other. REQUIRES: the text outlives it.
  JsonScanner(std::string_view text, size_t depth) : text_(text), max_depth_(depth) {}

  size_t at() const { return at_; }
  bool AtEnd() const { return at_ == text_.size(); }
  // A value stopped where another array or object began than may be there.
  bool too_deep() const { return too_deep_; }

  void SkipSpace() {
    while (!AtEnd() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r' || text_[at_] == '\n'))
      ++at_;
  }
  bool Eat(char c) {
    if (AtEnd() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool String();
  // `around`: how many arrays and objects it stands in already.
  bool Value(size_t around = 0);

 private:
  bool Word(std::string_view word);
  bool Escape();
  bool Digits();
  bool Number();
  bool Sequence(char close, bool keyed, size_t around);

  const std::string_view text_;
  const size_t max_depth_;
  size_t at_ = 0;
  bool too_deep_ = false;
};

}  // namespace stele
