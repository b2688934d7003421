#include "cli/workflow_file.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "cli/commands.h"
#include "cli/given.h"
#include "cli/text.h"
#include "engine/definition/limits.h"

namespace stele::cli {

bool LooksLikeFile(const std::string& operand) {
  std::error_code ignored;
  const std::string ending = std::filesystem::path(operand).extension().string();
  return operand.contains('/') || ending == ".yml" || ending == ".yaml" || ending == ".json" ||
         std::filesystem::is_regular_file(operand, ignored);
}

std::optional<runtime::RegisteredTemplates> TemplatesOf(Engine& engine) {
  if (!engine.is_open()) return {};
  return runtime::RegisteredTemplates(engine.shard().registry());
}

requests::RunsHere RunsIn(const Engine& engine, const std::vector<Stub>& stubs) {
  requests::RunsHere here{engine.tasks(), engine.custom_types()};
  for (const Stub& stub : stubs) here.stubbed.insert(stub.name);
  return here;
}

definition::LoadResult LoadWorkflow(const std::string& path, Engine& engine,
                                    const std::vector<Stub>& stubs) {
  const auto refuse = [](const Error& error) {
    return std::unexpected(std::vector<definition::Fault>{{error.code, error.message, {}}});
  };
  if (const Status regular = CheckRegularFile(path); !regular.has_value())
    return refuse(regular.error());
  const auto text = ReadGivenFile(path, definition::kMaxFileBytes);
  if (!text.has_value()) return refuse(text.error());
  const auto templates = TemplatesOf(engine);
  return requests::Load(*text, definition::SyntaxOf(path, *text),
                        std::filesystem::path(path).stem().string(), RunsIn(engine, stubs),
                        templates ? &*templates : nullptr);
}

std::string TextOfWorkflow(const std::string& path) {
  return ReadGivenFile(path, definition::kMaxFileBytes).value_or("");
}

int RefuseFaulty(const Terminal& terminal, const std::vector<FaultyFile>& files) {
  std::string lines;
  Array told;
  for (const auto& [path, faults] : files) {
    for (const definition::Fault& fault : faults) {
      lines += Clean(definition::FormatFault(path, fault)) + "\n";
      Object one{{"file", path},
                 {"code", fmt::format("STL{:04}", static_cast<int>(fault.code))},
                 {"message", Clean(fault.message)}};
      if (fault.place.line > 0) {
        one.Set("line", static_cast<int64_t>(fault.place.line));
        one.Set("column", static_cast<int64_t>(fault.place.column));
      }
      told.emplace_back(std::move(one));
    }
  }
  if (!terminal.tells_errors_as_json()) {
    std::fputs(lines.c_str(), stderr);
    return kExitUsage;
  }
  const auto& [path, faults] = files.front();
  const size_t others = told.size() - 1;
  terminal.PrintError(
      {faults.front().code,
       fmt::format("{}: {}{}", path, faults.front().message,
                   others == 0 ? "" : fmt::format("; and {}", Count(others, "more fault")))},
      Object{{"faults", std::move(told)}});
  return kExitUsage;
}

}  // namespace stele::cli
