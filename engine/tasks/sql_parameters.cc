#include "engine/tasks/sql_parameters.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "base/base64.h"
#include "base/json.h"

namespace stele::tasks {
namespace {

using Faults = std::vector<std::string>;

// {base64: TEXT} is bytes.
const std::string* BytesOf(const Value& value) {
  if (!value.is_object() || value.as_object().size() != 1) return nullptr;
  const Value* text = value.Find("base64");
  return text != nullptr && text->is_string() ? &text->as_string() : nullptr;
}

std::optional<SqlParameter> MakeParameter(const Value& value, SqlDriver driver,
                                          const std::string& name, ConfigReader::Mode mode,
                                          Faults& faults) {
  if (const std::string* base64 = BytesOf(value)) {
    std::optional<std::string> bytes = DecodeBase64(*base64);
    bool open = mode == ConfigReader::Mode::kStatic;
    if (!bytes && !open) {
      faults.push_back(
          fmt::format("Expected the parameter {} to be base64 but found other "
                      "characters",
                      name));
    }
    return SqlParameter{Value(bytes.value_or("")), true};
  }
  if (value.is_array() || value.is_object()) return SqlParameter{Value(ToJson(value)), false};
  // PostgreSQL has no such text, and would take what stands before it.
  if (driver == SqlDriver::kPostgres && value.is_string() && value.as_string().contains('\0')) {
    faults.push_back(fmt::format(
        "Expected the parameter {} to hold no NUL character but found one: {{base64: …}} gives "
        "bytes",
        name));
    return std::nullopt;
  }
  return SqlParameter{value, false};
}

std::string Counted(size_t count) {
  return fmt::format("{} parameter{}", count, count == 1 ? "" : "s");
}

void CheckShape(const SqlText& text, const std::string& where, const Value* given, bool exact,
                Faults& faults) {
  bool named = !text.names.empty();
  if (named && text.positions > 0) {
    faults.push_back(
        fmt::format("Expected parameters by name or by number in `{}` but found :{} and numbers",
                    where, text.names[0]));
  } else if (given != nullptr && !given->is_array() && !given->is_object()) {
    faults.push_back(fmt::format("Expected `parameters` to be a list or an object but found {}",
                                 KindName(given->kind())));
  } else if (named && given != nullptr && given->is_array()) {
    faults.push_back(
        fmt::format("Expected `parameters` to be an object for :{} in `{}` but found "
                    "a list",
                    text.names[0], where));
  } else if (!named) {
    size_t count = given != nullptr && given->is_array() ? given->as_array().size() : 0;
    if (count != text.positions) {
      faults.push_back(
          fmt::format("Expected {} for `{}` but found {}", Counted(text.positions), where, count));
    }
  }
  if (std::max(text.names.size(), text.positions) > kMaxSqlParameters) {
    faults.push_back(
        fmt::format("Expected at most {} parameters in `{}`", kMaxSqlParameters, where));
  }
  if (!exact || given == nullptr || !given->is_object()) return;
  for (const Member& member : given->as_object()) {
    if (std::ranges::find(text.names, member.key) != text.names.end()) continue;
    faults.push_back(fmt::format("Expected a use of each parameter in `{}` but found no :{}", where,
                                 member.key));
  }
}

}  // namespace

std::expected<std::vector<SqlParameter>, std::vector<std::string>> BindParameters(
    const SqlText& text, SqlDriver driver, const std::string& where, const Value* given, bool exact,
    ConfigReader::Mode mode) {
  Faults faults;
  CheckShape(text, where, given, exact, faults);
  if (!faults.empty()) return std::unexpected(std::move(faults));
  std::vector<SqlParameter> parameters;
  auto add = [&](const Value& value, const std::string& name) {
    if (auto made = MakeParameter(value, driver, name, mode, faults)) {
      parameters.push_back(*std::move(made));
    }
  };
  for (const std::string& name : text.names) {
    const Value* value = given == nullptr ? nullptr : given->Find(name);
    if (value == nullptr) {
      faults.push_back(
          fmt::format("Expected `parameters` to hold {} for `{}` but found none", name, where));
    } else {
      add(*value, ":" + name);
    }
  }
  if (given != nullptr && given->is_array()) {
    for (const Value& value : given->as_array()) {
      add(value, fmt::format("{}", parameters.size() + 1));
    }
  }
  if (!faults.empty()) return std::unexpected(std::move(faults));
  return parameters;
}

}  // namespace stele::tasks
