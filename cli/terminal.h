// Where the program prints. Made by main; commands get it, so that nothing else asks what standard
// output is.
//
// Thread: the main one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/value.h"

namespace stele::cli {

enum class Colour : uint8_t { kNone, kDim, kBold, kGreen, kRed, kYellow, kCyan };

class Terminal {
 public:
  // Looks at standard output and the environment (NO_COLOR, TERM, COLUMNS).
  Terminal();

  // Lines may be moved and printed over.
  bool is_interactive() const { return interactive_; }
  // Of the window as it is now; COLUMNS, or 80, by 24 when it does not tell.
  size_t width() const;
  size_t height() const;

  // To standard output, at once. The text must be clean (text.h).
  void Print(std::string_view text) const;
  // Errors are told as documents from now on: of a program that reads what is printed.
  void TellErrorsAsJson() { json_errors_ = true; }
  bool tells_errors_as_json() const { return json_errors_; }
  // "stele: STL0701: …" to standard error; or a line {"error": {"code", "message"}}, with what else
  // a program may want to know of it.
  void PrintError(const Error& error, const Object& more = {}) const;
  void PrintNote(std::string_view sentence) const;

  // The text in a colour, where colours are wanted.
  std::string Paint(Colour colour, std::string_view text) const;

 private:
  bool interactive_ = false;
  bool colours_ = false;
  bool json_errors_ = false;
};

// Columns as wide as what they hold, two spaces between.
std::string Table(const std::vector<std::vector<std::string>>& rows);
// The same. On a terminal where a line would not fit into the window columns without a value are
// left out, texts cut and moments told to the second or minute; ids, moments and statuses stay
// whole. The first row is the head.
std::string Table(const Terminal& terminal, std::vector<std::vector<std::string>> rows);

}  // namespace stele::cli
