// What was asked over HTTP since the server started, by route, and how long it took.
//
// Thread: the loop's.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>

#include "server/http/service.h"
#include "server/observation/families.h"

namespace stele::server {

class RequestFigures {
 public:
  // For http::ServiceHooks::access.
  void Count(const http::AccessRecord& record);

  void AddTo(Families& families) const;

 private:
  using Kind = std::tuple<std::string, std::string, int>;  // method, route, status

  std::map<Kind, uint64_t> counts_;
  std::map<std::string, Durations> durations_;  // by route
  Durations all_{RequestBounds()};
  uint64_t bytes_in_ = 0;
  uint64_t bytes_out_ = 0;
};

}  // namespace stele::server
