// The only file of this folder that knows yaml-cpp. It listens to the parser's events instead of
// letting it build its own tree: limits hold while the text is read, keys keep their places, and a
// quoted scalar can be told from a plain one.

#include <fmt/format.h>
#include <simdjson.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <charconv>
#include <cmath>
#include <sstream>

#include "engine/definition/tree_builder.h"

namespace stele::definition {
namespace {

Place PlaceOf(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {static_cast<uint32_t>(mark.line + 1), static_cast<uint32_t>(mark.column + 1)};
}

bool AllOf(std::string_view text, std::string_view allowed) {
  return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

constexpr std::string_view kDigits = "0123456789";

std::optional<Value> ParseInteger(std::string_view text) {
  const bool negative = text.starts_with('-');
  std::string_view digits = text;
  int base = 10;
  if (text.starts_with("0o") || text.starts_with("0x")) {
    base = text[1] == 'o' ? 8 : 16;
    digits = text.substr(2);
    if (!AllOf(digits, base == 8 ? "01234567" : "0123456789abcdefABCDEF")) return std::nullopt;
  } else {
    if (negative || text.starts_with('+')) digits = text.substr(1);
    if (!AllOf(digits, kDigits)) return std::nullopt;
  }
  const std::string signed_digits = (negative ? "-" : "") + std::string(digits);
  int64_t number = 0;
  const char* end = signed_digits.data() + signed_digits.size();
  if (std::from_chars(signed_digits.data(), end, number, base).ec == std::errc()) return number;
  if (base != 10) return std::nullopt;
  double wide = 0;
  if (std::from_chars(signed_digits.data(), end, wide).ec != std::errc()) return std::nullopt;
  return wide;
}

// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
std::optional<Value> ParseFloat(std::string_view text) {
  std::string_view rest = text;
  if (rest.starts_with('-') || rest.starts_with('+')) rest.remove_prefix(1);
  const size_t whole = std::min(rest.find_first_not_of(kDigits), rest.size());
  size_t fraction = 0;
  rest.remove_prefix(whole);
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    fraction = std::min(rest.find_first_not_of(kDigits), rest.size());
    rest.remove_prefix(fraction);
  }
  if (whole + fraction == 0) return std::nullopt;
  if (rest.starts_with('e') || rest.starts_with('E')) {
    rest.remove_prefix(1);
    if (rest.starts_with('-') || rest.starts_with('+')) rest.remove_prefix(1);
    if (!AllOf(rest, kDigits)) return std::nullopt;
  } else if (!rest.empty()) {
    return std::nullopt;
  }
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc())
    return std::nullopt;
  return number;
}

// The YAML 1.2 core schema, without the infinities and NaN, which JSON cannot say.
Value TypePlain(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return {};
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  if (!std::string_view("+-.0123456789").contains(text[0])) return text;
  if (auto number = ParseInteger(text)) return *number;
  if (auto number = ParseFloat(text)) return *number;
  return text;
}

class Listener final : public YAML::EventHandler {
 public:
  Listener(std::string_view text, TreeBuilder& tree) : text_(text), tree_(tree) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node node;
    node.place = PlaceOf(mark);
    tree_.Scalar(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    tree_.Alias(anchor, PlaceOf(mark));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node node;
    node.place = PlaceOf(mark);
    const bool plain = tag.empty() || tag == "?";
    if (plain) {
      node.scalar = TypePlain(value);
      if (!node.is_string()) node.raw = value;
    } else if (tag == "!" || tag == "tag:yaml.org,2002:str") {
      node.scalar = value;
    } else {
      RefuseTag(tag, node.place);
    }
    if (node.is_string()) node.text = TextPlace(mark, value);
    tree_.Scalar(std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    if (tag != "?" && !tag.empty() && tag != "tag:yaml.org,2002:seq") RefuseTag(tag, PlaceOf(mark));
    tree_.Begin(Node::Kind::kList, PlaceOf(mark), anchor);
  }
  void OnSequenceEnd() override { tree_.End(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    if (tag != "?" && !tag.empty() && tag != "tag:yaml.org,2002:map") RefuseTag(tag, PlaceOf(mark));
    tree_.Begin(Node::Kind::kMap, PlaceOf(mark), anchor);
  }
  void OnMapEnd() override { tree_.End(); }

 private:
  [[noreturn]] static void RefuseTag(const std::string& tag, Place place) {
    throw TreeBuilder::Refused{{ErrorCode::kInvalidYaml,
                                fmt::format("Expected no tag but `!!str` but found {}", Quote(tag)),
                                place}};
  }

  // Known when the file has exactly those bytes at the mark, quotes aside.
  Place TextPlace(const YAML::Mark& mark, const std::string& value) const {
    if (mark.pos < 0 || static_cast<size_t>(mark.pos) >= text_.size()) return {};
    size_t at = static_cast<size_t>(mark.pos);
    if (text_[at] == '"' || text_[at] == '\'') ++at;
    if (text_.substr(at, value.size()) != value || value.contains('\n')) return {};
    Place place = PlaceOf(mark);
    place.column += static_cast<uint32_t>(at - static_cast<size_t>(mark.pos));
    return place;
  }

  const std::string_view text_;
  TreeBuilder& tree_;
};

}  // namespace

std::optional<Node> ParseYamlDocument(std::string_view text, Faults& faults) {
  // yaml-cpp guesses other encodings from zero bytes; a definition is UTF-8.
  if (!simdjson::validate_utf8(text) || text.contains('\0')) {
    faults.Add(ErrorCode::kInvalidYaml, {1, 1}, "Expected UTF-8 text but found other bytes");
    return std::nullopt;
  }
  TreeBuilder tree(faults, ErrorCode::kInvalidYaml);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    Listener listener(text, tree);
    if (!parser.HandleNextDocument(listener) || !tree.done()) {
      faults.Add(ErrorCode::kInvalidYaml, {1, 1}, "Expected a YAML document but found nothing");
      return std::nullopt;
    }
    Node root = tree.TakeRoot();
    if (parser.HandleNextDocument(listener)) {
      faults.Add(ErrorCode::kInvalidYaml, {1, 1},
                 "Expected one YAML document in the file but found another after `---`");
      return std::nullopt;
    }
    return root;
  } catch (const TreeBuilder::Refused& refused) {
    faults.Add(refused.fault.code, refused.fault.place, refused.fault.message);
  } catch (const YAML::Exception& exception) {
    faults.Add(ErrorCode::kInvalidYaml, PlaceOf(exception.mark),
               fmt::format("Expected YAML but found a fault: {}", exception.msg));
  } catch (const std::exception& exception) {
    faults.Add(ErrorCode::kInvalidYaml, {1, 1},
               fmt::format("Expected YAML but found a fault: {}", exception.what()));
  }
  return std::nullopt;
}

}  // namespace stele::definition
