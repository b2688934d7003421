#include "server/operations/denials.h"

#include <utility>

#include "base/check.h"
#include "base/json.h"
#include "server/operations/limits.h"

namespace stele::server {

namespace {

std::string Cut(std::string_view text) {
  return std::string(text.substr(0, kMaxDeniedBytes));
}

}  // namespace

Denials::Denials(Desk& desk, kj::Timer& timer) : desk_(desk), timer_(timer) {
  desk.WatchDenied([this](const Caller& caller, Permission permission, const Desk::Target& target) {
    Note(caller, PermissionName(permission), target);
  });
}

void Denials::Note(const Caller& caller, std::string_view what, const Desk::Target& target) {
  Count({Cut(caller.name), Cut(caller.source), std::string(what), Cut(target.definition),
         target.instance},
        RoleName(caller.role));
}

void Denials::NoteStranger(std::string_view name, std::string_view source, std::string_view what) {
  Count({Cut(name), Cut(source), std::string(what), "", InstanceId()}, "");
}

void Denials::Close() {
  minutes_ = nullptr;
  counting_ = false;
  EndMinute();
  seen_.clear();
}

void Denials::Count(const Key& key, std::string_view role) {
  if (const auto known = seen_.find(key); known != seen_.end()) {
    ++known->second.since;
  } else if (seen_.size() < kMaxDenialsNoted) {
    seen_[key] = {.role = role, .since = 0};
    Record(key, role, 1);
  } else {
    ++others_;
  }
  if (std::exchange(counting_, true)) return;
  minutes_ = Minutes().eagerlyEvaluate(
      [](kj::Exception&& exception) { CHECK(false, "{}", exception.getDescription().cStr()); });
}

kj::Promise<void> Denials::Minutes() {
  return timer_.afterDelay(kDenialsEveryUs * kj::MICROSECONDS).then([this]() -> kj::Promise<void> {
    EndMinute();
    if (!seen_.empty()) return Minutes();
    counting_ = false;
    return kj::READY_NOW;
  });
}

void Denials::EndMinute() {
  // Those that were not made again are forgotten.
  std::erase_if(seen_, [](const auto& each) { return each.second.since == 0; });
  for (auto& [key, counted] : seen_) Record(key, counted.role, std::exchange(counted.since, 0));
  if (others_ > 0) Record({"", "", "others", "", InstanceId()}, "", std::exchange(others_, 0));
}

void Denials::Record(const Key& key, std::string_view role, uint64_t times) {
  const auto& [name, source, what, target, instance] = key;
  Object document{{"target", target}, {"times", static_cast<int64_t>(times)}};
  if (!role.empty()) document.Set("role", role);
  if (instance) document.Set("instance", static_cast<int64_t>(instance.value));
  desk_.shard().NoteDenied({.name = what, .document = ToJson(Value(std::move(document)))},
                           {name, source});
}

}  // namespace stele::server
