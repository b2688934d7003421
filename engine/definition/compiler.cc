#include <fmt/format.h>

#include <charconv>

#include "base/json.h"
#include "engine/definition/draft.h"

namespace stele::definition {
namespace {

bool HasTemplate(std::string_view text) {
  return text.contains("{{") || text.contains("${");
}

constexpr std::string_view kAtColumn = " at column ";

// The column that an expression's error names, and the message without it: the fault's place says
// it, counted in the file.
std::pair<size_t, std::string> SplitColumn(const std::string& message) {
  const size_t at = message.find(kAtColumn);
  if (at == std::string::npos) return {1, message};
  const char* begin = message.data() + at + kAtColumn.size();
  size_t column = 0;
  const auto [end, error] = std::from_chars(begin, message.data() + message.size(), column);
  if (error != std::errc() || column == 0) return {1, message};
  return {column, message.substr(0, at) + std::string(end)};
}

}  // namespace

void Compiler::AddFault(const Error& error, const Node& node) {
  const auto [column, message] = SplitColumn(error.message);
  if (node.text.line == 0) {
    faults_.Add(error.code, node.place, error.message);
  } else {
    faults_.Add(error.code, {node.text.line, node.text.column + static_cast<uint32_t>(column - 1)},
                message);
  }
}

void Compiler::Note(std::span<const expression::Reference> references, const Node& node) {
  for (const expression::Reference& reference : references) {
    if (reference.path.size() < 2) continue;
    if (reference.path[0] != "steps" && reference.path[0] != "variables") continue;
    Place place = node.place;
    if (node.text.line != 0 && reference.column > 0)
      place = {node.text.line, node.text.column + reference.column - 1};
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
  if (!node.is_string() || !HasTemplate(node.scalar.as_string())) return;
  const auto compiled = Template::Compile(node.scalar);
  if (!compiled) return AddFault(compiled.error(), node);
  Note(compiled->references(), node);
}

Template Compiler::Rendered(const Node& node) {
  const size_t before = faults_.size();
  Check(node);
  if (faults_.size() > before) return {};
  auto compiled = Template::Compile(ToValue(node));
  if (compiled) return *std::move(compiled);
  AddFault(compiled.error(), node);
  return {};
}

Template Compiler::Computed(const Node& node) {
  if (!node.is_string() || HasTemplate(node.scalar.as_string())) return Rendered(node);
  const std::string& text = node.scalar.as_string();
  const auto expression = Expression::Compile(text);
  if (!expression) {
    AddFault(expression.error(), node);
    return {};
  }
  Note(expression->references(), node);
  auto compiled = Template::Compile(Value(fmt::format("{{{{ {} }}}}", text)));
  if (compiled) return *std::move(compiled);
  AddFault(compiled.error(), node);
  return {};
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
