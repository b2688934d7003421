// `stele validate`: every fault of every file.
#include <fmt/format.h>

#include <cstdio>

#include "cli/commands.h"
#include "cli/engine.h"
#include "cli/text.h"
#include "cli/workflow_file.h"

namespace stele::cli {

int Validate(const Arguments& arguments, const Terminal& terminal) {
  Engine engine;
  engine.AddExecutors({}, {});
  if (arguments.Has("--data"))
    if (const Status opened = engine.Open(arguments.Get("--data"), false, nullptr);
        !opened.has_value())
      return Refuse(terminal, opened.error());
  int code = kExitDone;
  for (const std::string& path : arguments.operands()) {
    const definition::LoadResult loaded =
        LoadWorkflow(path, engine, {});
    if (!loaded.has_value()) {
      code = kExitUsage;
      std::fputs(FaultLines(path, loaded.error()).c_str(), stderr);
      continue;
    }
    terminal.Print(fmt::format("{}: {} with {} steps is valid\n", Clean(path),
                               Clean((*loaded)->name), (*loaded)->steps.size()));
  }
  return code;
}

}  // namespace stele::cli
