#include "base/repeated_member.h"

#include <algorithm>
#include <set>

#include "base/json.h"

namespace stele {

namespace {

// Looks at one value after the other, from the begin of the text.
class RepeatedMember {
 public:
  explicit RepeatedMember(std::string_view text) : text_(text) {}
  std::string Find() {
    LookAtValue();
    return found_;
  }

 private:
  void SkipSpace() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").contains(text_[at_])) ++at_;
  }
  bool Take(char wanted) {
    SkipSpace();
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  std::string_view TakeString() {
    SkipSpace();
    const size_t begin = at_++;
    while (text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    return text_.substr(begin, ++at_ - begin);
  }
  // Escapes may write one key in two ways.
  static std::string KeyOf(std::string_view quoted) {
    if (!quoted.contains('\\')) return std::string(quoted.substr(1, quoted.size() - 2));
    return ParseJson(quoted).value_or(Value("")).as_string();
  }
  void LookAtValue() {
    SkipSpace();
    if (Take('{')) {
      std::set<std::string> keys;
      while (found_.empty() && !Take('}')) {
        const std::string key = KeyOf(TakeString());
        if (!keys.insert(key).second) found_ = key;
        Take(':');
        LookAtValue();
        Take(',');
      }
    } else if (Take('[')) {
      while (found_.empty() && !Take(']')) {
        LookAtValue();
        Take(',');
      }
    } else if (text_[at_] == '"') {
      TakeString();
    } else {
      at_ = std::min(text_.find_first_of(",]} \t\r\n", at_), text_.size());
    }
  }

  std::string_view text_;
  size_t at_ = 0;
  std::string found_;
};

}  // namespace

std::string RepeatedMemberOf(std::string_view json) {
  return RepeatedMember(json).Find();
}

}  // namespace stele
