#include "server/operations/desk.h"

#include <memory>
#include <string_view>

#include "engine/requests/definitions.h"

namespace stele::server {

Desk::Desk(const ServedEngine& engine, Threads& threads, kj::Timer& timer)
    : engine_(engine), threads_(threads), timer_(timer), closing_(nullptr) {
  auto closing = kj::newPromiseAndFulfiller<void>();
  close_ = kj::mv(closing.fulfiller);
  closing_ = closing.promise.fork();
}

const DefinitionPermissions* Desk::PermissionsOf(std::string_view definition) {
  if (definition.empty()) return nullptr;
  // The newest version's count for all of them: who tightens them does not leave the old ones open.
  // A draft says nothing yet where another version may start.
  const model::RegisteredDefinition* registered = registry().Startable(definition);
  if (registered == nullptr) registered = registry().Latest(definition);
  return registered == nullptr ? nullptr : PermissionsOf(*registered);
}

const DefinitionPermissions* Desk::PermissionsOf(const model::RegisteredDefinition& registered) {
  const auto [place, is_new] = permissions_.try_emplace(registered.id);
  if (!is_new) return place->second.has_value() ? &*place->second : nullptr;
  const Value& extra = registered.definition->extra;
  const Value* given = extra.is_object() ? extra.Find("permissions") : nullptr;
  if (given == nullptr) return nullptr;
  auto read = ReadPermissions(*given);
  place->second = read.has_value() ? *std::move(read) : OnlyAdmins();
  return &*place->second;
}

const std::vector<Desk::Guarded>& Desk::GuardedDefinitions() {
  if (guarded_seq_ == registry().seq) return guarded_;
  guarded_seq_ = registry().seq;
  guarded_.clear();
  const std::vector<model::RegisteredDefinition>& all = registry().definitions;
  for (; looked_at_ < all.size(); ++looked_at_)
    if (PermissionsOf(all[looked_at_]) != nullptr) narrowed_.insert(all[looked_at_].name);
  if (narrowed_.empty()) return guarded_;
  // The version of each name that counts for all of them.
  std::map<std::string_view, const model::RegisteredDefinition*> deciding;
  for (const model::RegisteredDefinition& each : all) {
    if (!narrowed_.contains(each.name)) continue;
    const model::RegisteredDefinition*& decides = deciding[each.name];
    const bool starts = each.state == model::DefinitionState::kActive;
    if (starts || decides == nullptr || decides->state != model::DefinitionState::kActive)
      decides = &each;
  }
  for (const auto& [name, decides] : deciding)
    if (const DefinitionPermissions* permissions = PermissionsOf(*decides); permissions != nullptr)
      guarded_.push_back({std::string(name), permissions});
  return guarded_;
}

Status Desk::AllowPermissions(const Caller& caller, std::string_view definition,
                              const DefinitionPermissions* next) {
  Status allowed = AuthorizeChange(caller, PermissionsOf(definition), next);
  if (!allowed.has_value() && denied_) denied_(caller, Permission::kDefine, {definition, {}});
  return allowed;
}

Sight Desk::SightOf(const Caller& caller, Permission permission) {
  if (caller.role == Role::kAdmin) return Sight();
  std::shared_ptr<projections::HiddenNames> hidden;
  for (const auto& [definition, permissions] : GuardedDefinitions()) {
    if (Allows(caller, permission, permissions)) continue;
    if (hidden == nullptr) hidden = std::make_shared<projections::HiddenNames>();
    hidden->insert(definition);
  }
  return Sight(std::move(hidden));
}

Result<const model::RegisteredDefinition*> Desk::FindDefinition(const Caller& caller,
                                                                const std::string& name,
                                                                uint32_t version, bool startable) {
  auto found = requests::FindDefinition(registry(), name, version, startable);
  if (found.has_value() || registry().Latest(name) != nullptr) return found;
  const Sight sight = SightOf(caller, Permission::kReadDefinitions);
  model::Registry seen;
  for (const model::RegisteredDefinition& registered : registry().definitions)
    if (sight.Sees(registered.name)) seen.definitions.push_back(registered);
  return requests::FindDefinition(seen, name, version, startable);
}

Status Desk::Allow(const Caller& caller, Permission permission, std::string_view definition,
                   InstanceId instance) {
  Status allowed = Authorize(caller, permission, PermissionsOf(definition));
  if (!allowed.has_value() && denied_) denied_(caller, permission, {definition, instance});
  return allowed;
}

Status Desk::AllowByRole(const Caller& caller, Permission permission,
                         const std::function<Target()>& about) {
  Status allowed = Authorize(caller, permission);
  if (!allowed.has_value() && denied_) denied_(caller, permission, about());
  return allowed;
}

std::unexpected<Error> Desk::Deny(const Caller& caller, Permission permission, std::string sentence,
                                  const Target& about) {
  if (denied_) denied_(caller, permission, about);
  return Fail(ErrorCode::kForbidden, std::move(sentence));
}

Desk::Answering Desk::Await() {
  auto answered = kj::newPromiseAndFulfiller<Result<Written>>();
  struct Asked {
    kj::Own<kj::PromiseFulfiller<Result<Written>>> fulfiller;
    Counted counted;
  };
  // Shared, since the shard's answers are copied. Nobody may wait any more when it comes.
  const auto asked =
      std::make_shared<Asked>(Asked{kj::mv(answered.fulfiller), Counted(under_way_)});
  return {kj::mv(answered.promise), [asked](const Result<Position>& answer) {
            if (answer.has_value()) {
              asked->fulfiller->fulfill(Written{*answer});
            } else {
              asked->fulfiller->fulfill(Result<Written>(std::unexpected(answer.error())));
            }
          }};
}

std::shared_ptr<const model::Registry> Desk::Definitions() {
  const std::vector<model::RegisteredDefinition>& all = registry().definitions;
  if (definitions_ == nullptr || definitions_->definitions.size() != all.size()) {
    auto copy = std::make_shared<model::Registry>();
    copy->definitions = all;
    definitions_ = std::move(copy);
  }
  return definitions_;
}

kj::Promise<void> Desk::WhenIdle() {
  // Behind all that was under way has led to: it may have begun something again.
  return kj::evalLast([this]() -> kj::Promise<void> {
    if (under_way_->count == 0) return kj::READY_NOW;
    auto none = kj::newPromiseAndFulfiller<void>();
    under_way_->none = kj::mv(none.fulfiller);
    return none.promise.then([this] { return WhenIdle(); });
  });
}

void Desk::Close() {
  closed_ = true;
  close_->fulfill();
}

}  // namespace stele::server
