// What those who run a server ask of it, permission `administer`: proof of the log, views built
// anew, backups, what leaves the log, secrets.
//
// What takes long is done on the thread of retention, one thing after the other: nothing is purged
// or archived while a log is verified or backed up. It goes on when whoever asked has gone, but for
// what only looks, which is given up. A server that stops answers whoever waits with kClosed; what
// is done then ends behind its step.
//
// Thread: the loop's.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/value.h"
#include "engine/retention/requested.h"
#include "projections/view_state.h"
#include "server/operations/desk.h"
#include "server/operations/reports.h"

namespace stele::server {

// How far something is that takes long. Threads: any.
class Progress {
 public:
  struct Place {
    std::string what;  // that is done now
    uint64_t done = 0;
    uint64_t total = 0;
    bool operator==(const Place&) const = default;
  };
  void Tell(Place place) {
    const std::lock_guard lock(mutex_);
    place_ = std::move(place);
  }
  Place place() const {
    const std::lock_guard lock(mutex_);
    return place_;
  }
  // Nobody waits for it any more.
  void GiveUp() { given_up_ = true; }
  bool given_up() const { return given_up_; }

 private:
  mutable std::mutex mutex_;
  Place place_;
  std::atomic<bool> given_up_ = false;
};
using SharedProgress = std::shared_ptr<Progress>;

struct MaintainedPlaces {
  std::string data;     // the data directory
  std::string backups;  // below which backups are made; empty: nowhere
};

class Maintenance {
 public:
  Maintenance(Desk& desk, MaintainedPlaces places) : desk_(desk), places_(std::move(places)) {}

  // The chain, and without `chain_alone` what the records mean: its report, or {records}.
  Promised<Object> Verify(const Caller& caller, bool chain_alone, SharedProgress progress);

  // Of these names; of all without one. Answers when those that were built serve.
  Promised<std::vector<projections::ViewState>> RebuildViews(const Caller& caller,
                                                             const std::vector<std::string>& views,
                                                             SharedProgress progress);
  Promised<Array> CompareViews(const Caller& caller, std::vector<std::string> views,
                               SharedProgress progress);

  // `directory`: a name below the one for backups, whose parts are made of letters, digits, `_`,
  // `-` and `.`. kUnsupported: the server has none.
  Promised<MadeBackup> Backup(const Caller& caller, const std::string& directory, uint32_t keep);
  struct FoundBackups {
    Array backups;
    std::vector<Error> faults;
    std::vector<std::string> notes;
  };
  Promised<FoundBackups> ListBackups(const Caller& caller, const std::string& directory);
  // `only` 0: all.
  Promised<FoundBackups> VerifyBackups(const Caller& caller, const std::string& directory,
                                       uint32_t only);

  Promised<Object> Archive(const Caller& caller, retention::ArchiveRange range);
  Result<Object> Policy(const Caller& caller);
  // The actor is the caller.
  Promised<Object> Retain(const Caller& caller, retention::Requested requested, bool dry);
  Promised<Object> Erase(const Caller& caller, retention::Requested requested);

  // {name, bytes, created, changed} of each; no value. The key is the process's.
  Promised<Array> Secrets(const Caller& caller);
  Promised<Written> SetSecret(const Caller& caller, const std::string& name, std::string value);
  Promised<Written> RemoveSecret(const Caller& caller, const std::string& name);

  // {sealed}.
  Result<Object> Keys(const Caller& caller);

 private:
  // On the thread of retention, if the caller may.
  template <class Work>
  auto Aside(const Caller& caller, Work work)
      -> Promised<typename std::invoke_result_t<Work, retention::RetentionService&>::value_type>;
  Result<std::string> BackupsIn(const std::string& directory) const;
  Promised<std::vector<projections::ViewState>> WhenBuilt(SharedProgress progress);

  Desk& desk_;
  const MaintainedPlaces places_;
};

}  // namespace stele::server
