#include "engine/triggers/glob.h"

namespace stele::triggers {

bool MatchesGlob(std::string_view pattern, std::string_view text) {
  // reached[i]: the pattern so far matches the first i characters of the text.
  std::vector<char> reached(text.size() + 1, 0);
  reached[0] = 1;
  for (size_t at = 0; at < pattern.size(); ++at) {
    const char c = pattern[at];
    if (c == '*') {
      const bool any = pattern.substr(at).starts_with("**");
      if (any) ++at;
      for (size_t i = 0; i < text.size(); ++i)
        if (reached[i] && (any || text[i] != '/')) reached[i + 1] = 1;
      continue;
    }
    for (size_t i = text.size(); i > 0; --i)
      reached[i] = reached[i - 1] && (c == '?' ? text[i - 1] != '/' : c == text[i - 1]);
    reached[0] = 0;
  }
  return reached[text.size()] != 0;
}

bool MatchesFilter(const std::vector<std::string>& patterns, std::string_view text) {
  bool matches = false;
  for (const std::string_view pattern : patterns) {
    const bool out = pattern.starts_with('!');
    if (matches == out && MatchesGlob(pattern.substr(out ? 1 : 0), text)) matches = !out;
  }
  return matches;
}

}  // namespace stele::triggers
