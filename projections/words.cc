#include "projections/words.h"

#include "projections/limits.h"

namespace stele::projections {

std::vector<std::string> WordsOf(std::string_view text, size_t limit) {
  const auto is_part = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           static_cast<unsigned char>(c) >= 0x80;
  };
  std::vector<std::string> words;
  for (size_t at = 0; at < text.size() && words.size() < limit; ++at) {
    const size_t begin = at;
    while (at < text.size() && is_part(text[at])) ++at;
    if (at == begin) continue;
    std::string word(CutText(text.substr(begin, at - begin), kMaxWordBytes));
    for (char& c : word)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    words.push_back(std::move(word));
  }
  return words;
}

std::string_view CutText(std::string_view text, size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

}  // namespace stele::projections
