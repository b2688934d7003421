#include "engine/tasks/script_plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>

#include "base/json.h"
#include "engine/tasks/argument_text.h"
#include "engine/tasks/bounded_text.h"
#include "engine/tasks/program_path.h"

namespace stele::tasks {
namespace {

namespace fs = std::filesystem;

struct RuntimeName {
  std::string_view name;
  Runtime runtime;
};
constexpr RuntimeName kRuntimeNames[] = {
    {"bash", Runtime::kBash},     {"sh", Runtime::kSh},           {"shell", Runtime::kShell},
    {"python", Runtime::kPython}, {"python3", Runtime::kPython},  {"node", Runtime::kNode},
    {"nodejs", Runtime::kNode},   {"javascript", Runtime::kNode},
};
constexpr RuntimeName kEndings[] = {
    {".py", Runtime::kPython}, {".js", Runtime::kNode},  {".mjs", Runtime::kNode},
    {".cjs", Runtime::kNode},  {".sh", Runtime::kShell}, {".bash", Runtime::kBash},
};
constexpr size_t kMaxFileNameBytes = 4095;
constexpr size_t kShownLineBytes = 128;

// The programs that can run it, the best first.
std::vector<std::string_view> Programs(Runtime runtime) {
  switch (runtime) {
    case Runtime::kShell:
      return {"bash", "sh"};
    case Runtime::kBash:
      return {"bash"};
    case Runtime::kSh:
      return {"sh"};
    case Runtime::kPython:
      return {"python3", "python"};
    case Runtime::kNode:
      return {"node", "nodejs"};
  }
  return {};
}

std::string_view Ending(Runtime runtime) {
  switch (runtime) {
    case Runtime::kShell:
    case Runtime::kBash:
    case Runtime::kSh:
      return ".sh";
    case Runtime::kPython:
      return ".py";
    case Runtime::kNode:
      return ".js";
  }
  return "";
}

std::optional<Runtime> RuntimeNamed(std::string_view name) {
  for (const RuntimeName& entry : kRuntimeNames) {
    if (entry.name == name) return entry.runtime;
  }
  return std::nullopt;
}

std::optional<Runtime> RuntimeOfEnding(std::string_view file) {
  for (const RuntimeName& entry : kEndings) {
    if (file.ends_with(entry.name)) return entry.runtime;
  }
  return std::nullopt;
}

// What may stand in front of a file's second line.
std::string BeginningOf(const std::string& path) {
  std::string text(kShownLineBytes, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

// "#!/usr/bin/env python3" and "#!/bin/bash -e" name the runtime as well.
std::optional<Runtime> RuntimeOfFirstLine(std::string_view text) {
  if (!text.starts_with("#!")) return std::nullopt;
  std::string_view line = text.substr(0, text.find('\n'));
  for (const RuntimeName& entry : kRuntimeNames) {
    size_t at = line.rfind(entry.name);
    if (at == std::string_view::npos || (line[at - 1] != '/' && line[at - 1] != ' ')) continue;
    size_t end = line.find_first_not_of("0123456789.", at + entry.name.size());
    end = std::min(end, line.size());
    if (end == line.size() || line[end] == ' ' || line[end] == '\r') return entry.runtime;
  }
  return std::nullopt;
}

TaskFailure Config(std::string message) {
  return TaskFailure{"config", std::move(message), false, {}};
}

bool IsFile(const std::string& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

// The path of the file that `name` names; empty when it names none.
std::string FindScriptFile(std::string_view name, const ScriptOptions& options) {
  if (name.empty() || name.size() > kMaxFileNameBytes || name.find('\n') != std::string_view::npos)
    return {};
  std::vector<std::string> directories = {options.base_directory};
  directories.insert(directories.end(), options.search_directories.begin(),
                     options.search_directories.end());
  for (const std::string& directory : directories) {
    std::string path = (fs::path(directory) / name).string();
    std::error_code ignored;
    if (IsFile(path)) return fs::absolute(path, ignored).string();
  }
  return {};
}

// No text of a script, surely: one word with the ending of a script file.
bool LooksLikeFileName(std::string_view text) {
  return text.find_first_of(" \t\r\n;&|<>$`'\"()") == std::string_view::npos &&
         RuntimeOfEnding(text).has_value();
}

std::string_view PathOf(const ScriptConfig& config, const ScriptOptions& options) {
  std::string_view path;
  for (const auto* variables : {&options.environment, &config.environment}) {
    for (const auto& [name, value] : *variables) {
      if (name == "PATH") path = value;
    }
  }
  return path;
}

// "order-id" is INPUT_ORDER_ID.
std::string InputVariable(std::string_view name) {
  std::string variable = "INPUT_";
  for (char c : name) {
    if (c >= 'a' && c <= 'z') {
      variable += static_cast<char>(c - 'a' + 'A');
    } else {
      variable += (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ? c : '_';
    }
  }
  return variable;
}

// The secrets and their key come by `{{secrets.…}}` alone, which is masked.
void CheckInherited(const std::vector<std::string>& names, ConfigReader& reader) {
  for (const std::string& name : names) {
    if (reader.IsOpen(Value(name))) continue;
    if (!IsVariableName(name)) {
      reader.AddFault(fmt::format(
          "Expected the name of a variable in `inherit_environment` but found \"{}\"", name));
    } else if (name.starts_with("STELE_SECRET")) {
      reader.AddFault(fmt::format(
          "Expected no secret in `inherit_environment` but found \"{}\"; declare it in `env` as "
          "{{{{secrets.NAME}}}}",
          name));
    }
  }
}

bool FitsEnvironment(std::string_view value) {
  return value.size() <= kMaxEnvironmentValueBytes && value.find('\0') == std::string_view::npos;
}

}  // namespace

std::expected<ScriptConfig, std::vector<std::string>> ReadScriptConfig(const Value& config,
                                                                       ConfigReader::Mode mode) {
  ConfigReader reader(config, mode);
  ScriptConfig script;
  script.script = reader.Text("script").value_or("");
  script.command = reader.Text("command").value_or("");
  if (reader.Has("script") && reader.Has("command")) {
    reader.AddFault("Expected one of `script` and `command` but found both");
  } else if (script.script.empty() && script.command.empty()) {
    reader.AddFault("Expected `script` (a text or a file) or `command` (a line) but found neither");
  }
  std::string executor = reader.Text("executor").value_or("");
  script.runtime = reader.Text("runtime").value_or(executor);
  bool open = reader.IsOpen(Value(script.runtime));
  std::optional<Runtime> runtime = RuntimeNamed(script.runtime);
  if (!script.runtime.empty() && !open && !runtime) {
    reader.AddFault(
        fmt::format("Expected the runtime to be one of bash, sh, shell, python, python3, node, "
                    "nodejs, javascript but found \"{}\"",
                    script.runtime));
  }
  if (!script.command.empty() && (runtime == Runtime::kPython || runtime == Runtime::kNode)) {
    reader.AddFault(fmt::format(
        "Expected a shell as the runtime of `command` but found \"{}\"; use `script` for it",
        script.runtime));
  }
  script.arguments = reader.TextList("args");
  script.environment = reader.TextMap("env");
  for (auto& variable : reader.TextMap("environment"))
    script.environment.push_back(std::move(variable));
  script.inherited = reader.TextList("inherit_environment");
  CheckInherited(script.inherited, reader);
  for (const auto& [name, value] : script.environment) {
    if (!IsVariableName(name)) {
      reader.AddFault(
          fmt::format("Expected the name of a variable in `env` but found \"{}\"", name));
    }
    if (!FitsEnvironment(value)) {
      reader.AddFault(fmt::format("Expected `env.{}` to be a text of at most {} bytes without NUL",
                                  name, kMaxEnvironmentValueBytes));
    }
  }
  for (const std::string& argument : script.arguments) {
    if (!FitsEnvironment(argument)) {
      reader.AddFault(fmt::format("Expected each of `args` to be at most {} bytes without NUL",
                                  kMaxEnvironmentValueBytes));
    }
  }
  script.working_directory = reader.Text("working_directory").value_or("");
  script.timeout_us = reader.DurationUs("timeout");
  script.confinement = ReadConfinement(reader, mode);
  std::vector<std::string> faults = reader.TakeFaults();
  if (!faults.empty()) return std::unexpected(std::move(faults));
  return script;
}

std::expected<ScriptPlan, TaskFailure> PlanScript(const ScriptConfig& config,
                                                  const ScriptOptions& options) {
  ScriptPlan plan;
  plan.text = config.command.empty() ? config.script : config.command + "\n";
  if (config.command.empty()) plan.file = FindScriptFile(config.script, options);
  if (plan.file.empty() && config.command.empty() && LooksLikeFileName(config.script)) {
    std::vector<std::string> looked_in = {options.base_directory};
    looked_in.insert(looked_in.end(), options.search_directories.begin(),
                     options.search_directories.end());
    return std::unexpected(Config(fmt::format("Expected the script file {} in {} but found none",
                                              config.script, fmt::join(looked_in, ", "))));
  }
  std::optional<Runtime> runtime = RuntimeNamed(config.runtime);
  if (!runtime && !plan.file.empty()) runtime = RuntimeOfEnding(plan.file);
  if (!runtime) {
    const std::string text = plan.file.empty() ? plan.text : BeginningOf(plan.file);
    runtime = RuntimeOfFirstLine(text);
    if (!runtime && text.starts_with("#!")) {
      return std::unexpected(Config(
          fmt::format("Expected a first line that names sh, bash, python or node but found \"{}\"",
                      Head(text.substr(0, text.find('\n')), kShownLineBytes))));
    }
  }
  Runtime chosen = runtime.value_or(Runtime::kShell);
  plan.file_name = fmt::format("script{}", Ending(chosen));

  std::string_view path = PathOf(config, options);
  for (std::string_view program : Programs(chosen)) {
    plan.interpreter = FindProgram(program, path);
    if (!plan.interpreter.empty()) break;
  }
  if (plan.interpreter.empty()) {
    return std::unexpected(TaskFailure{
        "unavailable",
        fmt::format("Expected the interpreter {} in a directory of PATH ({}) but found none",
                    fmt::join(Programs(chosen), " or "), path),
        false,
        {}});
  }
  if (!config.working_directory.empty()) {
    std::error_code error;
    fs::path directory =
        fs::absolute(fs::path(options.base_directory) / config.working_directory, error);
    if (!fs::is_directory(directory, error)) {
      return std::unexpected(Config(fmt::format(
          "Expected the working directory {} but found no such directory", directory.string())));
    }
    plan.working_directory = directory.string();
  }
  return plan;
}

std::vector<std::string> ScriptEnvironment(const ScriptConfig& config, const ScriptOptions& options,
                                           const TaskRequest& request,
                                           const std::string& input_file,
                                           const std::string& outputs_file,
                                           const std::string& temporary_directory) {
  // Later ones win: what is declared over what is inherited, the engine's own over both.
  std::vector<std::pair<std::string, std::string>> variables = options.environment;
  auto set = [&variables](std::string name, std::string value) {
    auto place = std::ranges::find(variables, name, &std::pair<std::string, std::string>::first);
    if (place == variables.end()) {
      variables.emplace_back(std::move(name), std::move(value));
    } else {
      place->second = std::move(value);
    }
  };
  for (const std::string& name : config.inherited) {
    for (const auto& [known, value] : options.inheritable) {
      if (known == name) set(name, value);
    }
  }
  set("TMPDIR", temporary_directory);
  if (request.input.is_object()) {
    for (const Member& member : request.input.as_object()) {
      std::optional<std::string> text = ScalarText(member.value);
      if (text && FitsEnvironment(*text)) set(InputVariable(member.key), *std::move(text));
    }
  }
  if (!request.trace_parent.empty()) set("TRACEPARENT", request.trace_parent);
  for (const auto& [name, value] : config.environment) set(name, value);
  std::string input = ToJson(request.input);
  if (FitsEnvironment(input)) set("STELE_INPUT", std::move(input));
  set("STELE_INPUT_FILE", input_file);
  set("STELE_OUTPUTS", outputs_file);
  std::error_code ignored;
  set("STELE_WORKSPACE", fs::absolute(options.base_directory, ignored).lexically_normal().string());
  set("STELE_IDEMPOTENCY_KEY", request.key.ToString());
  set("STELE_INSTANCE", fmt::format("{}", request.key.instance.value));
  set("STELE_STEP", std::string(request.step_id));
  set("STELE_ATTEMPT", fmt::format("{}", request.key.attempt));
  std::vector<std::string> environment;
  environment.reserve(variables.size());
  for (const auto& [name, value] : variables) environment.push_back(name + "=" + value);
  return environment;
}

}  // namespace stele::tasks
