#include "server/operations/denials.h"

#include "base/json.h"
#include "server/operations/limits.h"

namespace stele::server {

namespace {

std::string Cut(std::string_view text) {
  return std::string(text.substr(0, kMaxDeniedBytes));
}

}  // namespace

Denials::Denials(Desk& desk) : desk_(desk) {
  desk.WatchDenied([this](const Caller& caller, Permission permission, const Desk::Target& target) {
    Note(caller, PermissionName(permission), target);
  });
}

void Denials::Note(const Caller& caller, std::string_view what, const Desk::Target& target) {
  const TimeUs now = desk_.Now();
  if (now.value - minute_.value >= kDenialsEveryUs) BeginMinute(now);
  const Key key{Cut(caller.name), Cut(caller.source), std::string(what), Cut(target.definition),
                target.instance};
  const bool known = seen_.contains(key);
  if (noted_ >= kMaxDenialsNoted || (!known && seen_.size() >= kMaxDenials)) {
    if (known) {
      ++seen_[key].since;
    } else {
      ++others_;
    }
    return;
  }
  Counted& counted = seen_[key];
  ++counted.since;
  if (known && now.value - counted.noted.value < kDenialsEveryUs) return;
  counted.noted = now;
  Record(key, RoleName(caller.role), std::exchange(counted.since, 0));
}

void Denials::BeginMinute(TimeUs now) {
  minute_ = now;
  noted_ = 0;
  // Those that were not made for a minute are told apart no more; what is left of them is counted.
  std::erase_if(seen_, [&](const auto& each) {
    const auto& [key, counted] = each;
    if (now.value - counted.noted.value < 2 * kDenialsEveryUs) return false;
    others_ += counted.since;
    return true;
  });
  if (others_ > 0) Record({"", "", "others", "", InstanceId()}, "", std::exchange(others_, 0));
}

void Denials::Record(const Key& key, std::string_view role, uint64_t times) {
  ++noted_;
  const auto& [name, source, what, target, instance] = key;
  Object document{{"target", target}, {"role", role}, {"times", static_cast<int64_t>(times)}};
  if (instance) document.Set("instance", static_cast<int64_t>(instance.value));
  desk_.shard().NoteDenied({.name = what, .document = ToJson(Value(std::move(document)))},
                           {name, source});
}

}  // namespace stele::server
