#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/json.h"
#include "engine/definition/draft.h"

namespace stele::definition {
namespace {

bool HasTemplate(std::string_view text) {
  return text.contains("{{") || text.contains("${");
}

constexpr std::string_view kAtColumn = " at column ";

// What stands for a string whose template does not compile: nothing is known of its value.
constexpr std::string_view kUnknown = "{{ input }}";

// An expression's error, and the column that it names; 0: it names none.
struct Located {
  size_t column = 0;
  std::string before;  // the message up to where it names the column
  std::string after;
};

Located Locate(const std::string& message) {
  const size_t at = message.find(kAtColumn);
  if (at == std::string::npos) return {0, message, ""};
  const char* begin = message.data() + at + kAtColumn.size();
  size_t column = 0;
  const auto [end, error] = std::from_chars(begin, message.data() + message.size(), column);
  if (error != std::errc() || column == 0) return {0, message, ""};
  return {column, message.substr(0, at), end};
}

struct Piece {
  size_t begin;
  size_t end;
};

// The `{{ }}` of the text that the error, its first, is about. Nothing where it cannot be cut out
// so that the same is wrong with it alone.
std::optional<Piece> FaultyPiece(std::string_view text, const Error& error) {
  const Located fault = Locate(error.message);
  if (fault.column == 0 || fault.column > text.size()) return std::nullopt;
  const size_t begin = text.rfind("{{", fault.column - 1);
  if (begin == std::string_view::npos) return std::nullopt;
  const size_t end = text.find("}}", std::max(begin + 2, fault.column - 1));
  if (end == std::string_view::npos) return std::nullopt;
  const Piece piece{begin, end + 2};
  const auto alone = Template::Compile(Value(text.substr(begin, piece.end - begin)));
  if (alone) return std::nullopt;
  const Located same = Locate(alone.error().message);
  if (same.column + begin != fault.column || same.before != fault.before) return std::nullopt;
  return piece;
}

// Puts `kUnknown` in the place of each string that does not compile.
void DropFaults(Node& node) {
  for (Node& item : node.items) DropFaults(item);
  for (Entry& entry : node.entries) DropFaults(entry.value);
  if (node.is_string() && HasTemplate(node.scalar.as_string()) && !Template::Compile(node.scalar))
    node.scalar = Value(kUnknown);
}

Template Unknown() {
  return Template::Compile(Value(kUnknown)).value_or(Template());
}

}  // namespace

// The fault's place says the column, counted in the file.
void Compiler::AddFault(const Error& error, const Node& node, size_t offset) {
  const Located fault = Locate(error.message);
  const size_t column = offset + std::max<size_t>(fault.column, 1);
  if (node.text.line != 0)
    return faults_.Add(error.code,
                       {node.text.line, node.text.column + static_cast<uint32_t>(column - 1)},
                       fault.before + fault.after);
  faults_.Add(error.code, node.place,
              fault.column == 0
                  ? error.message
                  : fmt::format("{}{}{}{}", fault.before, kAtColumn, column, fault.after));
}

void Compiler::Note(std::span<const expression::Reference> references, const Node& node,
                    size_t offset) {
  for (const expression::Reference& reference : references) {
    if (reference.path.size() < 2) continue;
    if (reference.path[0] != "steps" && reference.path[0] != "variables") continue;
    Place place = node.place;
    if (node.text.line != 0 && reference.column > 0)
      place = {node.text.line,
               node.text.column + static_cast<uint32_t>(offset) + reference.column - 1};
    draft_.references.push_back({reference.path, place});
  }
}

std::optional<Expression> Compiler::Condition(const Node& node) {
  if (!node.is_scalar() || node.is_null()) {
    faults_.Add(ErrorCode::kInvalidDefinition, node.place,
                "Expected an expression as a condition but found " + Describe(node));
    return std::nullopt;
  }
  auto compiled = Expression::Compile(node.is_string() ? node.scalar.as_string() : node.raw);
  if (!compiled) {
    AddFault(compiled.error(), node);
    return std::nullopt;
  }
  Note(compiled->references(), node);
  return *std::move(compiled);
}

// String by string, so that a fault has the place of its string.
void Compiler::Check(const Node& node) {
  for (const Node& item : node.items) Check(item);
  for (const Entry& entry : node.entries) Check(entry.value);
  if (node.is_string() && HasTemplate(node.scalar.as_string())) CheckString(node);
}

// Compiling stops at the first template that is wrong; it goes on behind that one.
void Compiler::CheckString(const Node& node) {
  const std::string_view text = node.scalar.as_string();
  for (size_t begin = 0; begin < text.size();) {
    const std::string_view rest = text.substr(begin);
    const auto compiled = Template::Compile(Value(rest));
    if (compiled) return Note(compiled->references(), node, begin);
    AddFault(compiled.error(), node, begin);
    const auto piece = FaultyPiece(rest, compiled.error());
    if (!piece || faults_.full()) return;
    if (const auto before = Template::Compile(Value(rest.substr(0, piece->begin))))
      Note(before->references(), node, begin);
    begin += piece->end;
  }
}

Template Compiler::Rendered(const Node& node) {
  const size_t before = faults_.size();
  Check(node);
  Node sound;
  const bool faulty = faults_.size() > before || faults_.full();
  if (faulty) DropFaults(sound = node);
  auto compiled = Template::Compile(ToValue(faulty ? sound : node));
  if (compiled) return *std::move(compiled);
  AddFault(compiled.error(), node);
  return Unknown();
}

Template Compiler::Computed(const Node& node) {
  if (!node.is_string() || HasTemplate(node.scalar.as_string())) return Rendered(node);
  const std::string& text = node.scalar.as_string();
  const auto expression = Expression::Compile(text);
  if (!expression) {
    AddFault(expression.error(), node);
    return Unknown();
  }
  Note(expression->references(), node);
  auto compiled = Template::Compile(Value(fmt::format("{{{{ {} }}}}", text)));
  if (compiled) return *std::move(compiled);
  AddFault(compiled.error(), node);
  return Unknown();
}

std::optional<Expression> Compiler::AllOf(const std::vector<Expression>& conditions, Place place) {
  if (conditions.empty()) return std::nullopt;
  if (conditions.size() == 1) return conditions[0];
  std::string text;
  for (const Expression& condition : conditions)
    text += fmt::format("{}({})", text.empty() ? "" : " and ", condition.text());
  return Joined(text, place);
}

std::optional<Expression> Compiler::Not(const Expression& condition, Place place) {
  return Joined(fmt::format("not ({})", condition.text()), place);
}

std::optional<Expression> Compiler::Joined(const std::string& text, Place place) {
  auto compiled = Expression::Compile(text);
  if (compiled) return *std::move(compiled);
  faults_.Add(compiled.error().code, place,
              fmt::format("Expected conditions that can be joined to {} but found a fault: {}",
                          Quote(text), compiled.error().message));
  return std::nullopt;
}

}  // namespace stele::definition
