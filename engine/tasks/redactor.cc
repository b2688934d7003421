#include "engine/tasks/redactor.h"

#include <algorithm>
#include <utility>

#include "base/json.h"

namespace stele::tasks {
namespace {

constexpr std::string_view kMask = "***";

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string PercentEncoded(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (unsigned char c : text) {
    bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                 c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += static_cast<char>(c);
    } else {
      out += {'%', kDigits[c >> 4], kDigits[c & 15]};
    }
  }
  return out;
}

}  // namespace

std::string Base64(std::string_view bytes) {
  constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) {
      group = group << 8 | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    }
    for (size_t j = 0; j < 4; ++j) {
      out += j <= count ? kAlphabet[group >> (18 - 6 * j) & 63] : '=';
    }
  }
  return out;
}

Redactor::Redactor(const std::vector<std::string>& secrets) {
  for (const std::string& secret : secrets) {
    std::string_view trimmed = Trim(secret);
    if (trimmed.empty()) continue;
    std::string quoted;
    WriteJsonString(trimmed, quoted);
    needles_.emplace_back(trimmed);
    needles_.push_back(quoted.substr(1, quoted.size() - 2));
    needles_.push_back(PercentEncoded(trimmed));
    needles_.push_back(Base64(secret));
    needles_.push_back(Base64(trimmed));
  }
  std::ranges::sort(needles_, [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() > b.size() : a < b;
  });
  needles_.erase(std::unique(needles_.begin(), needles_.end()), needles_.end());
  for (const std::string& needle : needles_) starts_[static_cast<unsigned char>(needle[0])] = true;
}

size_t Redactor::Scan(std::string_view text, bool complete, std::string& out) const {
  size_t at = 0;
  while (at < text.size()) {
    std::string_view rest = text.substr(at);
    size_t matched = 0;
    if (starts_[static_cast<unsigned char>(rest[0])]) {
      for (const std::string& needle : needles_) {
        if (rest.starts_with(needle)) {
          matched = needle.size();
          break;
        }
        if (!complete && std::string_view(needle).starts_with(rest)) return at;
      }
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
      return std::ranges::find(needles_, ToJson(value)) == needles_.end() ? value : Value(kMask);
    case Value::Kind::kString:
      return Text(value.as_string());
    case Value::Kind::kArray:
      for (Value& element : value.as_array()) element = Redact(std::move(element));
      return value;
    case Value::Kind::kObject: {
      Object clean;
      for (Member& member : value.as_object()) {
        clean.Set(Text(member.key), Redact(std::move(member.value)));
      }
      return clean;
    }
  }
  std::unreachable();
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
