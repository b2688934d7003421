// Attempts that were denied, kept in the log: who asked for what, from where, how often.
//
// What strangers can cause must not fill the log: an attempt is noted when it is first made, and
// the same one then once a minute with how often it was made since, until it is made no more. How
// many different ones are told apart is bounded; those beyond it are counted, and noted as one.
//
// Thread: the loop's.
#pragma once

#include <kj/async.h>
#include <kj/timer.h>

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
  // Watches over the desk. REQUIRES: the desk, and the timer that minutes go by, outlive it.
  explicit Denials(Desk& desk) : Denials(desk, desk.timer()) {}
  Denials(Desk& desk, kj::Timer& timer);
  ~Denials() noexcept { desk_.WatchDenied(nullptr); }
  Denials(const Denials&) = delete;
  Denials& operator=(const Denials&) = delete;

  // `what`: the name of a permission. Names are cut.
  void Note(const Caller& caller, std::string_view what, const Desk::Target& target);
  // Who has not shown who they are, and has no role: the name that they give, or none. `what`:
  // "login", "token".
  void NoteStranger(std::string_view name, std::string_view source, std::string_view what);
  // What was counted since the minute began is noted, too. Before the shard stops, once.
  void Close();

 private:
  using Key = std::tuple<std::string, std::string, std::string, std::string, InstanceId>;
  struct Counted {
    std::string_view role;  // empty: none
    uint64_t since = 0;     // so many more, which are not noted yet
  };
  void Count(const Key& key, std::string_view role);
  kj::Promise<void> Minutes();
  void EndMinute();
  void Record(const Key& key, std::string_view role, uint64_t times);

  Desk& desk_;
  kj::Timer& timer_;
  // Of this minute, and those that were made again in the last one.
  std::map<Key, Counted> seen_;
  uint64_t others_ = 0;  // that were counted alone
  bool counting_ = false;
  kj::Promise<void> minutes_ = nullptr;
};

}  // namespace stele::server
