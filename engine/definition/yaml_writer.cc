#include "engine/definition/yaml_writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"

namespace stele::definition {
namespace {

constexpr size_t kLineWidth = 100;

bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsControl(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

// Whether a plain scalar says the text: it begins with a letter, holds nothing that means
// something to YAML, and is none of the words that older readers take for other than strings.
bool IsPlain(std::string_view text) {
  if (text.empty() || text.size() > 200) return false;
  if (!IsLetter(text[0]) && text[0] != '_' && text[0] != '/') return false;
  if (text.back() == ' ' || text.back() == ':') return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool safe = IsLetter(c) || IsDigit(c) || std::string_view("_-./ @+=()").contains(c) ||
                      (c == ':' && i + 1 < text.size() && text[i + 1] != ' ');
    if (!safe) return false;
  }
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  static constexpr std::string_view kWords[] = {"true", "false", "null", "yes", "no", "on",
                                                "off",  "y",     "n",    "nan", "inf"};
  return std::ranges::find(kWords, lower) == std::end(kWords);
}

// In double quotes: JSON's escapes are YAML's too, and what else YAML does not print is escaped.
std::string Quoted(std::string_view text) {
  std::string json;
  WriteJsonString(text, json);
  std::string quoted;
  for (size_t i = 0; i < json.size(); ++i) {
    const auto byte = static_cast<unsigned char>(json[i]);
    const auto next = i + 1 < json.size() ? static_cast<unsigned char>(json[i + 1]) : 0;
    const auto third = i + 2 < json.size() ? static_cast<unsigned char>(json[i + 2]) : 0;
    if (byte == 0x7f) {
      quoted += "\\x7f";
    } else if (byte == 0xc2 && next < 0xa0) {  // U+0080 to U+009F
      quoted += fmt::format("\\x{:02x}", next);
      ++i;
    } else if (byte == 0xe2 && next == 0x80 && (third == 0xa8 || third == 0xa9)) {
      quoted += third == 0xa8 ? "\\u2028" : "\\u2029";
      i += 2;
    } else if (byte == 0xef && next == 0xbb && third == 0xbf) {
      quoted += "\\ufeff";
      i += 2;
    } else {
      quoted += json[i];
    }
  }
  return quoted;
}

std::string Text(std::string_view text) {
  return IsPlain(text) ? std::string(text) : Quoted(text);
}

// Lines that a literal block can hold: no control characters, nothing that indentation or the end
// of a line would swallow, at most one line end at the end.
bool IsBlock(std::string_view text) {
  if (!text.contains('\n') || text[0] == '\n' || text[0] == ' ' || text.ends_with("\n\n"))
    return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n' ? i > 0 && text[i - 1] == ' ' : IsControl(c)) return false;
    if (static_cast<unsigned char>(c) == 0xc2 || static_cast<unsigned char>(c) == 0xe2 ||
        static_cast<unsigned char>(c) == 0xef)
      return false;
  }
  return text.back() != ' ';
}

std::string Scalar(const Value& value) {
  return value.is_string() ? Text(value.as_string()) : ToJson(value);
}

// The value on one line, or nothing when it is too long or too deep for that.
bool WriteFlow(const Value& value, int depth, std::string& out) {
  if (value.is_string() && IsBlock(value.as_string())) return false;
  if (value.is_array()) {
    if (depth == 0) return value.as_array().empty() && (out += "[]", true);
    out += "[";
    for (size_t i = 0; i < value.as_array().size(); ++i) {
      if (i > 0) out += ", ";
      if (!WriteFlow(value.as_array()[i], depth - 1, out) || out.size() > kLineWidth) return false;
    }
    out += "]";
    return true;
  }
  if (value.is_object()) {
    if (depth == 0) return value.as_object().empty() && (out += "{}", true);
    out += "{";
    bool first = true;
    for (const Member& member : value.as_object()) {
      out += (first ? "" : ", ") + Text(member.key) + ": ";
      first = false;
      if (!WriteFlow(member.value, depth - 1, out) || out.size() > kLineWidth) return false;
    }
    out += "}";
    return true;
  }
  // A plain text ends at these inside brackets.
  out += value.is_string() && value.as_string().find_first_of(":{}[],") != std::string::npos
             ? Quoted(value.as_string())
             : Scalar(value);
  return true;
}

class YamlWriter {
 public:
  void Write(const Value& value) {
    if (value.is_object() && !value.as_object().empty())
      Members(value.as_object(), 0, false);
    else if (value.is_array() && !value.as_array().empty())
      Items(value.as_array(), 0);
    else
      out_ += Scalar(value) + "\n";
  }
  std::string Take() { return std::move(out_); }

 private:
  void Indent(size_t depth) { out_.append(depth * 2, ' '); }

  // `begun`: the first member goes on behind "- ".
  void Members(const Object& object, size_t depth, bool begun) {
    for (const Member& member : object) {
      if (!begun) Indent(depth);
      begun = false;
      out_ += Text(member.key) + ":";
      Behind(member.value, depth);
    }
  }

  void Items(const Array& array, size_t depth) {
    for (const Value& item : array) {
      Indent(depth);
      out_ += "-";
      std::string flow;
      const bool one_line = WriteFlow(item, 1, flow) && flow.size() + 2 * depth < kLineWidth &&
                            !(item.is_object() && item.as_object().size() > 4);
      if (item.is_object() && !one_line) {
        out_ += " ";
        Members(item.as_object(), depth + 1, true);
      } else {
        Behind(item, depth);
      }
    }
  }

  // A value behind its key or dash, which stand at that depth.
  void Behind(const Value& value, size_t depth) {
    std::string flow;
    if (value.is_string() && IsBlock(value.as_string())) return Block(value.as_string(), depth + 1);
    if (!value.is_array() && !value.is_object()) {
      out_ += " " + Scalar(value) + "\n";
      return;
    }
    const bool short_object = !value.is_object() || value.as_object().size() <= 4;
    if (short_object && WriteFlow(value, 1, flow) && flow.size() + 2 * depth < kLineWidth) {
      out_ += " " + flow + "\n";
      return;
    }
    if (value.is_object() ? value.as_object().empty() : value.as_array().empty()) {
      out_ += value.is_object() ? " {}\n" : " []\n";
      return;
    }
    out_ += "\n";
    if (value.is_object())
      Members(value.as_object(), depth + 1, false);
    else
      Items(value.as_array(), depth + 1);
  }

  void Block(std::string_view text, size_t depth) {
    out_ += text.ends_with('\n') ? " |\n" : " |-\n";
    if (text.ends_with('\n')) text.remove_suffix(1);
    for (size_t begin = 0; begin <= text.size();) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      if (end > begin) Indent(depth);
      out_.append(text.substr(begin, end - begin)) += "\n";
      begin = end + 1;
    }
  }

  std::string out_;
};

}  // namespace

std::string ToYaml(const Value& value) {
  YamlWriter writer;
  writer.Write(value);
  return writer.Take();
}

}  // namespace stele::definition
