#include "cli/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "cli/text.h"

namespace stele::cli {

namespace {

winsize WindowSize() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) size = {24, 80, 0, 0};
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

void Terminal::PrintError(const Error& error) const {
  PrintNote(error.ToString());
}

void Terminal::PrintNote(std::string_view sentence) const {
  const std::string line = fmt::format("stele: {}\n", Clean(sentence));
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
}

std::string Terminal::Paint(Colour colour, std::string_view text) const {
  if (!colours_ || colour == Colour::kNone) return std::string(text);
  return fmt::format("{}{}\x1b[0m", Code(colour), text);
}

namespace {

constexpr size_t kGap = 2;
// No column is cut further than that.
constexpr size_t kLeastWidth = 8;

std::vector<size_t> WidthsOf(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const std::vector<std::string>& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i]));
  }
  return widths;
}

}  // namespace

std::string Table(const Terminal& terminal, std::vector<std::vector<std::string>> rows) {
  if (!terminal.is_interactive()) return Table(rows);
  std::vector<size_t> widths = WidthsOf(rows);
  size_t line = widths.size() * kGap - std::min(widths.size() * kGap, kGap);
  for (const size_t width : widths) line += width;
  for (; line > terminal.width(); --line) {
    const auto widest = std::ranges::max_element(widths);
    if (*widest <= kLeastWidth) break;
    --*widest;
  }
  for (std::vector<std::string>& row : rows)
    for (size_t i = 0; i < row.size(); ++i) row[i] = Cut(row[i], widths[i]);
  return Table(rows);
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
