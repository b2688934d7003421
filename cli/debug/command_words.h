// A command's words, taken from the front.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace stele::cli {

class CommandWords {
 public:
  // Refers to the text, which outlives it.
  explicit CommandWords(std::string_view text) : rest_(text) { Skip(); }

  bool empty() const { return rest_.empty(); }
  // What is left, without spaces around it.
  std::string_view rest() const { return rest_; }
  // "": there is none.
  std::string_view Take();
  bool TakeIf(std::string_view word);
  // A word, or several in quotes as JSON writes them. kUsage: the quotes are not closed.
  Result<std::string> TakeName();
  // A whole number, if there is one.
  std::optional<uint64_t> TakeNumber();
  // kUsage: something is left.
  Status End() const;

 private:
  void Skip();

  std::string_view rest_;
};

// As TakeName takes it.
std::string QuotedName(std::string_view name);

// kUsage: `Expected WHAT but found "FOUND"`.
std::unexpected<Error> ExpectedInstead(std::string_view what, std::string_view found);

}  // namespace stele::cli
