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
  desk.WatchDenied([this](const Caller& caller, Permission permission, std::string_view target) {
    Note(caller, PermissionName(permission), target);
  });
}

void Denials::Note(const Caller& caller, std::string_view what, std::string_view target) {
  Key key{Cut(caller.name), Cut(caller.source), std::string(what), Cut(target)};
  const TimeUs now = desk_.Now();
  if (!seen_.contains(key) && seen_.size() >= kMaxDenials) {
    std::erase_if(seen_, [&](const auto& each) {
      return now.value - each.second.noted.value > kDenialsEveryUs && each.second.since == 0;
    });
    if (seen_.size() >= kMaxDenials) key = {"", "", std::string(what), ""};
  }
  const auto [place, is_new] = seen_.try_emplace(key);
  Counted& counted = place->second;
  ++counted.since;
  if (!is_new && now.value - counted.noted.value < kDenialsEveryUs) return;
  counted.noted = now;
  Record(key, caller, std::exchange(counted.since, 0));
}

void Denials::Record(const Key& key, const Caller& caller, uint64_t times) {
  const auto& [name, source, what, target] = key;
  desk_.shard().NoteDenied(
      {.name = what,
       .document = ToJson(Value(Object{{"target", target},
                                       {"source", source},
                                       {"role", RoleName(caller.role)},
                                       {"times", static_cast<int64_t>(times)}}))},
      name);
}

}  // namespace stele::server
