// Keys that sort as what they hold does. A text ends in bytes that no longer one continues, so that
// keys of several parts sort part by part.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace stele::projections {

// 00 stands as 00 FF; 00 01 ends it.
inline void AppendText(std::string& bytes, std::string_view text) {
  if (text.find('\0') == std::string_view::npos) {
    bytes += text;
  } else {
    for (const char c : text) {
      bytes.push_back(c);
      if (c == 0) bytes.push_back(static_cast<char>(0xFF));
    }
  }
  bytes.append({'\0', '\1'});
}

class KeyWriter {
 public:
  explicit KeyWriter(char first) : bytes_(1, first) {}

  KeyWriter& Byte(uint8_t value) {
    bytes_.push_back(static_cast<char>(value));
    return *this;
  }
  // Big-endian.
  KeyWriter& Number(uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8)
      bytes_.push_back(static_cast<char>(value >> shift));
    return *this;
  }
  // Any number, the larger ones first.
  KeyWriter& Descending(int64_t value) {
    return Number(~(static_cast<uint64_t>(value) ^ (uint64_t{1} << 63)));
  }
  KeyWriter& Text(std::string_view text) {
    AppendText(bytes_, text);
    return *this;
  }
  KeyWriter& Raw(std::string_view bytes) {
    bytes_ += bytes;
    return *this;
  }

  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Takes a key apart; `ok` is false once a part was not there.
class KeyReader {
 public:
  explicit KeyReader(std::string_view bytes) : bytes_(bytes) {}

  uint8_t Byte() {
    if (bytes_.empty()) return ok_ = false, 0;
    const auto value = static_cast<uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return value;
  }
  uint64_t Number() {
    if (bytes_.size() < 8) return ok_ = false, 0;
    uint64_t value = 0;
    for (size_t i = 0; i < 8; ++i) value = value << 8 | static_cast<unsigned char>(bytes_[i]);
    bytes_.remove_prefix(8);
    return value;
  }
  int64_t Descending() { return static_cast<int64_t>(~Number() ^ (uint64_t{1} << 63)); }
  std::string Text() {
    std::string text;
    for (size_t i = 0; i + 1 < bytes_.size(); ++i) {
      if (bytes_[i] != 0) {
        text.push_back(bytes_[i]);
        continue;
      }
      if (bytes_[++i] == 1) {
        bytes_.remove_prefix(i + 1);
        return text;
      }
      text.push_back(0);
    }
    ok_ = false;
    return {};
  }
  std::string_view rest() const { return bytes_; }
  bool ok() const { return ok_; }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

// The first key behind all that begin with `prefix`; empty when there is none.
inline std::string EndOfPrefix(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xFF) prefix.pop_back();
  if (!prefix.empty()) ++prefix.back();
  return prefix;
}

}  // namespace stele::projections
