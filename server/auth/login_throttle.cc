#include "server/auth/login_throttle.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "server/auth/source.h"

namespace stele::server {
namespace {

constexpr size_t kNetworkBytes = 8;
constexpr std::array<unsigned char, 12> kMappedStart = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::string NameKey(std::string_view name) {
  return "name " + std::string(name.substr(0, kMaxNameBytes));
}

// Of IPv6 the network, since whoever has one address of it has them all; IPv4 as it stands, also
// where it comes as IPv6.
std::string SourceKey(std::string_view source) {
  const std::string text(AddressOf(source).substr(0, kMaxNameBytes));
  std::array<unsigned char, 16> address{};
  if (inet_pton(AF_INET6, text.c_str(), address.data()) != 1) return "from " + text;
  if (std::equal(kMappedStart.begin(), kMappedStart.end(), address.begin())) {
    std::array<char, INET_ADDRSTRLEN> v4{};
    inet_ntop(AF_INET, address.data() + kMappedStart.size(), v4.data(), v4.size());
    return std::string("from ") + v4.data();
  }
  std::string key = "net ";
  for (size_t i = 0; i < kNetworkBytes; ++i) key += static_cast<char>(address[i]);
  return key;
}

int64_t WaitAfter(size_t failures) {
  if (failures < kFreeLoginFailures) return 0;
  int64_t wait = kFirstLoginWaitUs;
  for (size_t i = kFreeLoginFailures; i < failures && wait < kMaxLoginWaitUs; ++i) wait *= 2;
  return std::min(wait, kMaxLoginWaitUs);
}

}  // namespace

int64_t LoginThrottle::WaitOf(const std::string& key, TimeUs now) const {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return 0;
  const int64_t wait = WaitAfter(found->second->failures);
  // A clock that was set back makes no wait longer.
  const int64_t passed = std::max<int64_t>(now.value - found->second->last.value, 0);
  return std::max<int64_t>(wait - passed, 0);
}

std::optional<int64_t> LoginThrottle::WaitUs(std::string_view name, std::string_view source,
                                             TimeUs now) const {
  const int64_t wait = std::max(WaitOf(NameKey(name), now), WaitOf(SourceKey(source), now));
  return wait > 0 ? std::optional(wait) : std::nullopt;
}

void LoginThrottle::Failed(std::string_view name, std::string_view source, TimeUs now) {
  Count(NameKey(name), now);
  Count(SourceKey(source), now);
}

void LoginThrottle::Count(const std::string& key, TimeUs now) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) {
    if (entries_.size() >= most_tracked_ && !entries_.empty()) {
      by_key_.erase(entries_.back().key);
      entries_.pop_back();
    }
    entries_.push_front({.key = key});
    by_key_.emplace(key, entries_.begin());
  } else {
    entries_.splice(entries_.begin(), entries_, found->second);
  }
  Entry& entry = entries_.front();
  if (now.value - entry.last.value >= kForgetLoginFailuresUs) entry.failures = 0;
  ++entry.failures;
  entry.last = now;
}

void LoginThrottle::Succeeded(std::string_view name, std::string_view source) {
  if (const auto found = by_key_.find(NameKey(name)); found != by_key_.end()) {
    entries_.erase(found->second);
    by_key_.erase(found);
  }
  const auto found = by_key_.find(SourceKey(source));
  if (found == by_key_.end()) return;
  if (--found->second->failures > 0) return;
  entries_.erase(found->second);
  by_key_.erase(found);
}

}  // namespace stele::server
