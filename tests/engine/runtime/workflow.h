// Workflows of several tests.
#pragma once

namespace stele::runtime {

// One step.
inline constexpr const char* kWork = R"(
version: "1.0"
name: work
steps:
  - {id: work, type: script, config: {script: x}}
)";

// Something of everything, for tests that disturb it.
inline constexpr const char* kMixedWorkflow = R"(
version: "1.0"
name: mixed
variables:
  seen: 0
steps:
  - id: begin
    type: script
    config: {script: x}
    retry: {max_attempts: 1000, initial_delay: 0s}
  - id: left
    type: script
    depends_on: [begin]
    config: {script: x}
    retry: {max_attempts: 1000, initial_delay: 0s}
  - id: right
    type: script
    depends_on: [begin]
    config: {script: x}
    retry: {max_attempts: 1000, initial_delay: 0s}
    output_mapping:
      last: "{{response.step}}"
  - id: each
    type: loop
    depends_on: [left, right]
    items: [1, 2, 3]
    steps:
      - id: work
        type: script
        config: {script: "{{loop.item}}"}
        retry: {max_attempts: 1000, initial_delay: 0s}
        output_mapping:
          seen: "{{variables.seen + loop.item}}"
  - id: end
    type: script
    depends_on: [each]
    config: {script: x}
    retry: {max_attempts: 1000, initial_delay: 0s}
)";

}  // namespace stele::runtime
