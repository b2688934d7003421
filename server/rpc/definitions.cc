#include "server/rpc/definitions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json.h"
#include "server/rpc/answer.h"
#include "server/rpc/given.h"
#include "server/rpc/show.h"

namespace stele::server::rpc {

namespace {

definition::Syntax SyntaxOf(api::Syntax syntax, Given& given) {
  switch (syntax) {
    case api::Syntax::YAML:
      return definition::Syntax::kYaml;
    case api::Syntax::JSON:
      return definition::Syntax::kJson;
  }
  given.Add(ErrorCode::kInvalidInput,
            fmt::format("syntax: Expected yaml or json but found the number {}",
                        static_cast<int>(syntax)));
  return definition::Syntax::kYaml;
}

// Its bytes are judged by the loader, which names the place of what is wrong.
DefinitionText TextFrom(api::DefinitionText::Reader reader, Given& given) {
  DefinitionText text{.text = std::string(reader.getText().begin(), reader.getText().size()),
                      .syntax = SyntaxOf(reader.getSyntax(), given),
                      .draft = reader.getDraft()};
  if (std::string name = given.Name(reader.getName(), "name"); !name.empty())
    text.name = std::move(name);
  return text;
}

// Who may not ask is refused; what is wrong with the text is an answer.
bool IsAboutText(const Refused& refused) {
  return !refused.faults.empty();
}

}  // namespace

kj::Promise<void> DefinitionsServer::validate(ValidateContext context) {
  Given given;
  given.Add(access_->Check());
  const DefinitionText text = TextFrom(context.getParams().getText(), given);
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  const auto valid = access_->operations().definitions.Validate(access_->caller(), text);
  if (!valid.has_value() && !IsAboutText(valid.error())) return Refuse(valid.error().error);
  auto verdict = context.getResults().initVerdict();
  if (!valid.has_value()) {
    Show(valid.error(), verdict.initRefused());
  } else {
    verdict.initValid().setName(TextOf(valid->name));
    verdict.getValid().setSteps(static_cast<uint32_t>(valid->steps));
  }
  return kj::READY_NOW;
}

kj::Promise<void> DefinitionsServer::register_(RegisterContext context) {
  Given given;
  given.Add(access_->Check());
  const DefinitionText text = TextFrom(context.getParams().getText(), given);
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  context.releaseParams();
  return access_->operations()
      .definitions.Register(access_->caller(), text)
      .then([context](Judged<DefinitionStatus> registered) mutable -> kj::Promise<void> {
        if (!registered.has_value() && !IsAboutText(registered.error()))
          return Refuse(registered.error().error);
        auto results = context.getResults().initRegistration();
        if (registered.has_value()) {
          Show(*registered, results.initDefinition());
        } else {
          Show(registered.error(), results.initRefused());
        }
        return kj::READY_NOW;
      });
}

kj::Promise<void> DefinitionsServer::list(ListContext context) {
  Given given;
  given.Add(access_->Check());
  const std::string name = given.Name(context.getParams().getName(), "name");
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  return Answer(access_->operations().definitions.List(access_->caller(), name),
                [context](const std::vector<DefinitionStatus>& statuses) mutable {
                  auto list =
                      context.getResults().initDefinitions(static_cast<unsigned>(statuses.size()));
                  for (unsigned i = 0; i < statuses.size(); ++i) Show(statuses[i], list[i]);
                });
}

kj::Promise<void> DefinitionsServer::get(GetContext context) {
  const auto params = context.getParams();
  Given given;
  given.Add(access_->Check());
  const std::string name = given.Name(params.getName(), "name");
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  return Answer(access_->operations().definitions.Get(access_->caller(), name, params.getVersion()),
                [context](const DefinitionStatus& status) mutable {
                  Show(status, context.getResults().initDefinition());
                });
}

kj::Promise<void> DefinitionsServer::source(SourceContext context) {
  const auto params = context.getParams();
  Given given;
  given.Add(access_->Check());
  const std::string name = given.Name(params.getName(), "name");
  const std::string word = given.Name(params.getDialect(), "dialect");
  const definition::Syntax syntax = SyntaxOf(params.getSyntax(), given);
  const auto dialect = definition::FindDialect(word);
  if (!word.empty() && !dialect.has_value())
    given.Add(ErrorCode::kInvalidInput,
              fmt::format("dialect: Expected one of {} but found \"{}\"",
                          fmt::join(definition::DialectNames(), ", "), word));
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  return Answer(
      access_->operations().definitions.Source(access_->caller(), name, params.getVersion(),
                                               dialect, syntax),
      [context](const std::string& text) mutable { context.getResults().setText(TextOf(text)); });
}

kj::Promise<void> DefinitionsServer::change(ChangeContext context) {
  const auto params = context.getParams();
  Given given;
  given.Add(access_->Check());
  const std::string name = given.Name(params.getName(), "name");
  const std::string reason = given.Text(params.getReason(), "reason");
  const auto state = StateOf(params.getState());
  if (!state.has_value()) given.Add(state.error().code, state.error().message);
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  return Answer(access_->operations().definitions.Change(access_->caller(), name,
                                                         params.getVersion(), *state, reason),
                [context](const DefinitionStatus& status) mutable {
                  Show(status, context.getResults().initDefinition());
                });
}

kj::Promise<void> DefinitionsServer::types(TypesContext context) {
  if (const Status valid = access_->Check(); !valid.has_value()) return Refuse(valid.error());
  return Answer(access_->operations().definitions.Types(access_->caller()),
                [context](Array& types) mutable {
                  context.getResults().setTypes(TextOf(ToJson(Value(std::move(types)))));
                });
}

kj::Promise<void> DefinitionsServer::registerType(RegisterTypeContext context) {
  const auto params = context.getParams();
  Given given;
  given.Add(access_->Check());
  const std::string name = given.Name(params.getName(), "name");
  const Value document = given.Document(params.getDocument(), "document");
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  return Answer(access_->operations().definitions.RegisterType(access_->caller(), name, document),
                [context](const Written& written) mutable {
                  context.getResults().setPosition(written.position.value);
                });
}

kj::Promise<void> DefinitionsServer::removeType(RemoveTypeContext context) {
  Given given;
  given.Add(access_->Check());
  const std::string name = given.Name(context.getParams().getName(), "name");
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  return Answer(access_->operations().definitions.RemoveType(access_->caller(), name),
                [context](const Written& written) mutable {
                  context.getResults().setPosition(written.position.value);
                });
}

kj::Promise<void> DefinitionsServer::records(RecordsContext context) {
  if (const Status valid = access_->Check(); !valid.has_value()) return Refuse(valid.error());
  context.allowCancellation();
  const Seq from(context.getParams().getFrom());
  const bool firings = context.getParams().getFirings();
  return Answer(
      access_->WhenFree([access = access_, from, firings] {
        return access->operations().histories.RegistryRecords(access->caller(), from, firings);
      }),
      [context](const RecordPage& page) mutable { return ShowPage(page, context.getResults()); });
}

}  // namespace stele::server::rpc
