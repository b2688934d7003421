// A terminal as a full screen: what ncurses is used for, and nothing else of it gets out.
//
// The terminal is given back as it was found: at the end, when the program is suspended, and by a
// signal that ends it (SIGTERM, SIGINT, SIGHUP, and those of a fault).
//
// Thread: the main one. There is one at a time.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "cli/debug/lines.h"

namespace stele::cli {

struct Key {
  enum class Code : uint8_t {
    kNone,  // the time is over
    kGone,  // the terminal is: no key comes any more
    kCharacter,
    kEnter,
    kEscape,
    kBackspace,
    kTab,
    kBackTab,
    kUp,
    kDown,
    kLeft,
    kRight,
    kPageUp,
    kPageDown,
    kHome,
    kEnd,
    kResized,
    kOther,
  };
  Code code = Code::kNone;
  std::string character;  // kCharacter: in UTF-8
};

class Screen {
 public:
  // kUsage: standard input or output is no terminal, or one that cannot be drawn on.
  static Result<std::unique_ptr<Screen>> Open();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  size_t rows() const;
  size_t columns() const;

  void Clear();
  // A line cut to so many columns; the rest of them is empty. `reversed`: dark and bright are
  // exchanged, over all of the columns.
  void Put(size_t row, size_t column, size_t columns, const Line& line, bool reversed = false);
  // Shows what was put; the cursor stands there, or is hidden.
  void Show();
  void Show(size_t row, size_t column);

  // Waits so long for a key; without a time, until one comes.
  Key Read(std::optional<int> milliseconds = std::nullopt);
  // Ctrl-C or Escape was typed since. Other keys are kept for Read.
  bool WasInterrupted();

 private:
  explicit Screen(bool has_utf8) : has_utf8_(has_utf8) {}
  const bool has_utf8_;
  std::deque<Key> typed_;  // while something else went on
};

}  // namespace stele::cli
