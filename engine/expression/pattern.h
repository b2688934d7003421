// A regular expression that matches in time linear in the text: the one place that knows RE2.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace stele::expression {

// Immutable; may be used from several threads at once.
class Pattern {
 public:
  // The error is what is wrong with it, as RE2 says it. REQUIRES: at most kMaxPatternBytes.
  static std::expected<Pattern, std::string> Compile(std::string_view pattern);

  // Whether it matches somewhere in `text`; `^` and `$` anchor it.
  bool Matches(std::string_view text) const;

 private:
  explicit Pattern(std::shared_ptr<const re2::RE2> re) : re_(std::move(re)) {}
  std::shared_ptr<const re2::RE2> re_;
};

}  // namespace stele::expression
