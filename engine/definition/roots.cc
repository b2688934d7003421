#include "engine/definition/roots.h"

#include <algorithm>

namespace stele::definition {

bool IsRoot(std::string_view name) {
  static constexpr std::string_view kRoots[] = {
      "input",    "variables", "steps",     "outputs", "previous_task_result",
      "response", "loop",      "execution", "secrets"};
  return std::ranges::find(kRoots, name) != std::end(kRoots);
}

}  // namespace stele::definition
