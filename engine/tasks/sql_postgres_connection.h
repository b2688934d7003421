// One connection to PostgreSQL on a libuv loop: libpq without blocking, one uv_poll on its socket.
// Names are looked up by libuv first, since libpq would block on them.
//
// Thread: the loop's. One operation at a time.
#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/tasks/sql_plan.h"
#include "engine/tasks/sql_postgres_lookup.h"
#include "engine/tasks/sql_postgres_settings.h"
#include "engine/tasks/sql_result.h"
#include "engine/tasks/uv_handle.h"

struct pg_conn;
struct pg_result;

namespace stele::tasks {

class PostgresConnection {
 public:
  // A failure, or nothing. Never called before the operation has returned; it may destroy the
  // connection.
  using Done = std::function<void(std::optional<TaskFailure>)>;

  explicit PostgresConnection(uv_loop_t* loop) : loop_(loop) {}
  // Closes it at once; nobody is told.
  ~PostgresConnection();
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;

  void Connect(const PostgresSettings& settings, Done done);

  // Runs one statement and puts what it answers into `result`, as the statement that was begun
  // there. Null: what comes is dropped. `result` and `notices` (what the server remarks; may be
  // null) live until `done`.
  void Execute(const SqlStatement& statement, SqlResult* result, std::string* notices, Done done);

  // Asks the server to end what runs, on libuv's pool: libpq blocks on it. The statement then
  // fails, or succeeds if it was faster. Also serves when this is destroyed right after.
  // REQUIRES: connected.
  void RequestCancel();

  // Connected, with nothing running and nothing unread.
  bool IsIdle() const;
  // Open, inside of a transaction, with nothing running.
  bool InTransaction() const;

 private:
  void StartConnect(const PostgresSettings& settings);
  void OnConnectReady();
  void OnQueryReady(int events);
  void Flush();
  void ReadResults(bool lost);
  void TakeResult(const pg_result* answer);
  void TakeRow(const pg_result* answer);
  TaskFailure ResultFailure(const pg_result* answer) const;
  TaskFailure LostFailure(std::string_view why) const;
  void Poll(int events);
  void Finish(std::optional<TaskFailure> failure);
  void FinishLater(std::optional<TaskFailure> failure);

  uv_loop_t* loop_;
  std::string shown_;  // the database, for messages
  pg_conn* connection_ = nullptr;
  UvHandle<uv_poll_t> poll_;
  UvHandle<uv_timer_t> later_;
  std::unique_ptr<PostgresLookup> lookup_;
  bool connected_ = false;
  bool cancelled_ = false;  // a cancel may still arrive: not to be used again
  Done done_;
  SqlResult* result_ = nullptr;
  std::string* notices_ = nullptr;
  std::optional<TaskFailure> failure_;  // of the statement that runs
};

}  // namespace stele::tasks
