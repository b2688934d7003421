#include "cli/remote/definitions.h"

#include <filesystem>

#include "cli/given.h"
#include "cli/remote/command.h"
#include "engine/definition/limits.h"
#include "server/rpc/errors.h"
#include "server/rpc/show.h"
#include "server/rpc/text.h"

namespace stele::cli {

namespace {

api::Definitions::Client DefinitionsOf(Remote& server) {
  return server.session().definitionsRequest().send().getDefinitions();
}

void Show(const SentDefinition& definition, api::DefinitionText::Builder to) {
  to.setText(server::rpc::TextOf(definition.text));
  to.setSyntax(definition::SyntaxOf(definition.path, definition.text) == definition::Syntax::kJson
                   ? api::Syntax::JSON
                   : api::Syntax::YAML);
  to.setName(server::rpc::TextOf(std::filesystem::path(definition.path).stem().string()));
  to.setDraft(definition.draft);
}

// One of a newer server has the code of what it is to this program.
ErrorCode CodeOf(uint32_t number) {
  return server::rpc::FindErrorCode(number).value_or(ErrorCode::kInvalidDefinition);
}

NotRegistered Read(api::Refused::Reader refused) {
  NotRegistered why{{CodeOf(refused.getCode()), refused.getMessage().cStr()}, {}};
  for (const auto fault : refused.getFaults())
    why.faults.push_back(
        {CodeOf(fault.getCode()), fault.getMessage().cStr(), {fault.getLine(), fault.getColumn()}});
  return why;
}

std::string StateNameOf(api::DefinitionState number) {
  const auto state = server::rpc::StateOf(number);
  return state.has_value() ? std::string(model::DefinitionStateName(*state)) : "unknown";
}

DefinitionAtServer Read(api::DefinitionStatus::Reader status) {
  return {.name = status.getName().cStr(),
          .version = status.getVersion(),
          .state = StateNameOf(status.getState()),
          .is_new = status.getIsNew()};
}

}  // namespace

Result<SentDefinition> ReadSentDefinition(const std::string& path, bool draft) {
  STELE_RETURN_IF_ERROR(CheckRegularFile(path));
  auto text = ReadGivenFile(path, definition::kMaxFileBytes);
  if (!text.has_value()) return std::unexpected(text.error());
  return SentDefinition{path, *std::move(text), draft};
}

Result<std::vector<definition::Fault>> ValidateAtServer(Remote& server,
                                                        const SentDefinition& definition) {
  auto request = DefinitionsOf(server).validateRequest();
  Show(definition, request.initText());
  const auto answer = server.Wait(request.send());
  if (!answer.has_value()) return std::unexpected(answer.error());
  if (!answer->getVerdict().isRefused()) return std::vector<definition::Fault>();
  return Read(answer->getVerdict().getRefused()).faults;
}

std::expected<DefinitionAtServer, NotRegistered> RegisterAtServer(
    Remote& server, const SentDefinition& definition) {
  auto request = DefinitionsOf(server).registerRequest();
  Show(definition, request.initText());
  const auto answer = server.Wait(request.send());
  if (!answer.has_value()) return std::unexpected(NotRegistered{answer.error(), {}});
  const auto registration = answer->getRegistration();
  if (registration.isRefused()) return std::unexpected(Read(registration.getRefused()));
  return Read(registration.getDefinition());
}

Result<DefinitionAtServer> ChangeAtServer(Remote& server, const std::string& name, uint32_t version,
                                          model::DefinitionState state, const std::string& reason) {
  auto request = DefinitionsOf(server).changeRequest();
  request.setName(server::rpc::TextOf(name));
  request.setVersion(version);
  request.setState(server::rpc::StateNumber(state));
  request.setReason(server::rpc::TextOf(reason));
  const auto answer = server.Wait(request.send());
  if (!answer.has_value()) return std::unexpected(answer.error());
  return Read(answer->getDefinition());
}

}  // namespace stele::cli
