// Tells the outside of alerts: what is recorded is posted as its rule says, until the other side
// has taken it, at least once and in order of each rule. What came of it is a setting of the
// registry, so that a restart goes on where this ended; the log has what was not delivered yet.
//
//     record durable ──► Add ──► posted ──► taken: marked │ refused: later again
//
// Thread: the loop's.
#pragma once

#include <kj/async.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/tasks/executor.h"
#include "server/alerts/limits.h"
#include "server/alerts/message.h"
#include "server/alerts/rule.h"
#include "server/operations/desk.h"

namespace stele::server::alerts {

// How a delivery that has failed is tried again: behind so much, then behind twice that, and so on
// up to the last; so often in all.
struct Retries {
  int64_t first_us = kFirstRetryUs;
  int64_t last_us = kLastRetryUs;
  uint32_t attempts = kMaxAttempts;
};

class Deliveries final : private kj::TaskSet::ErrorHandler {
 public:
  // Null: there is no such rule any more.
  using FindRule = std::function<const Rule*(const std::string& name)>;
  // Told of what has failed; a sentence without secrets.
  using Note = std::function<void(const std::string& rule, const std::string& sentence)>;

  // REQUIRES: the desk outlives it.
  Deliveries(Desk& desk, FindRule find, Note note, Retries retries = {});
  ~Deliveries() noexcept;
  Deliveries(const Deliveries&) = delete;
  Deliveries& operator=(const Deliveries&) = delete;

  // REQUIRES: its record is durable.
  void Add(Notice notice);
  // The rule is no more: nothing of it is sent.
  void Forget(const std::string& rule);

  // What was recorded before `end` of these rules and is not marked as delivered. Reads the log.
  Promised<std::vector<Notice>> ReadOutstanding(const std::vector<const Rule*>& rules,
                                                Position end);

  // Of the last one of a rule: {state, position, attempts, time?, error?}; null: there is none.
  Value LastOf(const std::string& rule) const;

  uint64_t delivered() const { return delivered_; }
  uint64_t failed() const { return failed_; }      // attempts
  uint64_t given_up() const { return given_up_; }  // notices

 private:
  struct Waiting {
    std::deque<Notice> notices;  // by position
    uint32_t attempts = 0;       // of the first one, that have failed
    std::string error;
    bool under_way = false;
    tasks::AttemptKey key;
    tasks::TaskExecutor* executor = nullptr;
    uint64_t turn = 0;  // of what is to be sent next: a timer of another one comes too late
  };

  void taskFailed(kj::Exception&& exception) override;
  void SendBehind(const std::string& rule, kj::Promise<void> wait);
  void Send(const std::string& rule);
  Result<tasks::TaskRequest> RequestOf(const Rule& rule, const Notice& notice);
  void Took(const std::string& rule, const tasks::TaskResult& result);
  void Failed(const std::string& rule, std::string error);
  void Settle(const std::string& rule, bool was_taken);

  Desk& desk_;
  const FindRule find_;
  const Note note_;
  const Retries retries_;
  std::map<std::string, Waiting> waiting_;
  uint64_t next_run_ = 1;
  uint64_t next_turn_ = 1;
  uint64_t delivered_ = 0;
  uint64_t failed_ = 0;
  uint64_t given_up_ = 0;
  // What executors call must not reach one that is gone.
  std::shared_ptr<bool> is_there_ = std::make_shared<bool>(true);
  kj::TaskSet timers_{*this};
};

// What the log has of the last one that has ended, as LastOf gives it.
Value LastDeliveryOf(const model::Registry& registry, const std::string& rule);

}  // namespace stele::server::alerts
