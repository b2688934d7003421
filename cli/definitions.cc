// `stele definitions`: registering files, and what may start.
#include "engine/requests/definitions.h"

#include <fmt/format.h>

#include <cstdio>
#include <expected>
#include <filesystem>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/definition_files.h"
#include "cli/given.h"
#include "cli/open_data.h"
#include "cli/registry_change.h"
#include "cli/remote/asker.h"
#include "cli/remote/definitions.h"
#include "cli/remote/server_option.h"
#include "cli/source.h"
#include "cli/text.h"
#include "cli/workflow_file.h"
#include "engine/definition/canonical.h"
#include "engine/definition/limits.h"
#include "engine/definition/templates.h"
#include "engine/runtime/registered_templates.h"
#include "replay/history.h"

namespace stele::cli {

namespace {

// Says of each what it is registered as.
int Report(const Arguments& arguments, const Terminal& terminal,
           const std::vector<DefinitionAtServer>& all) {
  Array documents;
  for (const auto& [name, version, state, is_new] : all) {
    if (arguments.Has("--json")) {
      documents.push_back(Object{{"definition", name},
                                 {"version", static_cast<int64_t>(version)},
                                 {"state", state},
                                 {"new", is_new}});
    } else {
      terminal.Print(
          fmt::format("{} version {} is {}{}\n", Clean(name), version,
                      is_new ? "registered" : "registered already",
                      state == model::DefinitionStateName(model::DefinitionState::kActive)
                          ? ""
                          : fmt::format(" ({})", state)));
    }
  }
  if (arguments.Has("--json")) terminal.Print(CleanJson(ToPrettyJson(std::move(documents))) + "\n");
  return kExitDone;
}

// REQUIRES: `change` is open.
int Register(const Arguments& arguments, const Terminal& terminal, RegistryChange& change,
             const std::vector<requests::RegisterRequest>& all) {
  std::vector<requests::Registered> registered;
  for (const requests::RegisterRequest& one : all)
    registered.push_back(requests::Register(change.shard(), one, change.asker(), change.Answer()));
  if (const Status done = change.Finish(); !done.has_value()) return Refuse(terminal, done.error());
  std::vector<DefinitionAtServer> shown;
  for (const auto& [id, is_new] : registered) {
    const model::RegisteredDefinition& now = *change.registry().Find(id);
    shown.push_back(
        {now.name, now.version, std::string(model::DefinitionStateName(now.state)), is_new});
  }
  return Report(arguments, terminal, shown);
}

// All of them, or none, unless the server refuses one whose text has no fault.
int RegisterThere(const Arguments& arguments, const Terminal& terminal) {
  if (const Status fits = CheckAtServer(arguments); !fits.has_value())
    return Refuse(terminal, fits.error());
  const auto server = Remote::Open(arguments);
  if (!server.has_value()) return Refuse(terminal, server.error());
  std::vector<SentDefinition> all;
  std::vector<FaultyFile> faulty;
  for (const std::string& path : arguments.operands()) {
    auto sent = ReadSentDefinition(path, arguments.Has("--draft"));
    if (!sent.has_value()) {
      faulty.push_back({path, {{sent.error().code, sent.error().message, {}}}});
      continue;
    }
    const auto faults = ValidateAtServer(**server, *sent);
    if (!faults.has_value()) return Refuse(terminal, faults.error());
    if (!faults->empty()) faulty.push_back({path, *faults});
    all.push_back(*std::move(sent));
  }
  if (!faulty.empty()) return RefuseFaulty(terminal, faulty);
  std::vector<DefinitionAtServer> shown;
  for (const SentDefinition& one : all) {
    auto registered = RegisterAtServer(**server, one);
    if (!registered.has_value()) return Refuse(terminal, registered.error().error);
    shown.push_back(*std::move(registered));
  }
  return Report(arguments, terminal, shown);
}

int ReportState(const Arguments& arguments, const Terminal& terminal,
                const DefinitionAtServer& now) {
  if (arguments.Has("--json")) {
    terminal.Print(CleanJson(ToPrettyJson(Object{{"definition", now.name},
                                                 {"version", static_cast<int64_t>(now.version)},
                                                 {"state", now.state}})) +
                   "\n");
  } else {
    terminal.Print(fmt::format("{} version {} is {}\n", Clean(now.name), now.version, now.state));
  }
  return kExitDone;
}

// Opens the directory when it is there: its own types count in what is checked.
Status OpenKnown(const Arguments& arguments, RegistryChange& change) {
  if (HasData(arguments.Get("--data", kDefaultData))) STELE_RETURN_IF_ERROR(change.Open(false));
  change.engine().AddExecutors({}, {});
  return {};
}

struct TemplateFile {
  std::string text;
  std::string file;
};

// A file, or the text of a registered definition. What stands there as a file is one. `registry`
// is null where there is none.
Result<TemplateFile> FindTemplate(const Arguments& arguments, const model::Registry* registry) {
  const std::string& operand = arguments.operands()[0];
  const auto version = GivenNumber(arguments, "--version", 1, UINT32_MAX);
  if (!version.has_value()) return std::unexpected(version.error());
  std::error_code ignored;
  const bool registered = version->has_value() || !std::filesystem::exists(operand, ignored);
  if (registered && registry != nullptr) {
    const auto found = requests::FindDefinition(*registry, operand,
                                                static_cast<uint32_t>(version->value_or(0)), true);
    if (!found.has_value()) return std::unexpected(found.error());
    STELE_RETURN_IF_ERROR(replay::CheckMayBeRead(**found));
    return TemplateFile{(*found)->source, (*found)->file};
  }
  auto text = ReadGivenFile(operand, definition::kMaxFileBytes);
  if (!text.has_value()) return std::unexpected(text.error());
  return TemplateFile{*std::move(text), std::filesystem::absolute(operand, ignored).string()};
}

// What the template makes with the values of --set, under the name of --name; else the exit code.
using Made = std::expected<std::shared_ptr<const definition::Definition>, int>;
Made MakeOf(const TemplateFile& source, const definition::TemplateSource* templates,
            const Arguments& arguments, const Terminal& terminal) {
  const auto given = GivenVariables(arguments.All("--set"), "--set NAME=VALUE", {});
  if (!given.has_value()) return std::unexpected(Refuse(terminal, given.error()));
  Object parameters;
  for (const model::NamedPayload& parameter : *given)
    parameters.Set(parameter.name, parameter.value.value());
  const definition::LoadResult made = definition::Instantiate(
      source.text, definition::SyntaxOf(source.file, source.text), parameters,
      std::filesystem::path(source.file).stem().string(), templates);
  if (!made.has_value())
    return std::unexpected(RefuseFaulty(terminal, {{arguments.operands()[0], made.error()}}));
  auto named = std::make_shared<definition::Definition>(**made);
  if (arguments.Has("--name")) named->name = arguments.Get("--name");
  if (!named->name.empty()) return named;
  return std::unexpected(
      Refuse(terminal, {ErrorCode::kUsage, "Expected a name for --name but found none"}));
}

// The server gets what the template has made, in its canonical form.
int InstantiateThere(const Arguments& arguments, const Terminal& terminal, const Form& form) {
  if (const Status fits = CheckAtServer(arguments); !fits.has_value())
    return Refuse(terminal, fits.error());
  const auto server = Remote::Open(arguments);
  if (!server.has_value()) return Refuse(terminal, server.error());
  const auto registry = replay::ReadRegistry(*SourceOf(**server));
  if (!registry.has_value()) return Refuse(terminal, registry.error());
  const auto source = FindTemplate(arguments, &*registry);
  if (!source.has_value()) return Refuse(terminal, source.error());
  const runtime::RegisteredTemplates templates(*registry);
  const Made made = MakeOf(*source, &templates, arguments, terminal);
  if (!made.has_value()) return made.error();
  if (arguments.Has("--dialect")) return PrintDefinition(**made, form, "", terminal);
  const auto registered = RegisterAtServer(**server, {.path = (*made)->name + ".json",
                                                      .text = definition::WriteCanonical(**made),
                                                      .draft = arguments.Has("--draft")});
  if (registered.has_value()) return Report(arguments, terminal, {*registered});
  const NotRegistered& why = registered.error();
  return why.faults.empty() ? Refuse(terminal, why.error)
                            : RefuseFaulty(terminal, {{arguments.operands()[0], why.faults}});
}

int ChangeState(const Arguments& arguments, const Terminal& terminal,
                model::DefinitionState state) {
  const auto version = GivenNumber(arguments, "--version", 1, UINT32_MAX);
  if (!version.has_value()) return Refuse(terminal, version.error());
  if (IsForServer(arguments)) {
    if (const Status fits = CheckAtServer(arguments); !fits.has_value())
      return Refuse(terminal, fits.error());
    const auto server = Remote::Open(arguments);
    if (!server.has_value()) return Refuse(terminal, server.error());
    const auto now = ChangeAtServer(**server, arguments.operands()[0],
                                    static_cast<uint32_t>(version->value_or(0)), state,
                                    arguments.Get("--reason"));
    return now.has_value() ? ReportState(arguments, terminal, *now) : Refuse(terminal, now.error());
  }
  RegistryChange change(arguments);
  if (const Status opened = change.Open(false); !opened.has_value())
    return Refuse(terminal, opened.error());
  const auto found = requests::FindDefinition(change.registry(), arguments.operands()[0],
                                              static_cast<uint32_t>(version->value_or(0)), false);
  if (!found.has_value()) return Refuse(terminal, found.error());
  const DefinitionId id = (*found)->id;
  change.shard().ChangeDefinition(id, state, arguments.Get("--reason"), change.asker(),
                                  change.Answer());
  if (const Status done = change.Finish(); !done.has_value()) return Refuse(terminal, done.error());
  const model::RegisteredDefinition& now = *change.registry().Find(id);
  return ReportState(
      arguments, terminal,
      {now.name, now.version, std::string(model::DefinitionStateName(now.state)), false});
}

}  // namespace

int RegisterDefinitions(const Arguments& arguments, const Terminal& terminal) {
  if (IsForServer(arguments)) return RegisterThere(arguments, terminal);
  RegistryChange change(arguments);
  if (const Status opened = OpenKnown(arguments, change); !opened.has_value())
    return Refuse(terminal, opened.error());
  std::vector<requests::RegisterRequest> all;
  std::vector<FaultyFile> faulty;
  for (const std::string& path : arguments.operands()) {
    const auto loaded = LoadWorkflow(path, change.engine(), {});
    if (!loaded.has_value()) {
      faulty.push_back({path, loaded.error()});
      continue;
    }
    const auto text = ReadGivenFile(path, definition::kMaxFileBytes);
    if (!text.has_value()) return Refuse(terminal, text.error());
    std::error_code ignored;
    all.push_back({*loaded, *text, std::filesystem::absolute(path, ignored).string(),
                   arguments.Has("--draft")});
  }
  // All of them, or none.
  if (!faulty.empty()) return RefuseFaulty(terminal, faulty);
  if (!change.engine().is_open())
    if (const Status opened = change.Open(true); !opened.has_value())
      return Refuse(terminal, opened.error());
  return Register(arguments, terminal, change, all);
}

int InstantiateTemplate(const Arguments& arguments, const Terminal& terminal) {
  const auto form = ReadForm(arguments);
  if (!form.has_value()) return Refuse(terminal, form.error());
  if (IsForServer(arguments)) return InstantiateThere(arguments, terminal, *form);
  RegistryChange change(arguments);
  if (const Status opened = OpenKnown(arguments, change); !opened.has_value())
    return Refuse(terminal, opened.error());
  const auto source =
      FindTemplate(arguments, change.engine().is_open() ? &change.registry() : nullptr);
  if (!source.has_value()) return Refuse(terminal, source.error());
  const auto templates = TemplatesOf(change.engine());
  const Made made = MakeOf(*source, templates ? &*templates : nullptr, arguments, terminal);
  if (!made.has_value()) return made.error();
  if (arguments.Has("--dialect")) return PrintDefinition(**made, *form, "", terminal);
  const std::vector<definition::Fault> faults =
      requests::CheckRunnable(**made, RunsIn(change.engine(), {}));
  if (!faults.empty()) return RefuseFaulty(terminal, {{arguments.operands()[0], faults}});
  if (!change.engine().is_open())
    if (const Status opened = change.Open(true); !opened.has_value())
      return Refuse(terminal, opened.error());
  return Register(arguments, terminal, change,
                  {{*made, source->text, source->file, arguments.Has("--draft")}});
}

int ActivateDefinition(const Arguments& arguments, const Terminal& terminal) {
  return ChangeState(arguments, terminal, model::DefinitionState::kActive);
}

int PauseDefinition(const Arguments& arguments, const Terminal& terminal) {
  return ChangeState(arguments, terminal, model::DefinitionState::kPaused);
}

int RetireDefinition(const Arguments& arguments, const Terminal& terminal) {
  return ChangeState(arguments, terminal, model::DefinitionState::kRetired);
}

int DraftDefinition(const Arguments& arguments, const Terminal& terminal) {
  return ChangeState(arguments, terminal, model::DefinitionState::kDraft);
}

}  // namespace stele::cli
