// From the configuration of a container step to the arguments and the environment of docker or
// podman.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/value.h"
#include "engine/tasks/config_reader.h"
#include "engine/tasks/executor.h"
#include "engine/tasks/program_run.h"
#include "engine/tasks/redactor.h"

namespace stele::tasks {

// Where the container finds what the engine shares with it: input.json and outputs.
inline constexpr std::string_view kContainerDirectory = "/stele";

struct ContainerConfig {
  std::string runtime;  // "docker", "podman" or empty: whichever is there
  std::string image;
  std::string shell_command;         // a line for sh
  std::vector<std::string> command;  // one of the two is empty
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<std::string> volumes;
  std::string workdir;
  std::string network;
  std::string user;
  std::string memory;
  std::string cpus;
  std::string pull;
  std::string entrypoint;
  int64_t timeout_us = 0;
};

// Faults: a sentence each.
std::expected<ContainerConfig, std::vector<std::string>> ReadContainerConfig(
    const Value& config, ConfigReader::Mode mode);

// The path of the client. Failure: "unavailable".
std::expected<std::string, TaskFailure> FindContainerRuntime(const ContainerConfig& config,
                                                             std::string_view path);

// How the variables of a container get there without a command line: through the client's own
// environment, or through a file where the client itself would listen to the name.
struct ContainerVariables {
  std::vector<std::string> names;    // --env NAME
  std::vector<std::string> process;  // NAME=value, for the client's environment
  std::string file;                  // lines NAME=value, for --env-file; empty: none
};
// Failure: "config", for a value of several lines whose name the client listens to.
std::expected<ContainerVariables, TaskFailure> PlanVariables(const ContainerConfig& config,
                                                             const TaskRequest& request,
                                                             const ProgramOptions& options);

struct ContainerPlace {
  std::string name;
  std::string shared_directory;  // mounted at kContainerDirectory
  std::string env_file;          // empty: none
};
// The client's arguments. Failure: "config", for a secret among them.
std::expected<std::vector<std::string>, TaskFailure> ContainerArguments(
    const ContainerConfig& config, const AttemptKey& key, const ContainerPlace& place,
    const std::vector<std::string>& variable_names, const ProgramOptions& options,
    const Redactor& redactor);

}  // namespace stele::tasks
