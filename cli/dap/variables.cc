#include "cli/dap/variables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/json.h"
#include "base/json_pointer.h"
#include "cli/text.h"

namespace stele::cli::dap {
namespace {

// Of a value as it stands in a line; what is longer is opened or copied.
constexpr size_t kShownWidth = 200;
constexpr size_t kBeforeWidth = 60;
// At one time, of a list that an editor asks for without saying how many.
constexpr int64_t kMaxItems = 10'000;
// What a move has changed is listed up to here.
constexpr size_t kMaxChanges = 500;

constexpr std::string_view kReserved[] = {"and", "or", "not", "in", "true", "false", "null"};

bool IsName(std::string_view key) {
  const auto is_plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  };
  return !key.empty() && std::ranges::all_of(key, is_plain) &&
         std::isdigit(static_cast<unsigned char>(key[0])) == 0 &&
         std::ranges::find(kReserved, key) == std::end(kReserved);
}

size_t SizeOf(const Value& value) {
  if (value.is_array()) return value.as_array().size();
  return value.is_object() ? value.as_object().size() : 0;
}

// Members or items of the value, `count` from `start` on.
std::vector<Shown> Inside(const Shown& shown, size_t start, size_t count) {
  std::vector<Shown> inside;
  const auto under = [&](std::string_view key) -> std::optional<std::string> {
    if (!shown.pointer) return std::nullopt;
    return Under(*shown.pointer, key);
  };
  const bool has_expression = !shown.expression.empty();
  if (shown.value->is_array()) {
    const Array& items = shown.value->as_array();
    for (size_t i = start; i < items.size() && inside.size() < count; ++i)
      inside.push_back({fmt::format("{}", i), &items[i], under(std::to_string(i)),
                        has_expression ? ItemOf(shown.expression, i) : ""});
  } else if (shown.value->is_object()) {
    size_t at = 0;
    for (const Member& member : shown.value->as_object())
      if (at++ >= start && inside.size() < count)
        inside.push_back({member.key, &member.value, under(member.key),
                          has_expression ? MemberOf(shown.expression, member.key) : ""});
  }
  return inside;
}

}  // namespace

ChangeMarks::ChangeMarks(Value before, const Array& patch) : before_(std::move(before)) {
  for (const Value& operation : patch) {
    const std::string& pointer = operation.Find("path")->as_string();
    if (pointer == "/seq" || pointer == "/position") continue;  // every move changes them
    const Value* now = operation.Find("value");
    const auto keys = PointerKeys(pointer);
    const Value* was = keys ? ValueAt(before_, *keys) : nullptr;
    const bool is_new = operation.Find("op")->as_string() == "add";
    notes_[pointer] = is_new || was == nullptr ? ", new" : ", was " + CutJson(*was, kBeforeWidth);
    if (lines_.size() == kMaxChanges) continue;
    lines_.push_back(
        {pointer,
         fmt::format("{} → {}", is_new || was == nullptr ? "nothing" : CutJson(*was, kShownWidth),
                     now == nullptr ? "nothing" : CutJson(*now, kShownWidth))});
  }
}

std::string ChangeMarks::At(const std::optional<std::string>& pointer) const {
  if (!pointer || notes_.empty()) return "";
  if (const auto found = notes_.find(*pointer); found != notes_.end()) return found->second;
  const std::string within = *pointer + "/";
  const auto inside = notes_.lower_bound(within);
  return inside != notes_.end() && inside->first.starts_with(within) ? ", changed inside" : "";
}

void Variables::Forget() {
  marks_ = {};
  nodes_.clear();
  kept_.clear();
}

const Value* Variables::Keep(Value value) {
  return &kept_.emplace_back(std::move(value));
}

int64_t Variables::NumberOf(std::vector<Shown> list) {
  if (list.empty()) return 0;
  nodes_.push_back({std::move(list), std::nullopt});
  return static_cast<int64_t>(nodes_.size());
}

int64_t Variables::NumberOf(const Shown& shown) {
  if (SizeOf(*shown.value) == 0) return 0;
  nodes_.push_back({{}, shown});
  return static_cast<int64_t>(nodes_.size());
}

Object Variables::Describe(const Shown& shown) {
  if (!shown.text.empty()) return {{"value", shown.text}, {"variablesReference", 0}};
  Object described{{"value", CutJson(*shown.value, kShownWidth)},
                   {"type", std::string(KindName(shown.value->kind())) + marks_.At(shown.pointer)},
                   {"variablesReference", NumberOf(shown)}};
  if (const size_t size = SizeOf(*shown.value); size > 0)
    described.Set(shown.value->is_array() ? "indexedVariables" : "namedVariables",
                  static_cast<int64_t>(size));
  return described;
}

Object Variables::Line(const Shown& shown) {
  Object line{{"name", Clean(shown.name)}};
  for (Member& member : Describe(shown)) line.Set(member.key, std::move(member.value));
  if (!shown.expression.empty()) line.Set("evaluateName", shown.expression);
  line.Set("presentationHint", Object{{"attributes", Array{"readOnly"}}});
  return line;
}

Result<Object> Variables::Open(const Fields& arguments) {
  const Result<int64_t> number = arguments.Integer("variablesReference");
  if (!number.has_value()) return std::unexpected(number.error());
  if (*number < 1 || static_cast<uint64_t>(*number) > nodes_.size())
    return Fail(
        ErrorCode::kInvalidInput,
        fmt::format("Expected a variablesReference of the last stop but found {}", *number));
  const Node node = nodes_[static_cast<size_t>(*number) - 1];
  const int64_t start = std::max<int64_t>(arguments.IntegerOr("start", 0), 0);
  int64_t count = arguments.IntegerOr("count", 0);
  if (count <= 0 || count > kMaxItems) count = kMaxItems;
  const std::string filter = arguments.TextOr("filter");
  const bool is_list = node.value && node.value->value->is_array();
  Array lines;
  if (filter.empty() || (filter == "indexed") == is_list) {
    const std::vector<Shown> inside =
        node.value ? Inside(*node.value, static_cast<size_t>(start), static_cast<size_t>(count))
                   : node.list;
    for (const Shown& shown : inside) lines.emplace_back(Line(shown));
  }
  return Object{{"variables", std::move(lines)}};
}

std::string MemberOf(const std::string& expression, std::string_view key) {
  if (IsName(key))
    return expression.empty() ? std::string(key) : fmt::format("{}.{}", expression, key);
  if (expression.empty()) return "";
  std::string quoted;
  WriteJsonString(key, quoted);
  return fmt::format("{}[{}]", expression, quoted);
}

std::string ItemOf(const std::string& expression, size_t index) {
  return fmt::format("{}[{}]", expression, index);
}

}  // namespace stele::cli::dap
