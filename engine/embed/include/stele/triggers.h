// What starts workflows, for stele/engine.h. Include that header.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "stele/values.h"

namespace stele::embed {

// ---- What starts workflows: triggers of the program's own ----

// Starts an instance with `input` (a JSON object), once for each key for ever: a key that was fired
// before gives the instance that it started. Durable when it returns. From any thread but the
// loop's.
using Fire = std::function<Result<uint64_t>(std::string key, std::string input)>;

class Trigger {
 public:
  virtual ~Trigger() = default;
  // Begins to watch. Called once, by Continue or, after that, by RegisterTrigger.
  virtual void Start(Fire fire) = 0;
  // Ends it; `fire` refuses afterwards. Called once, by Stop or the destructor of the engine.
  virtual void Stop() = 0;
};

// ---- What starts workflows: triggers that Stele runs ----

// A trigger as the log has it.
struct TriggerInfo {
  uint64_t id = 0;
  std::string definition;
  std::string name;
  std::string kind;       // "schedule", "webhook", "event", …; "custom": the program's own
  std::string state;      // "active", "paused", "removed"
  std::string reason;     // of its last change of state
  bool declared = false;  // by its definition, in `triggers:`
  std::string config;     // as it was written, a JSON object
  std::string path;       // of a webhook
  int64_t next_us = 0;    // of a schedule: when it fires next; 0: it does not
  uint64_t fired = 0;     // how often something was noted of it
  std::string last;       // what was noted last: "start", "skip: …", "refused: …"
};

// A request that a web server got, for the webhooks that have its path.
struct WebRequest {
  std::string method = "POST";
  std::string path;                                        // without the query
  std::vector<std::pair<std::string, std::string>> query;  // decoded
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};
struct WebVerdict {
  uint64_t trigger = 0;
  std::string verdict;    // "fired", "ignored", "refused"
  uint64_t instance = 0;  // fired: 0 when it starts later
  std::string reason;     // ignored, refused
};
struct WebAnswer {
  int status = 202;  // of HTTP, for who asked
  Error error;       // of a request that is refused as a whole
  std::vector<WebVerdict> triggers;
};

struct Backfilled {
  uint64_t fired = 0;
  uint64_t known = 0;  // had fired before
};

}  // namespace stele::embed
