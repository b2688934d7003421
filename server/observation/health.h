// Whether the server does what it is for: for people, for balancers, for whoever restarts it.
//
// Thread: the loop's.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/value.h"
#include "server/observation/figures.h"

namespace stele::server {

struct HealthReport {
  // "healthy", "degraded": it serves, but something is wrong; "starting", "draining", "unhealthy":
  // it should be asked nothing.
  std::string_view status;
  // The part, and "ok", or what is wrong with it in a word.
  std::string_view database;
  std::string_view scheduler;
  std::string_view executor;
  std::string_view views;
  LoopFigures loop;
  int64_t open = -1;    // instances; -1: the view that counts them is not there
  int64_t queued = -1;  // of them

  bool is_ready() const { return status == "healthy" || status == "degraded"; }
};

// {status, checks: {database, scheduler, executor, views}, stats: {active_executions, …}}
Object ToJson(const HealthReport& report);

class Health {
 public:
  // REQUIRES: both outlive it.
  Health(Desk& desk, Figures& figures) : desk_(desk), figures_(figures) {}
  Health(const Health&) = delete;
  Health& operator=(const Health&) = delete;

  // Requests of the engine are served from now on.
  void Begin() { begun_ = true; }
  // They are no more in a while: the server was told to stop.
  void Leave() { leaving_ = true; }
  // "starting", "ok" or "stopping".
  std::string_view scheduler() const;
  // REQUIRES: this outlives the promise.
  Promised<HealthReport> Look();

 private:
  HealthReport Judge(const Reading& reading) const;
  bool IsLeaving() const { return leaving_ || desk_.closed(); }

  Desk& desk_;
  Figures& figures_;
  bool begun_ = false;
  bool leaving_ = false;
};

}  // namespace stele::server
