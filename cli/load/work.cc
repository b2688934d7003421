#include "cli/load/work.h"

#include <fmt/format.h>

#include "cli/load/limits.h"

namespace stele::load {

std::string Work::definition_text() const {
  if (!with_tasks)
    return fmt::format(R"({{"name":"{}","steps":[{{"id":"act","type":"start"}}]}})", kNothing);
  std::string steps;
  for (int i = 0; i < kTasksOfInstance; ++i) {
    steps += fmt::format(R"({}{{"id":"t{}","type":"custom:{}")", i == 0 ? "" : ",", i, kTaskType);
    if (i > 0) steps += fmt::format(R"(,"depends_on":["t{}"])", i - 1);
    steps += "}";
  }
  return fmt::format(R"({{"name":"{}","steps":[{}]}})", kTasks, steps);
}

}  // namespace stele::load
