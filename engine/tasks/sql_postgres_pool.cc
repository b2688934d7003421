#include "engine/tasks/sql_postgres_pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/check.h"

namespace stele::tasks {
namespace {

// `connect_timeout` of a URL is in seconds.
int64_t ConnectTimeoutUs(const PostgresSettings& settings, int64_t fallback) {
  auto found = settings.find("connect_timeout");
  if (found == settings.end()) return fallback;
  int64_t seconds = 0;
  const std::string& text = found->second;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  bool usable = error == std::errc() && seconds > 0 && seconds < 86'400;
  return usable ? seconds * 1'000'000 : fallback;
}

}  // namespace

uint64_t PostgresPool::Acquire(const PostgresSettings& settings, Granted granted) {
  CHECK(!closed_, "a closed pool was asked for a connection");
  std::unique_ptr<Database>& database = databases_[settings];
  if (database == nullptr) {
    database = std::make_unique<Database>();
    database->settings = settings;
  }
  uint64_t ticket = next_id_++;
  database->waiting.push_back({ticket, std::move(granted)});
  Serve(*database);
  return ticket;
}

void PostgresPool::Forget(uint64_t ticket) {
  for (auto& [settings, database] : databases_) {
    size_t erased = std::erase_if(
        database->waiting, [ticket](const Waiting& waiting) { return waiting.ticket == ticket; });
    if (erased > 0) return Tidy(*database);
  }
}

void PostgresPool::Close() {
  closed_ = true;
  databases_.clear();
}

void PostgresPool::Return(const PostgresSettings& settings,
                          std::unique_ptr<PostgresConnection> connection) {
  if (closed_) return;
  auto found = databases_.find(settings);
  CHECK(found != databases_.end(), "a connection of no database came back");
  Database& database = *found->second;
  if (connection == nullptr || !connection->IsIdle()) {
    connection.reset();
    --database.open;
    Serve(database);
    return Tidy(database);
  }
  Slot& slot = AddSlot(database, State::kCleaning, std::move(connection));
  SetTimer(slot, options_.cancel_grace_us);
  slot.connection->Execute({"DISCARD ALL", {}}, nullptr, nullptr,
                           [this, &slot](const std::optional<TaskFailure>& failure) {
                             if (failure || !slot.connection->IsIdle()) return Drop(slot);
                             BecomeIdle(slot);
                           });
}

void PostgresPool::Serve(Database& database) {
  while (!database.waiting.empty()) {
    if (std::unique_ptr<PostgresConnection> connection = TakeIdle(database)) {
      Waiting first = std::move(database.waiting.front());
      database.waiting.pop_front();
      first.granted(std::move(connection));
    } else if (database.open < options_.max_connections &&
               database.connecting < database.waiting.size()) {
      Connect(database);
    } else {
      return;
    }
  }
}

// The one that was used last: the others may then grow old.
std::unique_ptr<PostgresConnection> PostgresPool::TakeIdle(Database& database) {
  while (true) {
    Slot* newest = nullptr;
    for (const auto& [id, slot] : database.slots) {
      if (slot->state == State::kIdle) newest = slot.get();
    }
    if (newest == nullptr) return nullptr;
    std::unique_ptr<PostgresConnection> connection = std::move(newest->connection);
    database.slots.erase(newest->id);
    if (connection->IsIdle()) return connection;
    --database.open;
  }
}

PostgresPool::Slot& PostgresPool::AddSlot(Database& database, State state,
                                          std::unique_ptr<PostgresConnection> connection) {
  auto slot = std::make_unique<Slot>();
  slot->pool = this;
  slot->database = &database;
  slot->id = next_id_++;
  slot->state = state;
  slot->connection = std::move(connection);
  Slot& added = *slot;
  database.slots.emplace(added.id, std::move(slot));
  return added;
}

void PostgresPool::Connect(Database& database) {
  ++database.open;
  ++database.connecting;
  Slot& slot = AddSlot(database, State::kConnecting, std::make_unique<PostgresConnection>(loop_));
  SetTimer(slot, ConnectTimeoutUs(database.settings, options_.connect_us));
  slot.connection->Connect(database.settings, [this, &slot](std::optional<TaskFailure> failure) {
    Connected(slot, std::move(failure));
  });
}

void PostgresPool::Connected(Slot& slot, std::optional<TaskFailure> failure) {
  Database& database = *slot.database;
  if (!failure) {
    --database.connecting;
    return BecomeIdle(slot);
  }
  // One refusal a waiting attempt: the next one tries again.
  Waiting first;
  if (!database.waiting.empty()) {
    first = std::move(database.waiting.front());
    database.waiting.pop_front();
  }
  Drop(slot);
  if (first.granted) first.granted(std::unexpected(*std::move(failure)));
}

void PostgresPool::BecomeIdle(Slot& slot) {
  Database& database = *slot.database;
  slot.state = State::kIdle;
  SetTimer(slot, options_.idle_us);
  uv_unref(reinterpret_cast<uv_handle_t*>(slot.timer.get()));  // keeps no loop running
  Serve(database);
}

void PostgresPool::SetTimer(Slot& slot, int64_t after_us) {
  slot.timer = MakeTimer(loop_, &slot);
  uv_timer_start(
      slot.timer.get(),
      [](uv_timer_t* timer) {
        auto* slot = static_cast<Slot*>(timer->data);
        slot->pool->OnTimer(*slot);
      },
      ToTimerMs(after_us), 0);
}

void PostgresPool::OnTimer(Slot& slot) {
  if (slot.state != State::kConnecting) return Drop(slot);
  const PostgresSettings& settings = slot.database->settings;
  Connected(slot, TaskFailure{"connect",
                              fmt::format("Expected a connection to {} within {} s but found none",
                                          ShownDatabase(settings),
                                          ConnectTimeoutUs(settings, options_.connect_us) / 1e6),
                              true,
                              {}});
}

void PostgresPool::Drop(Slot& slot) {
  Database& database = *slot.database;
  if (slot.state == State::kConnecting) --database.connecting;
  database.slots.erase(slot.id);
  --database.open;
  Serve(database);
  Tidy(database);
}

void PostgresPool::Tidy(Database& database) {
  if (database.open > 0 || !database.waiting.empty()) return;
  PostgresSettings settings = database.settings;
  databases_.erase(settings);
}

}  // namespace stele::tasks
