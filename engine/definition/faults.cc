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

// The optimal string alignment distance (Damerau 1964, with adjacent transpositions), for short
// words.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

void Faults::Add(ErrorCode code, Place place, std::string message) {
  if (!full()) faults_.push_back({code, std::move(message), place});
}

bool Faults::full() const {
  return faults_.size() >= kMaxFaults;
}

std::string Faults::Suggest(std::string_view word, const std::vector<std::string>& known) {
  if (full() || compared_ > kMaxCompared || word.size() > kMaxQuoted) return {};
  for (const std::string& one : known) compared_ += word.size() * std::min(one.size(), kMaxQuoted);
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

std::string Nearest(std::string_view word, const std::vector<std::string>& known) {
  if (word.size() > kMaxQuoted) return {};
  std::string nearest;
  size_t best = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : known) {
    if (candidate.size() > kMaxQuoted) continue;
    const size_t distance = Distance(word, candidate);
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string FormatFault(std::string_view file, const Fault& fault) {
  std::string place(file);
  if (fault.place.line > 0) place += fmt::format(":{}:{}", fault.place.line, fault.place.column);
  return fmt::format("{}: STL{:04}: {}", place, static_cast<int>(fault.code), fault.message);
}

}  // namespace stele::definition
