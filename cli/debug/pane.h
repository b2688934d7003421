// A part of the screen that shows a list of lines, of which one is selected.
//
// Thread: that of the screen.
#pragma once

#include <functional>
#include <string>

#include "base/error.h"
#include "cli/debug/lines.h"
#include "cli/debug/screen.h"

namespace stele::cli {

// Its first row is the heading.
struct Area {
  size_t row = 0;
  size_t column = 0;
  size_t rows = 0;
  size_t columns = 0;
};

class Pane {
 public:
  // Up to `count` lines from the line `first` on, from 0.
  using Fetch = std::function<Result<Lines>(size_t first, size_t count)>;

  Pane(std::string title, Fetch fetch) : title_(std::move(title)), fetch_(std::move(fetch)) {}
  // Of lines that are all there.
  explicit Pane(std::string title) : title_(std::move(title)) {}

  void SetLines(Lines lines);
  // Of lines that are fetched.
  void SetCount(size_t count);
  size_t count() const { return count_; }
  size_t selected() const { return selected_; }
  // The name of the selected line; empty: it has none.
  std::string SelectedName() const;

  void Select(size_t line);
  // By so many lines, within the list.
  void Move(ptrdiff_t lines);
  // So many lines were shown last: a page.
  size_t page() const { return page_; }

  void Draw(Screen& screen, const Area& area, bool has_focus);

 private:
  // Of those that can be read no longer, what was shown of them last.
  Lines Visible(size_t count);

  std::string title_;
  Fetch fetch_;
  Lines lines_;
  Lines seen_;  // of lines that are fetched: the last ones that could be, from `seen_at_` on
  size_t seen_at_ = 0;
  size_t count_ = 0;
  size_t selected_ = 0;
  size_t top_ = 0;
  size_t page_ = 1;
};

}  // namespace stele::cli
