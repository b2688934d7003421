#include "server/operations/desk.h"

#include <memory>

namespace stele::server {

Desk::Desk(const ServedEngine& engine, WorkThreads& threads, kj::Timer& timer)
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
  if (registered == nullptr) return nullptr;
  const auto [place, is_new] = permissions_.try_emplace(registered->id);
  if (!is_new) return place->second.has_value() ? &*place->second : nullptr;
  const Value& extra = registered->definition->extra;
  const Value* given = extra.is_object() ? extra.Find("permissions") : nullptr;
  if (given == nullptr) return nullptr;
  auto read = ReadPermissions(*given);
  place->second = read.has_value() ? *std::move(read) : OnlyAdmins();
  return &*place->second;
}

Status Desk::Allow(const Caller& caller, Permission permission, std::string_view definition) {
  Status allowed = Authorize(caller, permission, PermissionsOf(definition));
  if (!allowed.has_value() && denied_) denied_(caller, permission, definition);
  return allowed;
}

Desk::Answering Desk::Await() {
  auto answered = kj::newPromiseAndFulfiller<Result<Written>>();
  // Shared, since the shard's answers are copied. Nobody may wait any more when it comes.
  const auto fulfiller =
      std::make_shared<kj::Own<kj::PromiseFulfiller<Result<Written>>>>(kj::mv(answered.fulfiller));
  return {kj::mv(answered.promise), [fulfiller](const Result<Position>& answer) {
            if (answer.has_value()) {
              (*fulfiller)->fulfill(Written{*answer});
            } else {
              (*fulfiller)->fulfill(Result<Written>(std::unexpected(answer.error())));
            }
          }};
}

std::shared_ptr<const model::Registry> Desk::RegistryCopy() {
  if (registry_copy_ == nullptr || registry_copy_->seq != registry().seq)
    registry_copy_ = std::make_shared<const model::Registry>(registry());
  return registry_copy_;
}

void Desk::Close() {
  closed_ = true;
  close_->fulfill();
}

}  // namespace stele::server
