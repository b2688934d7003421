#include "server/rpc/access.h"

#include <fmt/format.h>

#include <algorithm>

#include "server/vat/message_network.h"

namespace stele::server::rpc {

class Turnstile::Waiter {
 public:
  Waiter(kj::PromiseFulfiller<kj::Own<Place>>& fulfiller, Turnstile& turnstile)
      : fulfiller_(fulfiller),
        turnstile_(turnstile),
        at_(turnstile.waiting_.insert(turnstile.waiting_.end(), this)) {}
  ~Waiter() {
    if (waits_) turnstile_.waiting_.erase(at_);
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  void LetIn() {
    waits_ = false;
    turnstile_.waiting_.erase(at_);
    fulfiller_.fulfill(kj::heap<Place>(turnstile_));
  }

 private:
  kj::PromiseFulfiller<kj::Own<Place>>& fulfiller_;
  Turnstile& turnstile_;
  const std::list<Waiter*>::iterator at_;
  bool waits_ = true;
};

kj::Promise<kj::Own<Turnstile::Place>> Turnstile::Enter() {
  if (free_ == 0) return kj::newAdaptedPromise<kj::Own<Place>, Waiter>(*this);
  --free_;
  return kj::heap<Place>(*this);
}

void Turnstile::Leave() {
  if (waiting_.empty()) {
    ++free_;
  } else {
    waiting_.front()->LetIn();
  }
}

bool Connected::HasRoom() const {
  return network == nullptr || network->HasRoom();
}

kj::Promise<void> Connected::WhenRoom() {
  if (network == nullptr) return kj::READY_NOW;
  return network->WhenRoom();
}

Status Access::Check() const {
  if (operations_.desk.closed()) return Desk::Closed();
  if (options_.logins == nullptr || options_.logins->StillValid(holder_)) return {};
  return Fail(ErrorCode::kBadToken,
              "Expected a session whose token counts but found that it has expired, was given up, "
              "or that its account has changed; log in again");
}

Result<std::shared_ptr<const Access>> Access::Narrowed(const std::string& role,
                                                       std::vector<std::string> groups) const {
  auto narrowed = std::make_shared<Access>(*this);
  if (!role.empty()) {
    const auto known = FindRole(role);
    if (!known.has_value())
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("role: Expected a role but found \"{}\"", role));
    for (size_t i = 0; i < kPermissions; ++i) {
      const auto permission = static_cast<Permission>(i);
      if (MayDo(*known, permission) && !MayDo(caller_.role, permission))
        return Fail(ErrorCode::kForbidden,
                    fmt::format("role: Expected one that may do nothing that {} may not but \"{}\" "
                                "may {}",
                                RoleName(caller_.role), role, PermissionName(permission)));
    }
    narrowed->caller_.role = *known;
  }
  for (const std::string& group : groups)
    if (std::ranges::find(caller_.groups, group) == caller_.groups.end())
      return Fail(ErrorCode::kForbidden,
                  fmt::format("groups: Expected groups of the session but found \"{}\"", group));
  narrowed->caller_.groups = std::move(groups);
  narrowed->caller_.narrowed = true;
  return narrowed;
}

}  // namespace stele::server::rpc
