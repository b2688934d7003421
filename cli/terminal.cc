#include "cli/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/json.h"
#include "base/value.h"
#include "cli/text.h"

namespace stele::cli {

namespace {

winsize WindowSize() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0) return size;
  size = {24, 80, 0, 0};
  const char* const columns = std::getenv("COLUMNS");
  const int told = columns == nullptr ? 0 : std::atoi(columns);
  if (told > 0 && told < UINT16_MAX) size.ws_col = static_cast<uint16_t>(told);
  return size;
}

std::string_view Code(Colour colour) {
  switch (colour) {
    case Colour::kNone:
      return "";
    case Colour::kDim:
      return "\x1b[2m";
    case Colour::kBold:
      return "\x1b[1m";
    case Colour::kGreen:
      return "\x1b[32m";
    case Colour::kRed:
      return "\x1b[31m";
    case Colour::kYellow:
      return "\x1b[33m";
    case Colour::kCyan:
      return "\x1b[36m";
  }
  return "";
}

}  // namespace

Terminal::Terminal() {
  const char* term = std::getenv("TERM");
  const char* no_color = std::getenv("NO_COLOR");
  interactive_ = isatty(STDOUT_FILENO) == 1 && term != nullptr && std::strcmp(term, "dumb") != 0;
  colours_ = interactive_ && (no_color == nullptr || *no_color == '\0');
}

size_t Terminal::width() const {
  return WindowSize().ws_col;
}

size_t Terminal::height() const {
  return std::max<size_t>(WindowSize().ws_row, 4);
}

void Terminal::Print(std::string_view text) const {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

namespace {

void PrintBeside(const std::string& line) {
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
}

}  // namespace

void Terminal::PrintError(const Error& error, const Object& more) const {
  if (!json_errors_) return PrintNote(error.ToString());
  Object told{{"code", fmt::format("STL{:04}", static_cast<int>(error.code))},
              {"message", Clean(error.message)}};
  for (const Member& member : more) told.Set(member.key, member.value);
  const Value document = Object{{"error", std::move(told)}};
  PrintBeside(CleanJson(ToJson(document)) + "\n");
}

void Terminal::PrintNote(std::string_view sentence) const {
  PrintBeside(fmt::format("stele: {}\n", Clean(sentence)));
}

std::string Terminal::Paint(Colour colour, std::string_view text) const {
  if (!colours_ || colour == Colour::kNone) return std::string(text);
  return fmt::format("{}{}\x1b[0m", Code(colour), text);
}

namespace {

using Rows = std::vector<std::vector<std::string>>;

constexpr size_t kGap = 2;
// A column that needs no more is never cut: numbers, statuses, durations.
constexpr size_t kWhole = 14;
// Texts are cut so far before moments become shorter, and down to the other one afterwards.
constexpr size_t kReadable = 20;
constexpr size_t kLeastWidth = 8;
// What a moment loses first, and then: ".250", ":05".
constexpr size_t kMilliseconds = 4;
constexpr size_t kSeconds = 3;

std::vector<size_t> WidthsOf(const Rows& rows) {
  std::vector<size_t> widths;
  for (const std::vector<std::string>& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i]));
  }
  return widths;
}

// As Time() of text.h writes it.
bool IsMoment(std::string_view cell) {
  constexpr std::string_view kForm = "0000-00-00 00:00:00.000";
  return std::ranges::equal(cell, kForm, [](char c, char form) {
    return form == '0' ? c >= '0' && c <= '9' : c == form;
  });
}

// Makes a table as narrow as a window, by what is missed least. The first row is its head.
class Fitting {
 public:
  Fitting(Rows rows, size_t room) : rows_(std::move(rows)), room_(room) {}

  Rows Fit() {
    widths_ = WidthsOf(rows_);
    if (IsNarrow()) return std::move(rows_);
    LeaveOutEmptyColumns();
    for (size_t i = 0; i < widths_.size(); ++i) {
      heads_.push_back(i < rows_[0].size() ? Width(rows_[0][i]) : 0);
      moments_.push_back(IsColumnOfMoments(i));
      texts_.push_back(!moments_[i] && widths_[i] > kWhole);
    }
    CutTexts(kReadable);
    for (const size_t characters : {kMilliseconds, kSeconds})
      if (!IsNarrow()) ShortenMoments(characters);
    CutTexts(kLeastWidth);
    for (std::vector<std::string>& row : rows_)
      for (size_t i = 0; i < row.size(); ++i) row[i] = Cut(row[i], widths_[i]);
    return std::move(rows_);
  }

 private:
  bool IsNarrow() const {
    size_t line = widths_.empty() ? 0 : (widths_.size() - 1) * kGap;
    for (const size_t width : widths_) line += width;
    return line <= room_;
  }

  bool IsColumnOfMoments(size_t column) const {
    return std::ranges::all_of(rows_.begin() + 1, rows_.end(), [&](const auto& row) {
      return column >= row.size() || row[column] == "-" || IsMoment(row[column]);
    });
  }

  void LeaveOutEmptyColumns() {
    for (size_t column = widths_.size(); column-- > 0;) {
      const auto is_empty = [&](const auto& row) {
        return column < row.size() && row[column].empty();
      };
      if (rows_.size() < 2 || !std::all_of(rows_.begin() + 1, rows_.end(), is_empty)) continue;
      for (std::vector<std::string>& row : rows_)
        row.erase(row.begin() + static_cast<ptrdiff_t>(column));
    }
    widths_ = WidthsOf(rows_);
  }

  // The widest ones first, and no further than their heads.
  void CutTexts(size_t least) {
    while (!IsNarrow()) {
      size_t widest = widths_.size();
      for (size_t i = 0; i < widths_.size(); ++i)
        if (texts_[i] && widths_[i] > std::max(least, heads_[i]) &&
            (widest == widths_.size() || widths_[i] > widths_[widest]))
          widest = i;
      if (widest == widths_.size()) return;
      --widths_[widest];
    }
  }

  void ShortenMoments(size_t characters) {
    for (size_t column = 0; column < widths_.size(); ++column) {
      if (!moments_[column]) continue;
      for (size_t i = 1; i < rows_.size(); ++i)
        if (column < rows_[i].size() && rows_[i][column] != "-")
          rows_[i][column].resize(rows_[i][column].size() - characters);
      size_t& width = widths_[column] = 0;
      for (const std::vector<std::string>& row : rows_)
        if (column < row.size()) width = std::max(width, Width(row[column]));
    }
  }

  Rows rows_;
  size_t room_;
  std::vector<size_t> widths_;
  std::vector<size_t> heads_;
  std::vector<bool> moments_;
  std::vector<bool> texts_;
};

}  // namespace

std::string Table(const Terminal& terminal, std::vector<std::vector<std::string>> rows) {
  if (!terminal.is_interactive() || rows.empty()) return Table(rows);
  return Table(Fitting(std::move(rows), terminal.width()).Fit());
}

std::string Table(const std::vector<std::vector<std::string>>& rows) {
  const std::vector<size_t> widths = WidthsOf(rows);
  std::string table;
  for (const std::vector<std::string>& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i)
      line += i + 1 < row.size() ? Pad(row[i], widths[i] + kGap) : row[i];
    line.erase(line.find_last_not_of(' ') + 1);
    table += line + "\n";
  }
  return table;
}

}  // namespace stele::cli
