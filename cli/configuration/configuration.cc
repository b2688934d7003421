#include "cli/configuration/configuration.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/check.h"
#include "cli/commands.h"
#include "cli/configuration/setting_sources.h"
#include "cli/configuration/setting_values.h"
#include "engine/definition/faults.h"

namespace stele::cli {

namespace {

// What --dev listens at when nothing else is said.
constexpr std::string_view kDevHttp = "127.0.0.1:7420";
constexpr std::string_view kDevRpc = "127.0.0.1:7421";

// Two are for the engine and for what it hands to other threads.
int64_t UsualConnectionLoops() {
  constexpr int64_t kMost = 4;
  const auto processors = static_cast<int64_t>(std::thread::hardware_concurrency());
  return std::clamp<int64_t>(processors - 2, 0, kMost);
}

std::string FileOf(const Arguments& arguments) {
  const char* const variable = std::getenv(std::string(kConfigurationVariable).c_str());
  return arguments.Get("--config", variable == nullptr ? "" : variable);
}

Value DefaultOf(const Setting& setting) {
  if (setting.otherwise.empty()) {
    if (setting.kind == SettingKind::kSwitch) return false;
    return setting.kind == SettingKind::kList ? Value(Array()) : Value();
  }
  definition::Faults none;
  auto value = TakeSetting(setting, std::vector{std::string(setting.otherwise)}, none);
  CHECK(value.has_value(), "the default of {} is none of its values", setting.name);
  return *std::move(value);
}

size_t IndexOf(std::string_view name) {
  const auto* const setting = std::ranges::find(kSettings, name, &Setting::name);
  CHECK(setting != std::end(kSettings), "there is no setting {}", name);
  return static_cast<size_t>(setting - std::begin(kSettings));
}

// Backups would be kept where they are lost with what they are of, and be taken for data.
Status CheckBackups(const Configuration& configuration) {
  const std::string backups = configuration.Text("backups");
  if (backups.empty()) return {};
  // Whether or not they are there, through every link that is.
  const auto found_at = [](const std::string& path) {
    std::error_code unknown;
    return std::filesystem::weakly_canonical(std::filesystem::absolute(path, unknown), unknown);
  };
  const auto data = found_at(configuration.Text("data"));
  const auto place = found_at(backups);
  const auto within = place.lexically_relative(data);
  if (within.empty() || *within.begin() == "..") return {};
  return RefuseSetting(configuration.Find("backups"),
                       fmt::format("Expected a directory outside the data directory but found {}",
                                   definition::Quote(backups)));
}

}  // namespace

std::string ToText(const Origin& origin) {
  switch (origin.kind) {
    case Origin::Kind::kDefault:
      return "default";
    case Origin::Kind::kFile:
      return fmt::format("file {}:{}", origin.name, origin.line);
    case Origin::Kind::kEnvironment:
      return "environment " + origin.name;
    case Origin::Kind::kFlag:
      return "flag " + origin.name;
  }
  return {};
}

std::string VariableOf(const Setting& setting) {
  std::string name(kVariablePrefix);
  for (const char c : setting.name)
    name += c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return name;
}

std::expected<Configuration, std::vector<Error>> Configuration::Read(const Arguments& arguments) {
  SettingSources sources;
  sources.TakeFlags(arguments);
  sources.TakeEnvironment();
  sources.TakeFile(FileOf(arguments));
  if (!sources.faults().empty()) return std::unexpected(std::move(sources.faults()));
  Configuration configuration;
  for (const Setting& setting : kSettings) {
    const ChosenSetting* const said = sources.Find(setting);
    configuration.settings_.push_back(
        said == nullptr ? ChosenSetting{&setting, DefaultOf(setting), {}} : *said);
  }
  ChosenSetting& http = configuration.settings_[IndexOf("http.listen")];
  ChosenSetting& rpc = configuration.settings_[IndexOf("rpc.listen")];
  if (configuration.Is("dev") && http.value.as_array().empty() && rpc.value.as_array().empty()) {
    http.value = Array{kDevHttp};
    rpc.value = Array{kDevRpc};
  }
  if (ChosenSetting& loops = configuration.settings_[IndexOf("connection_loops")];
      loops.value.is_null())
    loops.value = UsualConnectionLoops();
  if (const Status fits = CheckBackups(configuration); !fits.has_value())
    return std::unexpected(std::vector{fits.error()});
  return configuration;
}

const ChosenSetting& Configuration::Find(std::string_view name) const {
  return settings_[IndexOf(name)];
}

std::string Configuration::Text(std::string_view name) const {
  const Value& value = Find(name).value;
  return value.is_null() ? std::string() : value.as_string();
}

bool Configuration::Is(std::string_view name) const {
  return Find(name).value.as_bool();
}

int64_t Configuration::Number(std::string_view name) const {
  return Find(name).value.as_int();
}

std::vector<std::string> Configuration::List(std::string_view name) const {
  std::vector<std::string> list;
  for (const Value& item : Find(name).value.as_array()) list.push_back(item.as_string());
  return list;
}

std::unexpected<Error> RefuseSetting(const ChosenSetting& chosen, std::string_view what) {
  const bool by_flag = chosen.origin.kind == Origin::Kind::kFlag;
  return Fail(by_flag ? ErrorCode::kUsage : ErrorCode::kConfiguration,
              fmt::format("{} ({}): {}", chosen.setting->name, ToText(chosen.origin), what));
}

int RefuseAll(const Terminal& terminal, const std::vector<Error>& faults) {
  for (const Error& fault : faults) terminal.PrintError(fault);
  return kExitUsage;
}

}  // namespace stele::cli
