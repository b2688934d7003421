// `stele run`: loads a file, registers it, starts an instance and follows it to its end.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/open_data.h"
#include "cli/session.h"
#include "cli/text.h"
#include "cli/workflow_file.h"
#include "engine/definition/canonical.h"

namespace stele::cli {

namespace {

Result<Payload> ParseInput(const Arguments& arguments) {
  if (!arguments.Has("--input")) return Payload();
  std::string text = arguments.Get("--input");
  if (text.starts_with('@')) {
    const std::string path = text.substr(1);
    std::ifstream file(path, std::ios::binary);
    text.resize(runtime::kMaxInputBytes + 1);
    if (std::filesystem::is_directory(path) || !file)
      return Fail(ErrorCode::kIo,
                  fmt::format("Expected a file for --input but could not read {}", path));
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<size_t>(file.gcount()));
    if (text.size() > runtime::kMaxInputBytes)
      return Fail(ErrorCode::kLimitExceeded,
                  fmt::format("Expected at most {} bytes in {} but found more",
                              runtime::kMaxInputBytes, path));
  }
  const Result<Value> value = ParseJson(text);
  if (!value.has_value()) return std::unexpected(value.error());
  if (!value->is_object())
    return Fail(ErrorCode::kUsage, fmt::format("Expected a JSON object for --input but found a {}",
                                               KindName(value->kind())));
  return Payload::FromValue(*value);
}

Result<std::vector<model::NamedPayload>> ParseVariables(const Arguments& arguments,
                                                        const definition::Definition& definition,
                                                        const Terminal& terminal) {
  std::vector<model::NamedPayload> variables;
  const std::vector<definition::Variable>& declared = definition.bodies[0].variables;
  for (const std::string& word : arguments.All("--var")) {
    const size_t equals = word.find('=');
    if (equals == 0 || equals == std::string::npos)
      return Fail(ErrorCode::kUsage,
                  fmt::format("Expected --var NAME=VALUE but found \"{}\"", word));
    const std::string name = word.substr(0, equals), text = word.substr(equals + 1);
    const auto known = std::ranges::find(declared, name, &definition::Variable::name);
    if (known == declared.end() && !declared.empty()) {
      std::string names;
      for (const definition::Variable& variable : declared)
        names += (names.empty() ? "" : ", ") + variable.name;
      terminal.PrintNote(
          fmt::format("warning: expected one of the variables {} but found \"{}\"", names, name));
    }
    const bool is_text = known != declared.end() && known->type == "string";
    const Result<Value> parsed = is_text ? Result<Value>(Value(text)) : ParseJson(text);
    std::erase_if(variables, [&](const auto& variable) { return variable.name == name; });
    variables.push_back({name, Payload::FromValue(parsed.value_or(Value(text)))});
  }
  return variables;
}

std::string ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

int Refuse(const Terminal& terminal, const Error& error) {
  terminal.PrintError(error);
  return kExitUsage;
}

// Registers and starts; the loop is left when the start is refused.
void StartInstance(Engine& engine, Session& session, const runtime::DefinitionSource& source,
                   model::StartInstance command, std::optional<Error>* refusal) {
  const auto answer = [&engine, refusal](const Result<Position>& position) {
    if (position.has_value()) return;
    if (!refusal->has_value()) *refusal = position.error();
    engine.shard().Post([&engine] { engine.Leave(); });
  };
  command.definition = engine.shard().Register(source, "cli", answer);
  const InstanceId instance = engine.shard().Start(std::move(command), "cli", answer);
  if (instance) session.Follow(instance);
}

}  // namespace

int RunWorkflow(const Arguments& arguments, const Terminal& terminal) {
  const std::string& path = arguments.operands()[0];
  const Result<std::vector<Stub>> stubs = ParseStubs(arguments.All("--stub"));
  if (!stubs.has_value()) return Refuse(terminal, stubs.error());
  Result<Payload> input = ParseInput(arguments);
  if (!input.has_value()) return Refuse(terminal, input.error());

  std::error_code ignored;
  const std::filesystem::path file = std::filesystem::absolute(path, ignored);
  Engine engine;
  engine.AddExecutors(*stubs, {file.parent_path().string()});
  const definition::LoadResult definition = LoadWorkflow(path, engine.tasks(), *stubs);
  if (!definition.has_value()) {
    std::fputs(FaultLines(path, definition.error()).c_str(), stderr);
    return kExitUsage;
  }
  if (const Status known = CheckStubs(*stubs, **definition); !known)
    return Refuse(terminal, known.error());
  auto variables = ParseVariables(arguments, **definition, terminal);
  if (!variables.has_value()) return Refuse(terminal, variables.error());

  Session session(engine, terminal, arguments);
  const Status opened = engine.Open(arguments.Get("--data", kDefaultData), true, &session);
  if (!opened.has_value()) return Refuse(terminal, opened.error());
  const size_t left = engine.shard().open_instances().size();
  if (left > 0 && !arguments.Has("--quiet"))
    terminal.PrintNote(
        fmt::format("{} earlier runs have not ended; \"stele resume\" continues them", left));

  std::optional<Error> refusal;
  StartInstance(engine, session,
                {definition::WriteCanonical(**definition), (*definition)->name, ReadText(path),
                 file.string()},
                {.input = *std::move(input), .variables = *std::move(variables)}, &refusal);
  if (!refusal.has_value()) session.Run();
  if (refusal.has_value()) return Refuse(terminal, *refusal);
  return session.Report(true);
}

}  // namespace stele::cli
