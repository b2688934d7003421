#include "engine/tasks/redactor.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/json.h"
#include "engine/tasks/bounded_text.h"

namespace stele::tasks {
namespace {

constexpr std::string_view kMask = "***";

enum class Match : uint8_t { kNo, kBegun, kWhole };

// Whether `text` begins with the form, or ends within it. `length` gets the bytes of a whole match.
Match MatchAtStart(const SecretForm& form, std::string_view text, size_t& length) {
  size_t at = 0;
  for (size_t i = 0; i < form.text.size(); ++i) {
    if (form.folds && i > 0) {
      if (at < text.size() && text[at] == '\r') ++at;
      if (at < text.size() && text[at] == '\n') ++at;
    }
    if (at == text.size()) return Match::kBegun;
    if (text[at] != form.text[i]) return Match::kNo;
    ++at;
  }
  length = at;
  return Match::kWhole;
}

}  // namespace

Redactor::Redactor(const std::vector<std::string>& secrets) {
  for (const std::string& secret : secrets) {
    for (SecretForm& form : FormsOf(secret)) forms_.push_back(std::move(form));
  }
  const auto first = [](const SecretForm& form) {
    return static_cast<unsigned char>(form.text[0]);
  };
  std::ranges::sort(forms_, [&](const SecretForm& a, const SecretForm& b) {
    if (first(a) != first(b)) return first(a) < first(b);
    return a.text.size() != b.text.size() ? a.text.size() > b.text.size() : a < b;
  });
  forms_.erase(std::unique(forms_.begin(), forms_.end()), forms_.end());
  for (const SecretForm& form : forms_) ++begin_[first(form) + 1u];
  std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
}

size_t Redactor::Scan(std::string_view text, bool complete, std::string& out) const {
  size_t at = 0;
  while (at < text.size()) {
    const std::string_view rest = text.substr(at);
    const auto first = static_cast<unsigned char>(rest[0]);
    size_t matched = 0;
    for (size_t i = begin_[first]; i < begin_[first + 1u] && matched == 0; ++i) {
      const Match match = MatchAtStart(forms_[i], rest, matched);
      if (match == Match::kBegun && !complete) return at;
    }
    if (matched > 0) {
      out += kMask;
      at += matched;
    } else {
      out += rest[0];
      ++at;
    }
  }
  return at;
}

std::string Redactor::Text(std::string_view text) const {
  if (empty()) return std::string(text);
  std::string out;
  Scan(text, true, out);
  return out;
}

Value Redactor::Redact(Value value) const {
  if (empty()) return value;
  switch (value.kind()) {
    case Value::Kind::kNull:
    case Value::Kind::kBool:
      return value;
    case Value::Kind::kInt:
    case Value::Kind::kDouble:
      return std::ranges::find(forms_, ToJson(value), &SecretForm::text) == forms_.end()
                 ? value
                 : Value(kMask);
    case Value::Kind::kString:
      return Text(value.as_string());
    case Value::Kind::kArray:
      for (Value& element : value.as_array()) element = Redact(std::move(element));
      return value;
    case Value::Kind::kObject: {
      std::vector<Member> clean;
      clean.reserve(value.as_object().size());
      for (Member& member : value.as_object()) {
        clean.push_back({Text(member.key), Redact(std::move(member.value))});
      }
      return Object::Of(std::move(clean));
    }
  }
  std::unreachable();
}

std::string Excerpt(const Redactor& redactor, std::string_view text, size_t limit) {
  return std::string(Head(redactor.Text(text), limit));
}

std::string StreamRedactor::Push(std::string_view piece) {
  if (redactor_.empty()) return std::string(piece);
  pending_ += piece;
  std::string out;
  pending_.erase(0, redactor_.Scan(pending_, false, out));
  return out;
}

std::string StreamRedactor::Finish() {
  std::string out;
  redactor_.Scan(pending_, true, out);
  pending_.clear();
  return out;
}

}  // namespace stele::tasks
