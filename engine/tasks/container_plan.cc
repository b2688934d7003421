#include "engine/tasks/container_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "engine/tasks/argument_text.h"
#include "engine/tasks/program_path.h"
#include "engine/tasks/script_plan.h"

namespace stele::tasks {
namespace {

// What docker, podman, the Go runtime and the loader look at in their own environment.
constexpr std::string_view kClientPrefixes[] = {
    "DOCKER_", "CONTAINER", "PODMAN", "BUILDAH", "REGISTRY_", "STORAGE_", "XDG_", "LD_",
    "GO",      "SSL_",      "DBUS_",  "NOTIFY_", "SYSTEMD",   "LISTEN_",  "TMP",  "SSH_"};
constexpr std::string_view kClientNames[] = {"PATH",       "HOME",        "LANG",     "USER",
                                             "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
                                             "http_proxy", "https_proxy", "no_proxy", "all_proxy"};

bool ClientListensTo(std::string_view name) {
  return std::ranges::find(kClientNames, name) != std::end(kClientNames) ||
         std::ranges::any_of(kClientPrefixes,
                             [name](std::string_view prefix) { return name.starts_with(prefix); });
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// The length of "12" or "1.5" at the beginning of `text`.
size_t NumberLength(std::string_view text) {
  size_t end = 0;
  while (end < text.size() && IsDigit(text[end])) ++end;
  if (end > 0 && end + 1 < text.size() && text[end] == '.' && IsDigit(text[end + 1])) {
    ++end;
    while (end < text.size() && IsDigit(text[end])) ++end;
  }
  return end;
}

// "512m", "1.5g", "536870912"
bool IsMemory(std::string_view text) {
  size_t number = NumberLength(text);
  std::string_view unit = text.substr(number);
  return number > 0 && unit.size() <= 3 && std::ranges::all_of(unit, IsLetter);
}

bool IsCpus(std::string_view text) {
  return !text.empty() && NumberLength(text) == text.size();
}

bool IsVolumeName(std::string_view text) {
  auto allowed = [](char c) {
    return IsLetter(c) || IsDigit(c) || c == '_' || c == '.' || c == '-';
  };
  return !text.empty() && (IsLetter(text[0]) || IsDigit(text[0])) &&
         std::ranges::all_of(text, allowed);
}

bool IsRelative(std::string_view path) {
  return path == "." || path == ".." || path.starts_with("./") || path.starts_with("../");
}

// [source:]target[:options]. What is wrong with it, or nothing.
std::string_view VolumeFault(std::string_view volume) {
  std::vector<std::string_view> parts;
  for (size_t at = 0; at <= volume.size();) {
    size_t end = std::min(volume.find(':', at), volume.size());
    parts.push_back(volume.substr(at, end - at));
    at = end + 1;
  }
  if (parts.size() > 3) return "source:target:options";
  std::string_view target = parts.size() == 1 ? parts[0] : parts[1];
  if (!target.starts_with('/')) return "source:target with an absolute target";
  if (target == kContainerDirectory || target.starts_with(std::string(kContainerDirectory) + "/")) {
    return "a target outside of /stele, which is the engine's";
  }
  if (parts.size() > 1 && !parts[0].starts_with('/') && !IsRelative(parts[0]) &&
      !IsVolumeName(parts[0])) {
    return "an absolute path, one that begins with ./, or the name of a volume as its source";
  }
  return {};
}

void ReadVolumes(ConfigReader& reader, ContainerConfig& container) {
  container.volumes = reader.TextList("volumes");
  for (size_t i = 0; i < container.volumes.size(); ++i) {
    const std::string& volume = container.volumes[i];
    std::string name = fmt::format("volumes[{}]", i);
    if (reader.IsOpen(Value(volume)) || !CheckArgument(reader, name, volume)) continue;
    if (std::string_view expected = VolumeFault(volume); !expected.empty()) {
      reader.AddFault(
          fmt::format("Expected `{}` to be {} but found \"{}\"", name, expected, volume));
    }
  }
}

void ReadCommand(ConfigReader& reader, ContainerConfig& container) {
  const Value* command = reader.Any("command");
  if (command != nullptr && command->is_array()) {
    container.command = reader.TextList("command");
  } else {
    container.shell_command = reader.Text("command").value_or("");
  }
  container.arguments = reader.TextList("args");
  if (std::optional<std::string> entrypoint = ReadArgument(reader, "entrypoint")) {
    container.entrypoint = *entrypoint;
    if (!container.shell_command.empty() && !reader.IsOpen(Value(container.shell_command))) {
      reader.AddFault("Expected `command` to be a list beside `entrypoint` but found a text");
    }
  }
  for (const auto* list : {&container.command, &container.arguments}) {
    if (std::ranges::any_of(*list, [](const std::string& text) { return text.contains('\0'); })) {
      reader.AddFault("Expected `command` and `args` without NUL");
    }
  }
}

void ReadEnvironment(ConfigReader& reader, ContainerConfig& container) {
  bool both = reader.Has("environment") && reader.Has("env");
  if (both) reader.AddFault("Expected one of `environment` and `env` but found both");
  std::string_view key = reader.Has("env") ? "env" : "environment";
  container.environment = reader.TextMap(key);
  CheckVariables(reader, key, container.environment);
}

void ReadResources(ConfigReader& reader, ContainerConfig& container) {
  auto check = [&reader](std::string_view key, auto accepts, std::string_view expected) {
    std::optional<std::string> text = ReadArgument(reader, key);
    if (text && !reader.IsOpen(Value(*text)) && !accepts(*text)) {
      reader.AddFault(fmt::format("Expected `{}` to be {} but found \"{}\"", key, expected, *text));
    }
    return text.value_or("");
  };
  container.memory = check("memory", IsMemory, "a size such as 512m");
  container.cpus = check("cpus", IsCpus, "a number such as 1.5");
  container.workdir = check(
      "workdir", [](std::string_view path) { return path.starts_with('/'); }, "an absolute path");
  container.network = ReadArgument(reader, "network").value_or("");
  container.user = ReadArgument(reader, "user").value_or("");
}

void AddOption(std::vector<std::string>& arguments, std::string_view name,
               const std::string& value) {
  if (!value.empty()) arguments.push_back(fmt::format("--{}={}", name, value));
}

std::string Resolved(const std::string& volume, const std::string& base_directory) {
  size_t colon = volume.find(':');
  std::string source = volume.substr(0, colon);
  if (colon == std::string::npos || !IsRelative(source)) return volume;
  std::error_code ignored;
  std::filesystem::path path =
      std::filesystem::absolute(std::filesystem::path(base_directory) / source, ignored);
  return path.lexically_normal().string() + volume.substr(colon);
}

}  // namespace

std::expected<ContainerConfig, std::vector<std::string>> ReadContainerConfig(
    const Value& config, ConfigReader::Mode mode) {
  ConfigReader reader(config, mode);
  ContainerConfig container;
  std::string executor = ReadChoice(reader, "executor", {"docker", "podman"}, "");
  container.runtime = ReadChoice(reader, "runtime", {"docker", "podman"}, executor);
  if (!reader.Has("image")) reader.AddFault("Expected `image` but found none");
  container.image = ReadArgument(reader, "image").value_or("");
  ReadCommand(reader, container);
  ReadEnvironment(reader, container);
  ReadVolumes(reader, container);
  ReadResources(reader, container);
  container.pull = ReadChoice(reader, "pull", {"always", "missing", "never"}, "");
  container.timeout_us = reader.DurationUs("timeout");
  std::vector<std::string> faults = reader.TakeFaults();
  if (!faults.empty()) return std::unexpected(std::move(faults));
  return container;
}

std::expected<std::string, TaskFailure> FindContainerRuntime(const ContainerConfig& config,
                                                             std::string_view path) {
  std::vector<std::string_view> names = {"docker", "podman"};
  if (!config.runtime.empty()) names = {config.runtime};
  for (std::string_view name : names) {
    if (std::string program = FindProgram(name, path); !program.empty()) return program;
  }
  std::string message =
      config.runtime.empty()
          ? std::string("Expected docker or podman on PATH but found neither")
          : fmt::format("Expected {} on PATH but found no such program", config.runtime);
  return std::unexpected(TaskFailure{"unavailable", std::move(message), false, {}});
}

std::expected<ContainerVariables, TaskFailure> PlanVariables(const ContainerConfig& config,
                                                             const TaskRequest& request,
                                                             const ProgramOptions& options) {
  // The same variables as a script's, but for those that name places of this machine.
  ScriptConfig declared;
  declared.environment = config.environment;
  ScriptOptions nothing_inherited;
  nothing_inherited.environment.clear();
  std::string directory(kContainerDirectory);
  std::vector<std::string> all = ScriptEnvironment(
      declared, nothing_inherited, request, directory + "/input.json", directory + "/outputs", "");
  ContainerVariables variables;
  for (const std::string& variable : all) {
    std::string name = variable.substr(0, variable.find('='));
    bool is_declared =
        std::ranges::find(config.environment, name, &std::pair<std::string, std::string>::first) !=
        config.environment.end();
    if (name == "STELE_WORKSPACE" || (name == "TMPDIR" && !is_declared)) continue;
    bool taken =
        std::ranges::find(options.environment, name, &std::pair<std::string, std::string>::first) !=
        options.environment.end();
    if (!taken && !ClientListensTo(name)) {
      variables.names.push_back(name);
      variables.process.push_back(variable);
    } else if (variable.find_first_of("\r\n") == std::string::npos) {
      variables.file += variable + "\n";
    } else {
      return std::unexpected(TaskFailure{
          "config",
          fmt::format("Expected `environment.{}` to be a single line, because the container's "
                      "client listens to that name itself",
                      name),
          false,
          {}});
    }
  }
  return variables;
}

std::expected<std::vector<std::string>, TaskFailure> ContainerArguments(
    const ContainerConfig& config, const AttemptKey& key, const ContainerPlace& place,
    const std::vector<std::string>& variable_names, const ProgramOptions& options,
    const Redactor& redactor) {
  std::vector<std::string> given;
  AddOption(given, "pull", config.pull);
  AddOption(given, "workdir", config.workdir);
  AddOption(given, "network", config.network);
  AddOption(given, "user", config.user);
  AddOption(given, "memory", config.memory);
  AddOption(given, "cpus", config.cpus);
  for (const std::string& volume : config.volumes) {
    AddOption(given, "volume", Resolved(volume, options.base_directory));
  }
  bool has_shell = !config.shell_command.empty();
  AddOption(given, "entrypoint", has_shell ? "sh" : config.entrypoint);
  given.push_back(config.image);
  if (has_shell) given.insert(given.end(), {"-c", config.shell_command, "sh"});
  given.insert(given.end(), config.command.begin(), config.command.end());
  given.insert(given.end(), config.arguments.begin(), config.arguments.end());
  if (auto refused = RefuseSecrets(given, redactor, "`environment`")) {
    return std::unexpected(*std::move(refused));
  }
  std::vector<std::string> arguments = {
      "run",
      "--rm",
      "--name=" + place.name,
      fmt::format("--label=stele.instance={}", key.instance.value),
      fmt::format("--label=stele.run={}", key.run.value),
      fmt::format("--label=stele.attempt={}", key.attempt),
      fmt::format("--volume={}:{}:z", place.shared_directory, kContainerDirectory)};
  for (const std::string& name : variable_names) arguments.push_back("--env=" + name);
  AddOption(arguments, "env-file", place.env_file);
  arguments.insert(arguments.end(), given.begin(), given.end());
  return arguments;
}

}  // namespace stele::tasks
