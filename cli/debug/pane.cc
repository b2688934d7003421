#include "cli/debug/pane.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/text.h"

namespace stele::cli {

namespace {

// Lines around the selected one that stay in sight.
constexpr size_t kContext = 2;

}  // namespace

void Pane::SetLines(Lines lines) {
  lines_ = std::move(lines);
  SetCount(lines_.size());
}

void Pane::SetCount(size_t count) {
  count_ = count;
  selected_ = std::min(selected_, count == 0 ? 0 : count - 1);
}

std::string Pane::SelectedName() const {
  if (selected_ < lines_.size()) return lines_[selected_].name;
  const Result<Lines> line = fetch_ && selected_ < count_ ? fetch_(selected_, 1) : Lines();
  return line.has_value() && !line->empty() ? line->front().name : "";
}

void Pane::Select(size_t line) {
  selected_ = std::min(line, count_ == 0 ? 0 : count_ - 1);
}

void Pane::Move(ptrdiff_t lines) {
  const auto at = static_cast<ptrdiff_t>(selected_) + lines;
  Select(at < 0 ? 0 : static_cast<size_t>(at));
}

Lines Pane::Visible(size_t count) {
  if (!fetch_) {
    const size_t end = std::min(top_ + count, lines_.size());
    return {lines_.begin() + static_cast<ptrdiff_t>(std::min(top_, end)),
            lines_.begin() + static_cast<ptrdiff_t>(end)};
  }
  Result<Lines> fetched = fetch_(top_, count);
  if (fetched.has_value()) {
    seen_ = *std::move(fetched);
    seen_at_ = top_;
    return seen_;
  }
  Lines visible(count);
  bool is_known = false;
  for (size_t i = 0; i < count; ++i) {
    if (top_ + i < seen_at_ || top_ + i >= seen_at_ + seen_.size()) continue;
    visible[i] = seen_[top_ + i - seen_at_];
    is_known = true;
  }
  if (!is_known) visible = {Line(Clean(fetched.error().message), Style::kBad)};
  return visible;
}

void Pane::Draw(Screen& screen, const Area& area, bool has_focus) {
  if (area.rows < 2) return;
  page_ = area.rows - 1;
  const size_t context = std::min(kContext, (page_ - 1) / 2);
  if (selected_ < top_ + context) top_ = selected_ - std::min(selected_, context);
  if (selected_ + context >= top_ + page_) top_ = selected_ + context + 1 - page_;
  top_ = std::min(top_, count_ > page_ ? count_ - page_ : 0);

  Line heading;
  heading.spans.push_back({"─"});
  heading.spans.push_back({has_focus ? "[" + title_ + "]" : " " + title_ + " ",
                           has_focus ? Style::kBold : Style::kPlain});
  const std::string place = count_ > page_ ? fmt::format(" {}-{} of {} ", top_ + 1,
                                                         std::min(top_ + page_, count_), count_)
                                           : "";
  size_t used = 3 + Width(title_) + Width(place);
  std::string rule;
  for (; used + 1 < area.columns; ++used) rule += "─";
  heading.spans.push_back({rule + place + "─"});
  screen.Put(area.row, area.column, area.columns, heading);

  const Lines lines = Visible(page_);
  for (size_t i = 0; i < page_; ++i) {
    const bool is_there = i < lines.size();
    screen.Put(area.row + 1 + i, area.column, area.columns, is_there ? lines[i] : Line(),
               is_there && has_focus && top_ + i == selected_);
  }
}

}  // namespace stele::cli
