// Workflows that tests of several folders drive.
#pragma once

#include <string_view>

namespace stele::test {

// One of two branches, as a variable says, and what they meet in.
inline constexpr std::string_view kDeploy = R"(
workflow:
  id: deploy
  processes:
    - id: main
      type: conditional
      tasks:
        - {id: build, type: script}
        - {id: staging, type: script}
        - {id: production, type: script}
        - {id: report, type: script}
      transitions:
        - {from: build, to: staging, condition: "variables.target == 'staging'"}
        - {from: build, to: production, condition: "variables.target == 'production'"}
        - {from: staging, to: report}
        - {from: production, to: report}
)";

}  // namespace stele::test
