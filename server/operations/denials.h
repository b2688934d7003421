// Attempts that were denied, kept in the log: who asked for what, from where, how often.
//
// What strangers can cause must not fill the log: the same attempt is noted when it is first made,
// and then once a minute with how often it was made since. How many are noted a minute, and how
// many different ones are told apart, is bounded; those beyond it are counted, and noted as one.
//
// Thread: the loop's.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "base/ids.h"
#include "server/auth/caller.h"
#include "server/operations/desk.h"

namespace stele::server {

class Denials {
 public:
  // Watches over the desk. REQUIRES: the desk outlives it.
  explicit Denials(Desk& desk);
  ~Denials() { desk_.WatchDenied(nullptr); }
  Denials(const Denials&) = delete;
  Denials& operator=(const Denials&) = delete;

  // `what`: the name of a permission, "login", "token". Texts of strangers are cut.
  void Note(const Caller& caller, std::string_view what, const Desk::Target& target);

 private:
  using Key = std::tuple<std::string, std::string, std::string, std::string, InstanceId>;
  struct Counted {
    TimeUs noted;
    uint64_t since = 0;  // so many more, which are not noted yet
  };
  void BeginMinute(TimeUs now);
  void Record(const Key& key, std::string_view role, uint64_t times);

  Desk& desk_;
  std::map<Key, Counted> seen_;
  TimeUs minute_;
  size_t noted_ = 0;     // in that minute
  uint64_t others_ = 0;  // that were counted alone
};

}  // namespace stele::server
