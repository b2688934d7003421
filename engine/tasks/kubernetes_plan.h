// From the configuration of a kubernetes step to the arguments and the input of kubectl.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "base/value.h"
#include "engine/tasks/config_reader.h"
#include "engine/tasks/executor.h"
#include "engine/tasks/program_run.h"

namespace stele::tasks {

struct KubernetesConfig {
  std::string action;             // with underscores: "rollout_status"
  std::optional<Value> manifest;  // a text (YAML or a path) or an object or list
  std::string resource;           // "deployment"
  std::string name;
  std::string selector;
  std::string kubeconfig;            // as written
  std::vector<std::string> options;  // "--namespace=prod", …
  std::optional<Value> patch;
  std::string output;  // "text", "json", "yaml", "name"
  int64_t timeout_us = 0;
};

// Faults: a sentence each.
std::expected<KubernetesConfig, std::vector<std::string>> ReadKubernetesConfig(
    const Value& config, ConfigReader::Mode mode);

struct KubernetesPlan {
  std::vector<std::string> arguments;
  std::optional<std::string> input;
  int64_t timeout_us = 0;  // of the attempt; 0: none
};

// Looks for the files that the configuration names. Failure: "config".
std::expected<KubernetesPlan, TaskFailure> PlanKubernetes(const KubernetesConfig& config,
                                                          const ProgramOptions& options);

}  // namespace stele::tasks
