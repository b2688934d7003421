#include "cli/configuration/setting_sources.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/utf8.h"
#include "cli/configuration/setting_values.h"
#include "cli/given.h"
#include "engine/definition/limits.h"
#include "engine/definition/reader.h"

namespace stele::cli {

namespace {

using definition::Faults;
using definition::Node;

// "http" of "http.listen"; empty: it stands at the top.
std::string_view SectionOf(std::string_view name) {
  const size_t dot = name.find('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
}

// The keys that a section may have; of the empty one: those at the top.
std::vector<std::string> KeysOf(std::string_view section) {
  std::vector<std::string> keys;
  for (const Setting& setting : kSettings) {
    const std::string_view own = SectionOf(setting.name);
    std::string_view key = setting.name;
    if (own != section && !section.empty()) continue;
    if (!own.empty()) key = section.empty() ? own : key.substr(section.size() + 1);
    if (std::ranges::find(keys, key) == keys.end()) keys.emplace_back(key);
  }
  return keys;
}

// Blanks around a comma are none of what it parts.
std::string WithoutBlanks(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t");
  return begin == std::string::npos ? ""
                                    : text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::vector<std::string> SplitAtCommas(const std::string& text) {
  std::vector<std::string> pieces;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    pieces.push_back(WithoutBlanks(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return pieces;
}

// What Kubernetes tells every container of the services beside it; one may be called "stele-http".
bool IsOfService(std::string_view word) {
  return word.ends_with("_PORT") || word.contains("_PORT_") || word.contains("_SERVICE_");
}

Result<std::string> ReadRegular(const std::string& path) {
  STELE_RETURN_IF_ERROR(CheckRegularFile(path));
  return ReadGivenFile(path, definition::kMaxFileBytes);
}

}  // namespace

void SettingSources::Choose(const Setting& setting, std::optional<Value> value, Origin origin) {
  if (value.has_value())
    chosen_.try_emplace(setting.name,
                        ChosenSetting{&setting, *std::move(value), std::move(origin)});
}

const ChosenSetting* SettingSources::Find(const Setting& setting) const {
  const auto found = chosen_.find(setting.name);
  return found == chosen_.end() ? nullptr : &found->second;
}

void SettingSources::Add(ErrorCode code, std::string_view where, Faults& found) {
  for (const definition::Fault& fault : found.Take())
    faults_.push_back({code, fmt::format("{}: {}", where, fault.message)});
}

void SettingSources::TakeFlags(const Arguments& arguments) {
  for (const Setting& setting : kSettings) {
    if (!arguments.Has(setting.flag)) continue;
    Faults found;
    const Origin origin{Origin::Kind::kFlag, std::string(setting.flag)};
    Choose(setting,
           setting.kind == SettingKind::kSwitch
               ? Value(true)
               : TakeSetting(setting, arguments.All(setting.flag), found),
           origin);
    Add(ErrorCode::kUsage, origin.name, found);
  }
}

void SettingSources::TakeVariable(const Setting& setting, const std::string& name,
                                  const std::string& text) {
  const bool is_path =
      setting.kind == SettingKind::kFile || setting.kind == SettingKind::kDirectory;
  if (!is_path && !IsUtf8(text)) {
    faults_.push_back(
        {ErrorCode::kConfiguration, fmt::format("{}: Expected UTF-8 but found other bytes", name)});
    return;
  }
  Faults found;
  Choose(setting,
         TakeSetting(setting,
                     setting.kind == SettingKind::kList ? SplitAtCommas(text)
                                                        : std::vector<std::string>{text},
                     found),
         {Origin::Kind::kEnvironment, name});
  Add(ErrorCode::kConfiguration, name, found);
}

void SettingSources::LookForUnknown(std::string_view variable) {
  if (!variable.starts_with(kVariablePrefix) || variable == kConfigurationVariable) return;
  const std::string_view word = variable.substr(kVariablePrefix.size());
  std::vector<std::string> known;
  bool of_section = false;
  for (const Setting& setting : kSettings) {
    known.push_back(VariableOf(setting).substr(kVariablePrefix.size()));
    if (known.back() == word) return;
    const std::string_view section = SectionOf(setting.name);
    of_section = of_section ||
                 (!section.empty() &&
                  word.starts_with(std::string_view(known.back()).substr(0, section.size() + 1)));
  }
  const std::string near = Nearest(word, known);
  if (IsOfService(word) || (!of_section && near.empty())) return;
  faults_.push_back({ErrorCode::kConfiguration,
                     fmt::format("Expected {} but found the variable {}",
                                 near.empty() ? "a variable of \"stele config\""
                                              : fmt::format("{}{} perhaps", kVariablePrefix, near),
                                 variable)});
}

void SettingSources::TakeEnvironment() {
  for (const Setting& setting : kSettings) {
    const std::string name = VariableOf(setting);
    // One that is empty was not filled in by whoever made the environment.
    const char* const text = std::getenv(name.c_str());
    if (text != nullptr && *text != '\0') TakeVariable(setting, name, text);
  }
  std::vector<std::string_view> names;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view all = *variable;
    names.push_back(all.substr(0, all.find('=')));
  }
  std::ranges::sort(names);
  for (const std::string_view name : names) LookForUnknown(name);
}

void SettingSources::TakeEntry(const definition::Entry& entry, std::string_view section,
                               const std::string& path, Faults& found) {
  const std::string name = section.empty() ? entry.key : fmt::format("{}.{}", section, entry.key);
  const bool is_dotted = section.empty() && entry.key.contains('.');
  const auto* const setting = std::ranges::find(kSettings, name, &Setting::name);
  if (setting != std::end(kSettings) && !is_dotted) {
    Node value = entry.value;
    // What is not there has no place of its own.
    if (value.is_null()) value.place = entry.place;
    Faults own;
    Choose(*setting, TakeSetting(*setting, value, std::filesystem::path(path).parent_path(), own),
           {Origin::Kind::kFile, path, entry.place.line});
    for (const definition::Fault& fault : own.Take())
      found.Add(fault.code, fault.place, fmt::format("{}: {}", name, fault.message));
    return;
  }
  const std::vector<std::string> keys = KeysOf(section);
  const bool is_section = section.empty() && std::ranges::find(keys, entry.key) != keys.end();
  if (is_section) return TakeMap(entry.value, entry.key, path, found);
  const std::string near = found.Suggest(entry.key, keys);
  std::string expected = near.empty() ? fmt::format("one of {}", definition::QuoteList(keys))
                                      : fmt::format("\"{}\" perhaps", near);
  if (is_dotted)
    expected = fmt::format("\"{}\" under a key \"{}:\"", entry.key.substr(entry.key.find('.') + 1),
                           SectionOf(entry.key));
  found.Add(
      ErrorCode::kConfiguration, entry.place,
      fmt::format("{}Expected {} but found {}", section.empty() ? "" : std::string(section) + ": ",
                  expected, definition::Quote(entry.key)));
}

void SettingSources::TakeMap(const Node& map, std::string_view section, const std::string& path,
                             Faults& found) {
  // A section whose keys are all commented out.
  if (map.is_null() && !section.empty()) return;
  if (!map.is_map())
    return found.Add(
        ErrorCode::kConfiguration, map.place,
        fmt::format("Expected a mapping of {} but found {}", definition::QuoteList(KeysOf(section)),
                    definition::Describe(map)));
  for (const definition::Entry& entry : map.entries) TakeEntry(entry, section, path, found);
}

void SettingSources::TakeFile(const std::string& path) {
  if (path.empty()) return;
  const Result<std::string> text = ReadRegular(path);
  if (!text.has_value()) {
    faults_.push_back({ErrorCode::kConfiguration,
                       fmt::format("the configuration file: {}", text.error().message)});
    return;
  }
  Faults found;
  if (const auto root = definition::ParseDocument(*text, definition::SyntaxOf(path, *text), found);
      root.has_value())
    TakeMap(*root, "", path, found);
  for (const definition::Fault& fault : found.Take())
    faults_.push_back(
        {ErrorCode::kConfiguration,
         fmt::format("{}:{}:{}: {}", path, fault.place.line, fault.place.column, fault.message)});
}

}  // namespace stele::cli
