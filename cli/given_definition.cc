#include "cli/given_definition.h"

#include "cli/commands.h"
#include "cli/given.h"
#include "cli/workflow_file.h"
#include "engine/requests/definitions.h"
#include "engine/runtime/registered_templates.h"
#include "replay/history.h"

namespace stele::cli {

namespace {

using Given = std::shared_ptr<const definition::Definition>;

// "order@3", or "order" with --version.
Result<Given> FindRegistered(const Arguments& arguments, const model::Registry& registry,
                             std::string name) {
  const auto given = GivenNumber(arguments, "--version", 1, UINT32_MAX);
  if (!given.has_value()) return std::unexpected(given.error());
  auto version = static_cast<uint32_t>(given->value_or(0));
  if (const size_t at = name.rfind('@'); at != std::string::npos && version == 0) {
    const auto number =
        ParseNumber(name.substr(at + 1), "a version behind the \"@\"", 1, UINT32_MAX);
    if (!number.has_value()) return std::unexpected(number.error());
    version = static_cast<uint32_t>(*number);
    name.resize(at);
  }
  const auto found = requests::FindDefinition(registry, name, version, /*startable=*/false);
  if (!found.has_value()) return std::unexpected(found.error());
  STELE_RETURN_IF_ERROR(replay::CheckMayBeRead(**found));
  return (*found)->definition;
}

}  // namespace

std::expected<Given, int> GivenDefinition(const Arguments& arguments, const Terminal& terminal,
                                          const model::Registry& registry) {
  const auto refuse = [&](const Error& error) { return std::unexpected(Refuse(terminal, error)); };
  if (!arguments.Has("--definition")) {
    if (!arguments.Has("--version")) return nullptr;
    return refuse({ErrorCode::kUsage, "Expected --definition beside --version but found none"});
  }
  const std::string operand = arguments.Get("--definition");
  if (!LooksLikeFile(operand)) {
    const Result<Given> found = FindRegistered(arguments, registry, operand);
    if (found.has_value()) return *found;
    return refuse(found.error());
  }
  if (arguments.Has("--version"))
    return refuse(
        {ErrorCode::kUsage, "Expected the name of a definition beside --version but found a file"});
  if (const Status regular = CheckRegularFile(operand); !regular.has_value())
    return refuse(regular.error());
  const runtime::RegisteredTemplates templates(registry);
  definition::LoadResult loaded = definition::LoadFile(operand, &templates);
  if (loaded.has_value()) return *std::move(loaded);
  return std::unexpected(RefuseFaulty(terminal, {{operand, std::move(loaded).error()}}));
}

}  // namespace stele::cli
