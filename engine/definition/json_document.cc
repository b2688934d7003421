// The only file of this folder that knows simdjson's parser. On demand parsing points into the text
// at every value, which is where the places come from.

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "base/json.h"
#include "engine/definition/tree_builder.h"

namespace stele::definition {
namespace {

namespace ondemand = simdjson::ondemand;

// Offsets in rising order to places, each byte looked at once.
class Places {
 public:
  explicit Places(std::string_view text) : text_(text) {}

  Place At(size_t offset) {
    offset = std::min(offset, text_.size());
    if (offset < at_) *this = Places(text_);
    for (; at_ < offset; ++at_) {
      if (text_[at_] == '\n') {
        ++line_;
        line_start_ = at_ + 1;
      }
    }
    return {line_, static_cast<uint32_t>(offset - line_start_ + 1)};
  }

 private:
  std::string_view text_;
  size_t at_ = 0;
  size_t line_start_ = 0;
  uint32_t line_ = 1;
};

class JsonReader {
 public:
  JsonReader(const simdjson::padded_string& text, TreeBuilder& tree)
      : text_(text), places_(std::string_view(text.data(), text.size())), tree_(tree) {}

  simdjson::error_code Read(ondemand::document& document) {
    ondemand::value root;
    if (auto error = document.get_value().get(root)) return error;
    if (auto error = ReadValue(root)) return error;
    return document.current_location().error() == simdjson::OUT_OF_BOUNDS
               ? simdjson::SUCCESS
               : simdjson::TRAILING_CONTENT;
  }

 private:
  Place PlaceOf(const char* at) { return places_.At(static_cast<size_t>(at - text_.data())); }

  // Recursion ends at kMaxDepth, where the builder refuses.
  simdjson::error_code ReadValue(ondemand::value value) {
    const Place place = PlaceOf(value.raw_json_token().data());
    ondemand::json_type type;
    if (auto error = value.type().get(type)) return error;
    switch (type) {
      case ondemand::json_type::array:
        return ReadArray(value, place);
      case ondemand::json_type::object:
        return ReadObject(value, place);
      case ondemand::json_type::number:
      case ondemand::json_type::string:
      case ondemand::json_type::boolean:
      case ondemand::json_type::null:
        return ReadScalar(value, type, place);
    }
    return simdjson::UNEXPECTED_ERROR;
  }

  simdjson::error_code ReadArray(ondemand::value value, Place place) {
    ondemand::array array;
    if (auto error = value.get_array().get(array)) return error;
    tree_.Begin(Node::Kind::kList, place);
    for (auto element : array) {
      ondemand::value item;
      if (auto error = element.get(item)) return error;
      if (auto error = ReadValue(item)) return error;
    }
    tree_.End();
    return simdjson::SUCCESS;
  }

  simdjson::error_code ReadObject(ondemand::value value, Place place) {
    ondemand::object object;
    if (auto error = value.get_object().get(object)) return error;
    tree_.Begin(Node::Kind::kMap, place);
    for (auto member : object) {
      ondemand::field field;
      if (auto error = std::move(member).get(field)) return error;
      const char* raw = field.key().raw();
      std::string_view key;
      if (auto error = field.unescaped_key().get(key)) return error;
      tree_.Key(std::string(key), PlaceOf(raw - 1));
      if (auto error = ReadValue(field.value())) return error;
    }
    tree_.End();
    return simdjson::SUCCESS;
  }

  simdjson::error_code ReadScalar(ondemand::value value, ondemand::json_type type, Place place) {
    Node node;
    node.place = place;
    std::string_view token = value.raw_json_token();
    token = token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
    if (type == ondemand::json_type::string) {
      std::string_view string;
      if (auto error = value.get_string().get(string)) return error;
      node.scalar = string;
      if (token.size() == string.size() + 2) node.text = {place.line, place.column + 1};
    } else if (type == ondemand::json_type::boolean) {
      bool boolean = false;
      if (auto error = value.get_bool().get(boolean)) return error;
      node.scalar = boolean;
      node.raw = token;
    } else if (type == ondemand::json_type::null) {
      bool null = false;
      if (auto error = value.is_null().get(null)) return error;
      if (!null) return simdjson::N_ATOM_ERROR;
    } else {
      int64_t integer = 0;
      double number = 0;
      if (!token.contains('.') && !token.contains('e') && !token.contains('E') &&
          value.get_int64().get(integer) == simdjson::SUCCESS) {
        node.scalar = integer;
      } else {
        if (auto error = value.get_double().get(number)) return error;
        node.scalar = number;
      }
      node.raw = token;
    }
    tree_.Scalar(std::move(node));
    return simdjson::SUCCESS;
  }

  const simdjson::padded_string& text_;
  Places places_;
  TreeBuilder& tree_;
};

}  // namespace

std::optional<Node> ParseJsonDocument(std::string_view text, Faults& faults) {
  const simdjson::padded_string padded(text);
  ondemand::parser parser;
  ondemand::document document;
  TreeBuilder tree(faults, ErrorCode::kInvalidJson);
  JsonReader reader(padded, tree);
  try {
    // A root that is no list or mapping cannot be asked for its places; nothing needs it either.
    const size_t first = text.find_first_not_of(" \t\r\n");
    simdjson::error_code error = first == std::string_view::npos ? simdjson::EMPTY
                                 : !std::string_view("{[").contains(text[first])
                                     ? simdjson::INCORRECT_TYPE
                                     : parser.iterate(padded).get(document);
    if (error == simdjson::SUCCESS) error = reader.Read(document);
    if (error == simdjson::SUCCESS && tree.done()) return tree.TakeRoot();
    TextPlace place{1, 1};
    (void)ParseJson(text, &place);  // it knows where the text stops being JSON
    faults.Add(ErrorCode::kInvalidJson, {place.line, place.column},
               fmt::format("Expected a JSON object but found: {}", simdjson::error_message(error)));
  } catch (const TreeBuilder::Refused& refused) {
    faults.Add(refused.fault.code, refused.fault.place, refused.fault.message);
  }
  return std::nullopt;
}

}  // namespace stele::definition
