#include "engine/definition/faults.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "engine/definition/limits.h"

namespace stele::definition {
namespace {

constexpr size_t kMaxQuoted = 60;
// Pairs of bytes that are compared to find words that a file may have meant: under a second.
constexpr size_t kMaxCompared = 20'000'000;

}  // namespace

void Faults::Add(ErrorCode code, Place place, std::string message) {
  if (!full()) faults_.push_back({code, std::move(message), place});
}

bool Faults::full() const {
  return faults_.size() >= kMaxFaults;
}

std::string Faults::Suggest(std::string_view word, const std::vector<std::string>& known) {
  if (full() || compared_ > kMaxCompared || word.size() > kMaxNearestBytes) return {};
  for (const std::string& one : known)
    compared_ += word.size() * std::min(one.size(), kMaxNearestBytes);
  return Nearest(word, known);
}

std::vector<Fault> Faults::Take() {
  std::ranges::stable_sort(faults_, {}, [](const Fault& fault) {
    return std::tuple(fault.place.line, fault.place.column);
  });
  std::vector<Fault> sorted;
  for (Fault& fault : faults_)
    if (std::ranges::find(sorted, fault) == sorted.end()) sorted.push_back(std::move(fault));
  faults_.clear();
  return sorted;
}

std::string Quote(std::string_view text) {
  if (text.size() <= kMaxQuoted) return fmt::format("\"{}\"", text);
  size_t end = kMaxQuoted;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return fmt::format("\"{}…\"", text.substr(0, end));
}

std::string QuoteList(const std::vector<std::string>& words, std::string_view last) {
  constexpr size_t kShown = 40;
  std::string out;
  const size_t count = std::min(words.size(), kShown);
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) out += i + 1 == words.size() ? fmt::format(" {} ", last) : ", ";
    out += Quote(words[i]);
  }
  if (words.size() > kShown) out += fmt::format(" and {} more", words.size() - kShown);
  return out;
}

std::string FormatFault(std::string_view file, const Fault& fault) {
  std::string place(file);
  if (fault.place.line > 0) place += fmt::format(":{}:{}", fault.place.line, fault.place.column);
  return fmt::format("{}: STL{:04}: {}", place, static_cast<int>(fault.code), fault.message);
}

}  // namespace stele::definition
