#include "engine/tasks/kubernetes_plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string_view>

#include "base/json.h"
#include "engine/tasks/argument_text.h"

namespace stele::tasks {
namespace {

namespace fs = std::filesystem;

// What an action takes.
enum Takes : unsigned {
  kManifest = 1,
  kTarget = 2,    // resource and name
  kName = 4,      // and not without a name
  kSelector = 8,  // a selector in place of the name
  kDryRun = 16,
  kOutput = 32,
  kOwnTimeout = 64,  // kubectl says itself what did not happen in time
  kNotFound = 128,
};
struct Action {
  std::string_view name;
  std::string_view verb;
  std::string_view noun;  // "status" of "rollout status"
  unsigned takes;
};
constexpr Action kActions[] = {
    {"apply", "apply", "", kManifest | kDryRun | kOutput},
    {"create", "create", "", kManifest | kDryRun | kOutput},
    {"delete", "delete", "", kManifest | kTarget | kName | kSelector | kDryRun | kNotFound},
    {"get", "get", "", kManifest | kTarget | kSelector | kOutput | kNotFound},
    {"rollout_status", "rollout", "status", kManifest | kTarget | kName | kOwnTimeout},
    {"wait", "wait", "", kManifest | kTarget | kName | kSelector | kOutput | kOwnTimeout},
    {"scale", "scale", "", kTarget | kName | kDryRun | kOutput},
    {"patch", "patch", "", kTarget | kName | kDryRun | kOutput},
    {"logs", "logs", "", kTarget | kName | kSelector},
};

// Keys that one action alone has.
constexpr std::pair<std::string_view, std::string_view> kOwnKeys[] = {
    {"server_side", "apply"}, {"replicas", "scale"}, {"for", "wait"},  {"patch", "patch"},
    {"patch_type", "patch"},  {"container", "logs"}, {"tail", "logs"}, {"since", "logs"}};

// Time that kubectl gets to say what it was waiting for before it is stopped.
constexpr int64_t kOwnTimeoutGraceUs = 5'000'000;

const Action* FindAction(std::string_view name) {
  const auto* found = std::ranges::find(kActions, name, &Action::name);
  return found == std::end(kActions) ? nullptr : found;
}

const Action* ReadAction(ConfigReader& reader, KubernetesConfig& config) {
  std::optional<std::string> action = reader.Text("action");
  std::vector<std::string_view> names;
  for (const Action& known : kActions) names.push_back(known.name);
  if (!action) {
    reader.AddFault(
        fmt::format("Expected `action`, one of {}, but found none", fmt::join(names, ", ")));
    return nullptr;
  }
  if (reader.IsOpen(Value(*action))) return nullptr;
  std::ranges::replace(*action, '-', '_');
  config.action = *action;
  const Action* found = FindAction(*action);
  if (found == nullptr) {
    reader.AddFault(fmt::format("Expected `action` to be one of {} but found \"{}\"",
                                fmt::join(names, ", "), *action));
  }
  return found;
}

std::optional<int64_t> ReadCount(ConfigReader& reader, std::string_view key) {
  const Value* value = reader.Any(key);
  if (value == nullptr || reader.IsOpen(*value)) return std::nullopt;
  std::string text = ScalarText(*value).value_or("");
  int64_t count = -1;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error == std::errc() && end == text.data() + text.size() && count >= 0) return count;
  reader.AddFault(fmt::format("Expected `{}` to be a whole number from 0 on but found {}", key,
                              ToJson(*value)));
  return std::nullopt;
}

void ReadOption(ConfigReader& reader, KubernetesConfig& config, std::string_view key) {
  if (std::optional<std::string> text = ReadArgument(reader, key)) {
    config.options.push_back(fmt::format("--{}={}", key, *text));
  }
}

// A text of YAML or JSON, not the name of a file.
bool IsInline(std::string_view text) {
  return text.contains('\n') || text.contains(": ") || text.starts_with('{') ||
         text.starts_with('[');
}

bool IsUrl(std::string_view text) {
  return text.starts_with("https://") || text.starts_with("http://");
}

void ReadManifest(ConfigReader& reader, KubernetesConfig& config) {
  const Value* manifest = reader.Any("manifest");
  if (manifest == nullptr) return;
  config.manifest = *manifest;
  if (manifest->is_object() || manifest->is_array()) return;
  if (!manifest->is_string()) {
    reader.AddFault(fmt::format(
        "Expected `manifest` to be a file, a text of YAML, an object or a list but found {}",
        ToJson(*manifest)));
  } else if (!IsInline(manifest->as_string())) {
    CheckArgument(reader, "manifest", manifest->as_string());
  }
}

void ReadTarget(ConfigReader& reader, const Action* action, KubernetesConfig& config) {
  config.resource = ReadArgument(reader, "resource").value_or("");
  config.name = ReadArgument(reader, "name").value_or("");
  config.selector = ReadArgument(reader, "selector").value_or("");
  if (config.resource.empty() && !config.name.empty() && config.action == "logs") {
    config.resource = "pod";
  }
  if (action == nullptr) return;
  bool has_target = !config.resource.empty() || !config.name.empty() || !config.selector.empty();
  bool has_name = !config.name.empty() || config.resource.contains('/');
  auto fault = [&](std::string_view sentence) {
    reader.AddFault(fmt::format(fmt::runtime(sentence), action->name));
  };
  if (has_target && (action->takes & kTarget) == 0) {
    fault(
        "Expected `manifest` alone with the action {} but found `resource`, `name` or `selector`");
  } else if (has_target && config.manifest) {
    fault("Expected `manifest` or `resource` with the action {} but found both");
  } else if (!has_target && !config.manifest) {
    if ((action->takes & kManifest) == 0) {
      fault("Expected `resource` and `name` with the action {} but found none");
    } else if ((action->takes & kTarget) == 0) {
      fault("Expected `manifest` with the action {} but found none");
    } else {
      fault("Expected `manifest` or `resource` with the action {} but found none");
    }
  } else if (!config.selector.empty() && (action->takes & kSelector) == 0) {
    fault("Expected `name` with the action {} but found `selector`");
  } else if (has_target && config.resource.empty() && config.action != "logs") {
    fault("Expected `resource` with the action {} but found none");
  } else if (has_target && (action->takes & kName) != 0 && !has_name && config.selector.empty()) {
    fault("Expected `name` with the action {} but found none");
  } else if (!config.name.empty() && config.resource.contains('/')) {
    fault("Expected `name` or resource/name with the action {} but found both");
  } else if (has_name && !config.selector.empty()) {
    fault("Expected `name` or `selector` with the action {} but found both");
  }
}

void ReadDryRun(ConfigReader& reader, KubernetesConfig& config) {
  const Value* dry_run = reader.Any("dry_run");
  if (dry_run == nullptr || reader.IsOpen(*dry_run)) return;
  std::string text = ScalarText(*dry_run).value_or("");
  if (text == "true") text = "client";
  if (text == "false") text = "none";
  if (text != "client" && text != "server" && text != "none") {
    reader.AddFault(
        fmt::format("Expected `dry_run` to be client, server, none, true or false but found {}",
                    ToJson(*dry_run)));
  }
  config.options.push_back("--dry-run=" + text);
}

// Keys of one action; with another action they are a fault.
void ReadOwnKeys(ConfigReader& reader, const Action* action, KubernetesConfig& config) {
  for (const auto& [key, owner] : kOwnKeys) {
    if (reader.Has(key) && action != nullptr && action->name != owner) {
      reader.AddFault(fmt::format("Expected `{}` with the action {} alone but found it with {}",
                                  key, owner, action->name));
    }
  }
  if (reader.Bool("server_side", false)) config.options.emplace_back("--server-side");
  std::optional<int64_t> replicas = ReadCount(reader, "replicas");
  if (replicas) config.options.push_back(fmt::format("--replicas={}", *replicas));
  ReadOption(reader, config, "for");
  if (const Value* patch = reader.Any("patch")) config.patch = *patch;
  std::string type = ReadChoice(reader, "patch_type", {"strategic", "merge", "json"},
                                config.patch && config.patch->is_array() ? "json" : "strategic");
  if (config.patch) config.options.push_back("--type=" + type);
  ReadOption(reader, config, "container");
  if (auto tail = ReadCount(reader, "tail")) {
    config.options.push_back(fmt::format("--tail={}", *tail));
  }
  if (int64_t since_us = reader.DurationUs("since"); since_us > 0) {
    config.options.push_back(fmt::format("--since={}s", (since_us + 999'999) / 1'000'000));
  }
  auto require = [&](std::string_view key) {
    if (!reader.Has(key)) {
      reader.AddFault(
          fmt::format("Expected `{}` with the action {} but found none", key, action->name));
    }
  };
  if (config.action == "scale") require("replicas");
  if (config.action == "wait") require("for");
  if (config.action == "patch") require("patch");
}

void ReadOutput(ConfigReader& reader, const Action* action, KubernetesConfig& config) {
  std::string_view fallback = config.action == "get" ? "json" : "text";
  config.output = ReadChoice(reader, "output", {"json", "yaml", "name", "text"}, fallback);
  if (action == nullptr) return;
  auto refuse = [&](std::string_view key, unsigned takes) {
    if (reader.Has(key) && (action->takes & takes) == 0) {
      reader.AddFault(
          fmt::format("Expected no `{}` with the action {} but found it", key, action->name));
    }
  };
  refuse("output", kOutput);
  refuse("dry_run", kDryRun);
  refuse("ignore_not_found", kNotFound);
}

std::expected<std::string, TaskFailure> FindManifest(const std::string& name,
                                                     const ProgramOptions& options) {
  if (IsUrl(name)) return name;
  std::vector<std::string> directories = {options.base_directory};
  directories.insert(directories.end(), options.search_directories.begin(),
                     options.search_directories.end());
  for (const std::string& directory : directories) {
    std::error_code error;
    fs::path path = fs::absolute(fs::path(directory) / name, error);
    if (fs::exists(path, error)) return path.string();
  }
  return std::unexpected(
      TaskFailure{"config",
                  fmt::format("Expected the manifest {} in {} but found no such file", name,
                              fmt::join(directories, ", ")),
                  false,
                  {}});
}

// kubectl reads JSON as well; several objects are a List to it.
std::string ManifestText(const Value& manifest) {
  if (manifest.is_string()) return manifest.as_string();
  if (manifest.is_object()) return ToJson(manifest);
  return ToJson(Object{{"apiVersion", "v1"}, {"kind", "List"}, {"items", manifest}});
}

}  // namespace

std::expected<KubernetesConfig, std::vector<std::string>> ReadKubernetesConfig(
    const Value& config, ConfigReader::Mode mode) {
  ConfigReader reader(config, mode);
  KubernetesConfig kubernetes;
  ReadChoice(reader, "executor", {"kubectl"}, "kubectl");
  const Action* action = ReadAction(reader, kubernetes);
  for (std::string_view key : {"context", "namespace"}) ReadOption(reader, kubernetes, key);
  kubernetes.kubeconfig = ReadArgument(reader, "kubeconfig").value_or("");
  ReadManifest(reader, kubernetes);
  ReadTarget(reader, action, kubernetes);
  ReadDryRun(reader, kubernetes);
  ReadOwnKeys(reader, action, kubernetes);
  ReadOutput(reader, action, kubernetes);
  if (reader.Bool("ignore_not_found", false)) {
    kubernetes.options.emplace_back("--ignore-not-found");
  }
  kubernetes.timeout_us = reader.DurationUs("timeout");
  std::vector<std::string> faults = reader.TakeFaults();
  if (!faults.empty()) return std::unexpected(std::move(faults));
  return kubernetes;
}

std::expected<KubernetesPlan, TaskFailure> PlanKubernetes(const KubernetesConfig& config,
                                                          const ProgramOptions& options) {
  const Action* action = FindAction(config.action);
  KubernetesPlan plan;
  plan.arguments.emplace_back(action->verb);
  if (!action->noun.empty()) plan.arguments.emplace_back(action->noun);
  plan.arguments.insert(plan.arguments.end(), config.options.begin(), config.options.end());
  plan.timeout_us = config.timeout_us;
  if (config.timeout_us > 0 && (action->takes & kOwnTimeout) != 0) {
    plan.arguments.push_back(fmt::format("--timeout={}ms", (config.timeout_us + 999) / 1000));
    plan.timeout_us += kOwnTimeoutGraceUs;
  }
  if (!config.kubeconfig.empty()) {
    fs::path path = fs::path(options.base_directory) / config.kubeconfig;
    plan.arguments.push_back("--kubeconfig=" + path.lexically_normal().string());
  }
  if (!config.selector.empty()) plan.arguments.push_back("--selector=" + config.selector);
  if ((action->takes & kOutput) != 0 && config.output != "text") {
    plan.arguments.push_back("--output=" + config.output);
  }
  if (config.patch) {
    // The path is that of the pipe that kubectl is given as its input.
    plan.arguments.emplace_back("--patch-file=/dev/stdin");
    plan.input = config.patch->is_string() ? config.patch->as_string() : ToJson(*config.patch);
  }
  if (!config.manifest) {
    std::string target = config.resource;
    if (!config.name.empty()) target += "/" + config.name;
    if (!target.empty()) plan.arguments.push_back(std::move(target));
  } else if (config.manifest->is_string() && !IsInline(config.manifest->as_string())) {
    auto file = FindManifest(config.manifest->as_string(), options);
    if (!file) return std::unexpected(file.error());
    plan.arguments.push_back("--filename=" + *file);
  } else {
    plan.arguments.emplace_back("--filename=-");
    plan.input = ManifestText(*config.manifest);
  }
  return plan;
}

}  // namespace stele::tasks
