#include "base/json.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>

#include "base/json_scanner.h"
#include "base/utf8.h"

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
  // The parser tells no place.
  JsonScanner scanner(text, bounds.depth);
  scanner.SkipSpace();
  if (scanner.Value()) scanner.SkipSpace();
  const TextPlace found = PlaceOf(text, scanner.at());
  if (place != nullptr) *place = found;
  if (scanner.too_deep() || error == simdjson::DEPTH_ERROR)
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
      const size_t length = Utf8Length(text.substr(i));
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
