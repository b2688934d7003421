// Stele inside a program: workflows that survive the program's death at any moment, from this
// header and one library.
//
//     auto engine = Engine::Open({}, "./data");
//     (*engine)->RegisterFunction("greet", [](const Attempt& attempt) {
//       return TaskResult().Output("text", "Hello, " + *attempt.Get("name"));
//     });
//     (*engine)->RegisterFile("greet.yml");
//     (*engine)->Continue();
//     auto id = (*engine)->Start({.definition = "greet", .input = JsonObject({{"name", "Ada"}})});
//     auto ended = (*engine)->Wait(*id, std::chrono::seconds(10));
//
// Values of workflows cross this interface as JSON text. Times are microseconds since the Unix
// epoch. Nothing here throws; what fails says why (docs/errors.md has every code).
//
// Threads: every method may be called from any thread, many at once. A method that changes
// something returns when that is durable, and what is asked for behind it knows of it. The engine
// has a loop thread of its own, on which asynchronous executors and answers to StartAsync are
// called: they must not block, and of the methods of Engine they may call StartAsync and
// Unsubscribe alone (the others refuse with STL0604). Functions, plugins and subscribers have other
// threads: they may block and call any method but Stop.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <expected>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stele/queries.h"
#include "stele/triggers.h"
#include "stele/values.h"

namespace stele::embed {

// ---- What steps do: executors of the program's own ----

// One attempt of a step.
struct Attempt {
  std::string key;  // "42-7-1": the same key is the same attempt, however often it is started
  uint64_t instance = 0;
  uint32_t number = 1;
  std::string definition;
  std::string step;
  std::string task_type;
  std::string config;  // an object: templates are rendered, secrets in their places
  std::string input;   // an object
  // The attempt's `traceparent` (W3C Trace Context), to be handed on; empty: the instance was
  // started without one.
  std::string trace_parent;
  // True from when nobody waits for the attempt any more: it was cancelled, its time is up, the
  // engine stops. Work that takes long should look at it.
  std::function<bool()> cancelled;

  // A member of the input, or else of the config; as JsonMember.
  std::optional<std::string> Get(std::string_view name) const;
};

struct TaskResult {
  std::string output = "{}";  // a JSON object
  bool failed = false;
  std::string kind;  // of the failure: what `retry_on` and transitions speak of
  std::string message;
  bool retryable = true;  // false: no policy may retry it
  std::string log;        // kept with the history, up to a limit

  // Adds a member to the output.
  TaskResult& Output(std::string_view name, const Json& value);
  TaskResult& Log(std::string_view text);
  static TaskResult Failed(std::string kind, std::string message, bool retryable = true);
};

// Runs on a thread of the engine's pool. An exception fails the attempt with the kind "exception".
using TaskFunction = std::function<TaskResult(const Attempt&)>;

// The answer to an attempt, from any thread, at any time. Copies answer the same attempt: the first
// answer counts. When the last copy goes without one, the attempt fails with the kind "abandoned".
class Completion {
 public:
  // False when nobody waits for it (any more).
  bool Finish(TaskResult result) const;
  bool cancelled() const;

 private:
  friend class HostedExecutor;
  struct State;
  explicit Completion(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

class AsyncExecutor {
 public:
  virtual ~AsyncExecutor() = default;
  // Begins an attempt and returns at once. On the loop thread.
  virtual void Start(Attempt attempt, Completion completion) = 0;
  // Nobody waits for the attempt with that key any more: let go of its Completion soon. The engine
  // stops only when all have been answered or dropped. On the loop thread.
  virtual void Cancel(const std::string& key) {}
};

struct ExecutorOptions {
  // An attempt that ran when the process died is started again with the same key; otherwise it
  // counts as failed with the kind "interrupted", and its retry policy decides.
  bool repeats_after_crash = false;
};

// ---- What watches: plugins ----

struct StepNotice {
  uint64_t instance = 0;
  std::string definition;
  std::string step;
  std::string phase;   // "started", "retrying", "completed", "failed", "cancelled", "skipped"
  std::string output;  // completed: a JSON object, or empty
  std::string kind;    // failed: the error
  std::string message;
  int64_t time_us = 0;
};

struct InstanceNotice {
  uint64_t instance = 0;
  std::string definition;
  std::string status;  // "running"; at the end "completed", "failed", "cancelled", "terminated"
  std::string input;   // of the start
  std::string output;  // of the end
  std::string kind;    // of a failure
  std::string message;
  int64_t time_us = 0;
};

// Told what has become durable, in the order of the log. A plugin sees; it changes nothing. Each
// has a thread of its own, so that a slow one delays nobody; Stop waits until it has been told what
// it is behind with. What it throws is caught. When it is more than Options::plugin_backlog notices
// behind, notices are dropped and OnMissed says how many.
class Plugin {
 public:
  virtual ~Plugin() = default;
  virtual void OnStart(const InstanceNotice& started) {}
  virtual void OnStep(const StepNotice& step) {}
  virtual void OnEnd(const InstanceNotice& ended) {}
  virtual void OnMissed(uint64_t notices) {}
};

// ---- Requests and what comes back ----

// Where the key is that payloads are sealed with (docs/encryption.md): a file that is closed to
// others, an environment variable, or a command that prints it within a minute. One of them at
// most.
struct MasterKey {
  std::string file;
  std::string environment;
  std::string command;
};

// Where the key is that signs heads of the log (docs/audit.md), in the same ways, and how often
// that is done: with what makes so many records since the last head, or comes so much later, and
// when the engine goes.
struct AuditKey {
  std::string file;
  std::string environment;
  std::string command;
  uint64_t records = 10'000;
  std::chrono::seconds every{60};
};

// What ended instances and old records come to (docs/retention.md). A definition's own `retention`
// comes before `closed`.
struct Retention {
  // How long ended instances are kept before they are cut out of the log; 0: for ever.
  std::chrono::seconds closed{0};
  // How old records are when they leave the hot log for the archive; 0: none does by its age.
  std::chrono::seconds archive_after{0};
  // What the hot log may hold; beyond it the oldest leave; 0: any.
  uint64_t hot_log_bytes = 0;
  // How often it is looked after, by the engine's clock; 0: never by itself. What an earlier
  // process began is finished whenever an engine is opened.
  std::chrono::seconds every{3600};
  // Where the archive is, on another disk for instance; empty: `archive` in the data directory.
  // One that has files is moved first, while no engine runs.
  std::string archive_directory;
};

struct Options {
  bool create_if_missing = true;
  // The task types that come with Stele: script, http, sql, email, … and call. Scripts run in the
  // working directory of the process.
  bool builtin_tasks = true;
  // Threads that run TaskFunctions. 0: one a core, four at least.
  uint32_t worker_threads = 0;
  // Who starts and decides, in the log's words.
  std::string actor = "program";
  uint32_t plugin_backlog = 10'000;
  // Records that views may be behind the log before Start is refused with STL0603, for a moment.
  // Instances that run, calls and triggers go on. 0: any number.
  uint64_t max_view_lag = 100'000;
  // The time in microseconds since the epoch; the system's when there is none. A clock that stands
  // still is for tests, which move it and call Elapse. From any thread of the engine's.
  std::function<int64_t()> clock;
  // Told what nobody is there to be told by a return value: an exception of a callback, the end of
  // the engine because a disk failed. From any thread of the engine's.
  std::function<void(const std::string& sentence)> on_problem;
  // Without a word of it, what definitions say of themselves counts alone.
  Retention retention;
  // With one, what is recorded is sealed from now on; without, a log that is sealed is refused
  // (STL0311).
  MasterKey master_key;
  // With one, heads of the log are signed, so that others can check it (docs/audit.md).
  AuditKey audit_key;
};

struct Definition {
  std::string name;
  uint32_t version = 1;
  std::string state;  // "draft", "active", "paused", "retired"
};

struct StartRequest {
  std::string definition;  // its name
  uint32_t version = 0;    // 0: the newest that is active
  std::string input;       // a JSON object, or empty
  std::string variables;   // a JSON object, or empty: in place of the definition's defaults
  std::string business_key;
  bool unique = false;          // refuse when an open instance has the same business key
  std::string idempotency_key;  // a start with a key that was used gives the same instance
  std::vector<std::string> tags;
  int32_t priority = 0;     // the higher first; -1,000,000 to 1,000,000, 0: the definition's
  int64_t deadline_us = 0;  // 0: the definition's
  bool paused = false;      // nothing of it starts before Resume
  // The `traceparent` (W3C Trace Context) of what asks, or empty: the instance, and what it hands
  // out, belongs to that trace. A malformed one counts as none.
  std::string trace_parent;
};

// Who acts on a task for people, and what they say. A task that names people or groups, or that
// somebody has claimed, is refused to others (STL0408).
struct Decision {
  std::string by;                   // the person
  std::vector<std::string> groups;  // that the person is in
  std::string comment;
  std::string variables;     // a JSON object, or empty: what was filled in
  bool as_operator = false;  // act for anybody
};

// An event of the log. (position, ordinal) names it for ever.
struct Event {
  uint64_t position = 0;
  uint32_t ordinal = 0;   // in its record, from 0
  uint64_t instance = 0;  // 0: definitions, triggers, messages from outside
  int64_t time_us = 0;
  std::string name;  // "step_completed"
  std::string json;  // the event with its members, as History has them
};

// What a subscriber wants to be told.
struct Interest {
  uint64_t instance = 0;  // 0: of all
  // From that position of the log on, 1 being its beginning; 0: what becomes durable from now on.
  uint64_t from = 0;
};

class Engine {
 public:
  // Opens the data in `directory`. One engine a directory: STL0303 when another has it. Instances
  // that were open stand still until Continue.
  static Result<std::unique_ptr<Engine>> Open(const Options& options, const std::string& directory);
  // Stops. No other thread may begin a call; those that wait return with STL0601.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  // Lets what runs outside end or be cancelled and makes everything durable. Waits for
  // TaskFunctions that run. Calls after it are refused with STL0601. Not on the loop thread.
  Status Stop();

  // A definition names what is registered as "compile" by `type: custom:compile`. Register before
  // Continue, and before definitions that use the type. A type has one executor.
  Status RegisterFunction(const std::string& task_type, TaskFunction function,
                          ExecutorOptions options = {});
  Status RegisterExecutor(const std::string& task_type, std::unique_ptr<AsyncExecutor> executor,
                          ExecutorOptions options = {});
  // A type that is kept in the log, with the JSON Schema of its configuration: an object with
  // `schema` and `url` (and `headers`, `secret`), or with `schema` and `worker`: true. An executor
  // that the program registers before Continue runs it in place of what the document says. A
  // document that replaces another holds for configurations at once, and for who runs it from the
  // next Open on.
  Status RegisterType(const std::string& name, const std::string& document);
  Status RegisterPlugin(std::unique_ptr<Plugin> plugin);
  // Kept in the log as a trigger of the definition, of the kind "custom"; the same definition, type
  // and config (a JSON object, or empty) is the same trigger after a restart. Gives its number.
  Result<uint64_t> RegisterTrigger(const std::string& definition, const std::string& type,
                                   const std::string& config, std::unique_ptr<Trigger> trigger);
  // A definition that is known gives the version it has. Refused with all faults.
  Result<Definition> RegisterFile(const std::string& path);
  Result<Definition> RegisterText(const std::string& text, const std::string& name = "workflow");
  // Every version, in the order in which they were registered.
  Result<std::vector<Definition>> Definitions();
  // Goes on with what was open when the directory was opened, and starts the triggers: first what
  // was due, or happened, while no engine ran. Gives how many instances go on.
  Result<uint64_t> Continue();
  // Does what is due by the clock, which comes by itself when the clock goes. Answers when what
  // that made of it is durable.
  Status Elapse();

  // By number; without those that were removed, unless `removed`.
  Result<std::vector<TriggerInfo>> Triggers(bool removed = false);
  // `trigger` is one entry as in the section `triggers:` of a definition, as JSON.
  Result<uint64_t> AddTrigger(const std::string& definition, const std::string& trigger);
  // A paused trigger does not fire, and does not make up for it when it is resumed.
  Status PauseTrigger(uint64_t trigger, const std::string& reason = "");
  Status ResumeTrigger(uint64_t trigger, const std::string& reason = "");
  Status RemoveTrigger(uint64_t trigger, const std::string& reason = "");
  // By hand: once for a key; an empty key is always a new one. Gives the instance, or 0 when the
  // firing is noted and its instance has to wait.
  Result<uint64_t> FireTrigger(uint64_t trigger, const std::string& key = "",
                               const std::string& input = "");
  // Fires a schedule's moments in [from, to) that have started nothing.
  Result<Backfilled> Backfill(uint64_t trigger, int64_t from_us, int64_t to_us);
  // Answers when what fired is durable.
  Result<WebAnswer> Deliver(const WebRequest& request);

  Result<Started> Start(StartRequest request);
  // Returns at once; `started` is called on the loop thread when the start is durable or refused.
  void StartAsync(StartRequest request, std::function<void(Result<Started>)> started);
  // The instance when it has ended, or as it is when `timeout` has passed: ended() tells.
  Result<Instance> Wait(uint64_t instance, std::chrono::microseconds timeout);
  Result<Instance> GetStatus(uint64_t instance);

  Result<Written> Pause(uint64_t instance, const std::string& reason = "");
  Result<Written> Resume(uint64_t instance, const std::string& reason = "");
  Result<Written> Cancel(uint64_t instance, bool compensate = false,
                         const std::string& reason = "");
  Result<Written> Terminate(uint64_t instance, const std::string& reason = "");
  // A failed instance, or a step that waits for its next attempt or for an operator.
  // A step is named by its id, in a loop by its label "check[1]" too, or, where it is open more
  // than once (STL0405), as "STEP#RUN".
  Result<Written> Retry(uint64_t instance, const std::string& step = "",
                        const std::string& reason = "");
  Result<Written> SetVariables(uint64_t instance, const std::string& variables,
                               const std::string& reason = "");
  Result<Written> Signal(uint64_t instance, const std::string& name,
                         const std::string& payload = "");
  // To one instance that waits for a message of that name and key, now or within the hour. An `id`
  // that was published before is published no second time.
  Result<Written> Publish(const std::string& name, const std::string& key,
                          const std::string& payload = "", const std::string& id = "");
  // Tasks for people, by the step. Whoever has claimed one decides it alone.
  Result<Written> Claim(uint64_t instance, const std::string& step, const Decision& who);
  Result<Written> Release(uint64_t instance, const std::string& step, const Decision& who);
  // Complete a manual one, Approve or Reject an approval; FailTask either, as an attempt fails.
  Result<Written> Complete(uint64_t instance, const std::string& step, const Decision& decision);
  Result<Written> Approve(uint64_t instance, const std::string& step, const Decision& decision);
  Result<Written> Reject(uint64_t instance, const std::string& step, const Decision& decision);
  Result<Written> FailTask(uint64_t instance, const std::string& step, const Decision& decision,
                           const std::string& kind = "failed");

  // From views (stele/queries.h), on the caller's thread.
  Result<Page<Instance>> Query(const Filter& filter = {});
  Result<Page<Task>> Tasks(const TaskFilter& filter = {});
  // A JSON object with the members that docs/statistics.md names.
  Result<std::string> Statistics(const Stretch& stretch = {});
  // How far behind the log each view is. Never waits.
  Result<std::vector<ViewState>> Views();
  // Every event of an instance, a line of JSON each.
  Result<std::string> History(uint64_t instance);
  // Calls `receive` for each durable event, in the order of the log, without gap or repetition, on
  // a thread of the subscription's own: one that is slow is behind and delays nobody. It reads from
  // the log, so that being behind costs no memory. Stop tells it what it has not been told, up to
  // Options::plugin_backlog records. Gives the number that ends it.
  Result<uint64_t> Subscribe(const Interest& interest, std::function<void(const Event&)> receive);
  Result<uint64_t> Subscribe(uint64_t instance, std::function<void(const Event&)> receive);
  // `receive` is not called any more when it has returned; it waits for a call that runs, unless it
  // is called from there.
  Status Unsubscribe(uint64_t subscription);

 private:
  class Core;
  explicit Engine(std::unique_ptr<Core> core);
  Status ChangeTrigger(uint64_t trigger, const std::string& state, const std::string& reason);
  Result<Written> Decide(uint64_t instance, const std::string& step, const Decision& decision,
                         bool approved, bool manual);
  std::unique_ptr<Core> core_;
};

}  // namespace stele::embed
