// Slows down who tries passwords: by the name that is tried and by the address that tries. After
// five failures a wait of a second, doubled by each further one up to a quarter of an hour; an
// hour without a failure forgets them.
//
// An attempt counts as failed when it begins and is taken back when it was right, so that many at
// once are no way around. What is tracked is bounded: the one that failed longest ago goes first.
//
// Thread: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/ids.h"
#include "server/auth/limits.h"

namespace stele::server {

class LoginThrottle {
 public:
  explicit LoginThrottle(size_t most_tracked = kMaxThrottled) : most_tracked_(most_tracked) {}
  LoginThrottle(LoginThrottle&&) = default;  // a copy would have the original's iterators

  // How long the next attempt has to wait; nothing when it need not.
  std::optional<int64_t> WaitUs(std::string_view name, std::string_view source, TimeUs now) const;
  void Failed(std::string_view name, std::string_view source, TimeUs now);
  // Clears the name. The address loses only the attempt itself: a password of one's own must not
  // buy tries at those of others.
  void Succeeded(std::string_view name, std::string_view source);

  size_t tracked() const { return entries_.size(); }

 private:
  struct Entry {
    std::string key;
    size_t failures = 0;
    TimeUs last;
  };
  using Entries = std::list<Entry>;

  int64_t WaitOf(const std::string& key, TimeUs now) const;
  void Count(const std::string& key, TimeUs now);

  size_t most_tracked_;
  Entries entries_;  // the one that failed last first
  std::unordered_map<std::string, Entries::iterator> by_key_;
};

}  // namespace stele::server
