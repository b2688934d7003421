// What crosses the interface of stele/engine.h everywhere: errors, and values as JSON text. Include
// that header.
#pragma once

#include <concepts>
#include <cstdint>
#include <expected>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stele::embed {

// A fault of a definition, with its place in the text, from 1 (0: unknown).
struct Fault {
  std::string code;
  std::string message;
  uint32_t line = 0;
  uint32_t column = 0;
};

struct Error {
  std::string code;           // "STL0405"
  std::string message;        // "Expected … but found …"
  std::vector<Fault> faults;  // of a definition that is refused: every one, by place

  // "STL0405: Expected …", behind it a line for each fault.
  std::string ToString() const;
};

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

// ---- JSON, as much as is needed to fill in a request ----

// A JSON value, made from what C++ has.
class Json {
 public:
  Json(std::nullptr_t) : text_("null") {}
  Json(bool value) : text_(value ? "true" : "false") {}
  template <std::integral T>
  Json(T value) : text_(std::to_string(value)) {}
  Json(double value);
  Json(std::string_view text);
  Json(const std::string& text) : Json(std::string_view(text)) {}
  Json(const char* text) : Json(std::string_view(text)) {}
  // Text that is JSON already: an array, an object.
  static Json Raw(std::string json);

  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// {"environment": "production", "replicas": 3}
std::string JsonObject(std::initializer_list<std::pair<std::string_view, Json>> members);
// A member of a JSON object: a string as it is, anything else as JSON text; nothing when there is
// no such member, or no object.
std::optional<std::string> JsonMember(std::string_view object, std::string_view name);

}  // namespace stele::embed
