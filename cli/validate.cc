// `stele validate`: every fault of every file.
#include <fmt/format.h>

#include <cstdio>

#include "cli/commands.h"
#include "cli/engine.h"
#include "cli/open_data.h"
#include "cli/text.h"
#include "cli/workflow_file.h"

namespace stele::cli {

namespace {

// What is registered in the data directory counts. The default one need not be there, and somebody
// else may have it open.
Status OpenKnown(const Arguments& arguments, const Terminal& terminal, Engine& engine) {
  const bool asked = arguments.Has("--data");
  const std::string data = arguments.Get("--data", kDefaultData);
  if (!HasData(data)) {
    if (!asked) return {};
    return Fail(ErrorCode::kStoreNotFound,
                fmt::format("Expected the data of earlier runs in {}, which --data names, but "
                            "found none; without --data the files are checked alone",
                            data));
  }
  const Status opened = engine.Open(data, false, nullptr);
  if (opened.has_value() || asked || opened.error().code != ErrorCode::kStoreLocked) return opened;
  terminal.PrintNote(
      fmt::format("what is registered in {} is not known: {}", data, opened.error().message));
  return {};
}

}  // namespace

int Validate(const Arguments& arguments, const Terminal& terminal) {
  Engine engine;
  if (const Status opened = OpenKnown(arguments, terminal, engine); !opened.has_value())
    return Refuse(terminal, opened.error());
  engine.AddExecutors({}, {});
  std::vector<FaultyFile> faulty;
  for (const std::string& path : arguments.operands()) {
    const definition::LoadResult loaded = LoadWorkflow(path, engine, {});
    if (!loaded.has_value()) {
      faulty.push_back({path, loaded.error()});
      continue;
    }
    terminal.Print(fmt::format("{}: {} with {} steps is valid\n", Clean(path),
                               Clean((*loaded)->name), (*loaded)->steps.size()));
  }
  return faulty.empty() ? kExitDone : RefuseFaulty(terminal, faulty);
}

}  // namespace stele::cli
