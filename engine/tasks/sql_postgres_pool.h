// Connections to PostgreSQL that are kept and used again: a few a database, handed out first come
// first served. What a step left behind in its session is discarded before the next one gets it;
// broken ones are thrown away, idle ones closed.
//
// Thread: the loop's.
#pragma once

#include <uv.h>

#include <deque>
#include <expected>
#include <functional>
#include <map>
#include <memory>

#include "engine/tasks/limits.h"
#include "engine/tasks/sql_postgres_connection.h"
#include "engine/tasks/uv_handle.h"

namespace stele::tasks {

struct PostgresPoolOptions {
  size_t max_connections = kMaxPostgresConnections;  // to one database as one user
  int64_t idle_us = kPostgresIdleUs;
  int64_t connect_us = kPostgresConnectUs;
  int64_t cancel_grace_us = kPostgresCancelGraceUs;
};

class PostgresPool {
 public:
  using Granted =
      std::function<void(std::expected<std::unique_ptr<PostgresConnection>, TaskFailure>)>;

  explicit PostgresPool(uv_loop_t* loop, PostgresPoolOptions options = {})
      : loop_(loop), options_(options) {}
  // Closes all that are not handed out. REQUIRES: nobody calls Return any more.
  ~PostgresPool() = default;
  PostgresPool(const PostgresPool&) = delete;
  PostgresPool& operator=(const PostgresPool&) = delete;

  // `granted` is called once, perhaps before this returns (then with a connection): each connection
  // comes back by Return.
  uint64_t Acquire(const PostgresSettings& settings, Granted granted);
  // Leaves the queue; `granted` is not called. Unknown tickets are passed over.
  void Forget(uint64_t ticket);
  // Null: it was closed.
  void Return(const PostgresSettings& settings, std::unique_ptr<PostgresConnection> connection);
  // Nothing is handed out any more; what waits is forgotten.
  void Close();

  const PostgresPoolOptions& options() const { return options_; }

 private:
  struct Waiting {
    uint64_t ticket = 0;
    Granted granted;
  };
  enum class State { kConnecting, kCleaning, kIdle };
  struct Database;
  // A connection in the pool's hands, and until when it may stay as it is.
  struct Slot {
    PostgresPool* pool = nullptr;
    Database* database = nullptr;
    uint64_t id = 0;
    State state = State::kConnecting;
    std::unique_ptr<PostgresConnection> connection;
    UvHandle<uv_timer_t> timer;
  };
  struct Database {
    PostgresSettings settings;
    size_t open = 0;  // with those that are handed out
    size_t connecting = 0;
    std::deque<Waiting> waiting;
    std::map<uint64_t, std::unique_ptr<Slot>> slots;
  };

  void Serve(Database& database);
  std::unique_ptr<PostgresConnection> TakeIdle(Database& database);
  void Connect(Database& database);
  void Connected(Slot& slot, std::optional<TaskFailure> failure);
  void BecomeIdle(Slot& slot);
  Slot& AddSlot(Database& database, State state, std::unique_ptr<PostgresConnection> connection);
  void SetTimer(Slot& slot, int64_t after_us);
  void OnTimer(Slot& slot);
  void Drop(Slot& slot);
  // Forgets a database that nobody needs. Last call on it.
  void Tidy(Database& database);

  uv_loop_t* loop_;
  PostgresPoolOptions options_;
  bool closed_ = false;
  uint64_t next_id_ = 1;
  std::map<PostgresSettings, std::unique_ptr<Database>> databases_;
};

}  // namespace stele::tasks
