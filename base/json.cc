#include "base/json.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>

namespace stele {
namespace {

namespace dom = simdjson::dom;

TextPlace PlaceOf(std::string_view text, size_t offset) {
  TextPlace place{1, 1};
  for (size_t i = 0; i < offset && i < text.size(); ++i) {
    if (text[i] == '\n') {
      ++place.line;
      place.column = 1;
    } else {
      ++place.column;
    }
  }
  return place;
}

// A stricter scan than the parser's, run only after a failure, to tell where the text stops being
// JSON: simdjson's DOM reports no place.
class FaultFinder {
 public:
  FaultFinder(std::string_view text, size_t max_depth) : text_(text), max_depth_(max_depth) {}

  size_t Find() {
    SkipSpace();
    if (!Element(0)) return at_;
    SkipSpace();
    return at_;
  }
  bool too_deep() const { return too_deep_; }

 private:
  void SkipSpace() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").contains(text_[at_])) ++at_;
  }
  bool Eat(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool Literal(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  bool String() {
    if (!Eat('"')) return false;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (static_cast<unsigned char>(c) < 0x20) return false;
      ++at_;
      if (c == '"') return true;
      if (c == '\\') {
        if (at_ >= text_.size() || !std::string_view("\"\\/bfnrtu").contains(text_[at_]))
          return false;
        ++at_;
      }
    }
    return false;
  }
  bool Number() {
    const size_t start = at_;
    Eat('-');
    while (at_ < text_.size() && std::string_view("0123456789.eE+-").contains(text_[at_])) ++at_;
    return at_ > start && text_[at_ - 1] >= '0' && text_[at_ - 1] <= '9';
  }
  bool Sequence(char close, bool keyed, size_t depth) {
    if (depth >= max_depth_) {
      too_deep_ = true;
      return false;
    }
    ++at_;
    SkipSpace();
    if (Eat(close)) return true;
    do {
      SkipSpace();
      if (keyed) {
        if (!String()) return false;
        SkipSpace();
        if (!Eat(':')) return false;
        SkipSpace();
      }
      if (!Element(depth + 1)) return false;
      SkipSpace();
    } while (Eat(','));
    return Eat(close);
  }
  bool Element(size_t depth) {
    if (at_ >= text_.size()) return false;
    switch (text_[at_]) {
      case '{':
        return Sequence('}', true, depth);
      case '[':
        return Sequence(']', false, depth);
      case '"':
        return String();
      case 't':
        return Literal("true");
      case 'f':
        return Literal("false");
      case 'n':
        return Literal("null");
      default:
        return Number();
    }
  }

  std::string_view text_;
  size_t max_depth_;
  size_t at_ = 0;
  bool too_deep_ = false;
};

// Nothing when there are more than `depth` arrays and objects in each other: simdjson counts an
// empty one at the bottom otherwise than one that holds something.
std::optional<Value> Convert(dom::element element, size_t depth) {
  switch (element.type()) {
    case dom::element_type::NULL_VALUE:
      return Value();
    case dom::element_type::BOOL:
      return Value(bool(element.get_bool()));
    case dom::element_type::INT64:
      return Value(int64_t(element.get_int64()));
    case dom::element_type::UINT64:
      return Value(static_cast<double>(uint64_t(element.get_uint64())));
    case dom::element_type::DOUBLE:
      return Value(double(element.get_double()));
    case dom::element_type::STRING:
      return Value(std::string_view(element.get_string()));
    case dom::element_type::ARRAY: {
      if (depth == 0) return std::nullopt;
      Array array;
      for (dom::element item : dom::array(element.get_array())) {
        std::optional<Value> value = Convert(item, depth - 1);
        if (!value.has_value()) return std::nullopt;
        array.push_back(*std::move(value));
      }
      return array;
    }
    case dom::element_type::OBJECT: {
      if (depth == 0) return std::nullopt;
      std::vector<Member> members;
      for (auto [key, item] : dom::object(element.get_object())) {
        std::optional<Value> value = Convert(item, depth - 1);
        if (!value.has_value()) return std::nullopt;
        members.push_back({std::string(key), *std::move(value)});
      }
      return Object::Of(std::move(members));
    }
  }
  return Value();
}

// The length of the valid UTF-8 sequence at `at`, or 0.
size_t Utf8Length(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at);
  const size_t length = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
  if (length == 0 || at + length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i)
    if ((byte(at + i) & 0xC0) != 0x80) return 0;
  if ((lead == 0xE0 && byte(at + 1) < 0xA0) || (lead == 0xED && byte(at + 1) >= 0xA0)) return 0;
  if ((lead == 0xF0 && byte(at + 1) < 0x90) || (lead == 0xF4 && byte(at + 1) >= 0x90)) return 0;
  return length;
}

void WriteDouble(double number, std::string& out) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  const size_t start = out.size();
  fmt::format_to(std::back_inserter(out), "{}", number);
  if (out.find_first_of(".e", start) == std::string::npos) out += ".0";
}

struct Style {
  bool pretty;
};

void Write(const Value& value, Style style, int indent, std::string& out);

void NewLine(Style style, int indent, std::string& out) {
  if (!style.pretty) return;
  out += '\n';
  out.append(static_cast<size_t>(indent) * 2, ' ');
}

void WriteArray(const Array& array, Style style, int indent, std::string& out) {
  out += '[';
  bool first = true;
  for (const Value& item : array) {
    if (!first) out += ',';
    first = false;
    NewLine(style, indent + 1, out);
    Write(item, style, indent + 1, out);
  }
  if (!first) NewLine(style, indent, out);
  out += ']';
}

void WriteObject(const Object& object, Style style, int indent, std::string& out) {
  out += '{';
  bool first = true;
  for (const Member& member : object) {
    if (!first) out += ',';
    first = false;
    NewLine(style, indent + 1, out);
    WriteJsonString(member.key, out);
    out += style.pretty ? ": " : ":";
    Write(member.value, style, indent + 1, out);
  }
  if (!first) NewLine(style, indent, out);
  out += '}';
}

void Write(const Value& value, Style style, int indent, std::string& out) {
  switch (value.kind()) {
    case Value::Kind::kNull:
      out += "null";
      return;
    case Value::Kind::kBool:
      out += value.as_bool() ? "true" : "false";
      return;
    case Value::Kind::kInt:
      fmt::format_to(std::back_inserter(out), "{}", value.as_int());
      return;
    case Value::Kind::kDouble:
      WriteDouble(value.as_double(), out);
      return;
    case Value::Kind::kString:
      WriteJsonString(value.as_string(), out);
      return;
    case Value::Kind::kArray:
      WriteArray(value.as_array(), style, indent, out);
      return;
    case Value::Kind::kObject:
      WriteObject(value.as_object(), style, indent, out);
      return;
  }
}

}  // namespace

Result<Value> ParseJson(std::string_view text, TextPlace* place, JsonBounds bounds) {
  if (text.size() > bounds.bytes)
    return Fail(
        ErrorCode::kLimitExceeded,
        fmt::format("Expected at most {} bytes of JSON but found {}", bounds.bytes, text.size()));
  dom::parser parser;
  dom::element root;
  const simdjson::padded_string padded(text);
  simdjson::error_code error = parser.allocate(std::max<size_t>(text.size(), 64), bounds.depth + 1);
  if (error == simdjson::SUCCESS) error = parser.parse(padded).get(root);
  if (error == simdjson::SUCCESS) {
    if (std::optional<Value> value = Convert(root, bounds.depth)) return *std::move(value);
    error = simdjson::DEPTH_ERROR;
  }
  FaultFinder finder(text, bounds.depth);
  const TextPlace found = PlaceOf(text, finder.Find());
  if (place != nullptr) *place = found;
  if (finder.too_deep() || error == simdjson::DEPTH_ERROR)
    return Fail(ErrorCode::kLimitExceeded,
                fmt::format("Expected JSON of at most {} arrays and objects in each other but "
                            "found more at line {}, column {}",
                            bounds.depth, found.line, found.column));
  return Fail(ErrorCode::kInvalidJson,
              fmt::format("Expected JSON but found a fault at line {}, column {}: {}", found.line,
                          found.column, simdjson::error_message(error)));
}

size_t JsonDepth(std::string_view json) {
  size_t depth = 0;
  size_t deepest = 0;
  bool quoted = false;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return deepest;
}

void WriteJson(const Value& value, std::string& out) {
  Write(value, {.pretty = false}, 0, out);
}

std::string ToJson(const Value& value) {
  std::string out;
  WriteJson(value, out);
  return out;
}

std::string ToPrettyJson(const Value& value) {
  std::string out;
  Write(value, {.pretty = true}, 0, out);
  return out;
}

void WriteJsonString(std::string_view text, std::string& out) {
  out += '"';
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) >= 0x80) {
      const size_t length = Utf8Length(text, i);
      if (length == 0) {
        out += "\xEF\xBF\xBD";
        ++i;
      } else {
        out.append(text, i, length);
        i += length;
      }
      continue;
    }
    ++i;
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<int>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace stele
