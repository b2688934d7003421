// `stele resume`: goes on with every instance that has not ended.
#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <set>

#include "cli/commands.h"
#include "cli/open_data.h"
#include "cli/session.h"

namespace stele::cli {

namespace {

Result<std::optional<model::Resolution>> ParseResolution(const Arguments& arguments) {
  if (!arguments.Has("--parked")) return std::nullopt;
  const std::string word = arguments.Get("--parked");
  if (word == "retry") return model::Resolution::kRetry;
  if (word == "skip") return model::Resolution::kSkip;
  if (word == "fail") return model::Resolution::kFail;
  return Fail(ErrorCode::kUsage,
              fmt::format("Expected --parked retry, skip or fail but found \"{}\"", word));
}

// Decides about everything in the instance that waits for an operator. True when anything did.
bool Decide(runtime::Shard& shard, const model::Instance& instance,
            std::optional<model::Resolution> resolution) {
  if (!resolution.has_value()) return false;
  bool decided = false;
  for (const model::StepRun& run : instance.runs) {
    if (run.state != model::RunState::kParked) continue;
    shard.Send(instance.id, model::ResolveIncident{run.id, *resolution, "stele resume --parked"},
               "cli", nullptr);
    decided = true;
  }
  return decided;
}

}  // namespace

int Resume(const Arguments& arguments, const Terminal& terminal) {
  const auto refuse = [&](const Error& error) {
    terminal.PrintError(error);
    return kExitUsage;
  };
  const Result<std::vector<Stub>> stubs = ParseStubs(arguments.All("--stub"));
  if (!stubs.has_value()) return refuse(stubs.error());
  const auto resolution = ParseResolution(arguments);
  if (!resolution.has_value()) return refuse(resolution.error());
  const std::string data = arguments.Get("--data", kDefaultData);
  std::error_code ignored;
  if (!std::filesystem::exists(data + "/log", ignored))
    return refuse({ErrorCode::kStoreNotFound,
                   fmt::format("Expected the data of earlier runs in {} but found none", data)});

  Engine engine;
  Session session(engine, terminal, arguments);
  const Status opened = engine.Open(data, false, &session);
  if (!opened.has_value()) return refuse(opened.error());
  std::set<std::string> directories;
  for (const model::RegisteredDefinition& known : engine.shard().registry().definitions)
    directories.insert(std::filesystem::path(known.file).parent_path().string());
  engine.AddExecutors(*stubs, {directories.begin(), directories.end()});

  std::set<InstanceId> open;
  for (const InstanceId id : engine.shard().open_instances()) open.insert(id);
  const Status read =
      engine.store().ForEachOpen(kShard, [&](InstanceId id, std::string_view) { open.insert(id); });
  if (!read.has_value()) return refuse(read.error());
  engine.shard().Resume("cli");
  size_t followed = 0;
  for (const InstanceId id : open) {
    const auto instance = engine.shard().Find(id);
    if (!instance.has_value() || model::HasEnded((*instance)->status)) continue;
    session.Follow(id, Decide(engine.shard(), **instance, *resolution));
    ++followed;
  }
  if (followed > 1) session.SayWhich();
  if (followed == 0 && !arguments.Has("--json") && !arguments.Has("--quiet"))
    terminal.Print("nothing to continue\n");
  session.Run();
  return session.Report(false);
}

}  // namespace stele::cli
