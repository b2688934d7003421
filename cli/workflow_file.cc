#include "cli/workflow_file.h"

#include <filesystem>

#include "cli/given.h"
#include "cli/text.h"
#include "engine/definition/limits.h"

namespace stele::cli {

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

std::string FaultLines(const std::string& path, const std::vector<definition::Fault>& faults) {
  std::string lines;
  for (const definition::Fault& fault : faults)
    lines += Clean(definition::FormatFault(path, fault)) + "\n";
  return lines;
}

}  // namespace stele::cli
