// Addresses of the hosts that a connection names, looked up on libuv's pool.
//
// Thread: the loop's.
#pragma once

#include <uv.h>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "engine/tasks/sql_postgres_settings.h"
#include "engine/tasks/uv_handle.h"

namespace stele::tasks {

class PostgresLookup {
 public:
  // The settings with `hostaddr`, one host an address; or a host that has none, and why. Called
  // once, never before the constructor returns; it may destroy this.
  using Done = std::function<void(PostgresSettings settings, std::string unknown)>;

  // REQUIRES: IsNeeded.
  PostgresLookup(uv_loop_t* loop, PostgresSettings settings, Done done);
  // Nobody is told.
  ~PostgresLookup();
  PostgresLookup(const PostgresLookup&) = delete;
  PostgresLookup& operator=(const PostgresLookup&) = delete;

  // False when libpq itself would look nothing up: paths of sockets, numbers.
  static bool IsNeeded(const PostgresSettings& settings);

 private:
  void Next();
  void Take(int status, const addrinfo* found);
  void TakeLater(int status);
  void Add(const std::string& host, const std::string& address);

  uv_loop_t* loop_;
  PostgresSettings settings_;
  Done done_;
  std::vector<std::string> hosts_;
  std::vector<std::string> ports_;
  size_t at_ = 0;
  std::string out_hosts_;
  std::string out_addresses_;
  std::string out_ports_;
  bool any_ = false;
  uv_getaddrinfo_t* request_ = nullptr;  // owned by the loop
  int status_ = 0;                       // of a lookup that could not begin
  UvHandle<uv_timer_t> later_;
};

}  // namespace stele::tasks
