// Alert rules and what they have come to: what is set of them, a look at all of them every few
// seconds, a record when one begins to fire and when that is over, and whoever is to be told.
//
//     timer ──► view of statistics, on a thread ──► Judge ──► record ──► Deliveries
//
// What fires is the registry's to know, so that a restart says nothing twice; how long a condition
// has held that does not fire yet is not kept. The log's way is not touched: a look that finds
// nothing new costs a reading of the view.
//
// Thread: the loop's.
#pragma once

#include <kj/async.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "projections/views/read_statistics.h"
#include "server/alerts/deliveries.h"
#include "server/alerts/rule.h"
#include "server/operations/desk.h"

namespace stele::server::alerts {

// A rule and how it is doing.
struct AlertStatus {
  std::string name;
  Object rule;             // as it was set; `notify` is its type alone, for whoever may not set it
  std::string definition;  // that it watches over; empty: all
  // "firing"; "pending": it holds, but not for long enough yet; "quiet"; "unknown": it cannot be
  // told, as nothing has happened, or was not looked at yet
  std::string state;
  TimeUs since;       // it fires, or holds; 0: it does neither
  TimeUs looked;      // 0: not yet
  Object value;       // the figures of its condition
  std::string fault;  // why it cannot be told
  Value delivery;     // Deliveries::LastOf
  Position position;  // of the change
};
Object ToJson(const AlertStatus& status);

// For metrics.
struct AlertFigures {
  std::map<std::string, bool> firing;  // by rule
  uint64_t delivered = 0;
  uint64_t failed_attempts = 0;
  uint64_t given_up = 0;
};

class Alerts {
 public:
  // REQUIRES: the desk outlives it.
  Alerts(Desk& desk, Deliveries::Note note, Retries retries = {});
  ~Alerts() noexcept;
  Alerts(const Alerts&) = delete;
  Alerts& operator=(const Alerts&) = delete;

  // Looks every kTurnSeconds from now on, and sends what a restart has cut off.
  void Begin();
  // Looks at all rules now. Once at a time: a second call does nothing.
  kj::Promise<void> Look();

  // By name, but for those of definitions that the caller may not see.
  Result<std::vector<AlertStatus>> List(const Caller& caller);
  Result<AlertStatus> Get(const Caller& caller, const std::string& name);
  // Sets a rule anew, or changes it. kLimitExceeded: there are kMaxRules.
  Promised<AlertStatus> Set(const Caller& caller, const std::string& name, const Object& rule);
  // What fires by it is over; nobody is told of that.
  Promised<Written> Remove(const Caller& caller, const std::string& name);

  AlertFigures figures();

 private:
  struct Watched {
    Rule rule;
    std::string document;  // of its setting
    TimeUs held_since;
    TimeUs looked;
    Object value;
    std::string fault;
    bool is_changing = false;  // a record of it is not durable yet
  };
  // What is asked of the view: a definition, and how long a window.
  using Question = std::pair<std::string, int64_t>;
  using Answers = std::map<Question, Result<projections::Statistics>>;

  // The rules as the registry has them now.
  void TakeUp();
  // Ends what fires by no rule any more.
  void EndOrphans();
  Promised<Answers> Ask();
  void Judge(Watched& watched, const Answers& answers, TimeUs now);
  void Change(Watched& watched, bool firing, const Object& figures);
  kj::Promise<void> SendOutstanding();
  kj::Promise<void> Tick();
  AlertStatus StatusOf(const Watched& watched, bool with_notify) const;

  Desk& desk_;
  Deliveries deliveries_;
  std::map<std::string, Watched> watched_;
  Seq taken_up_;  // the registry's last event that the rules were read behind
  bool is_looking_ = false;
  Position begun_;  // what was recorded before is outstanding, until it is read
  // What the shard calls must not reach one that is gone.
  std::shared_ptr<bool> is_there_ = std::make_shared<bool>(true);
  kj::Promise<void> ticking_ = nullptr;
};

}  // namespace stele::server::alerts
