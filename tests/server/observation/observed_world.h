// A running engine that is observed: its figures, its health, and the routes that show them.
#pragma once

#include <optional>
#include <string>

#include "base/value.h"
#include "server/observation/figures.h"
#include "server/observation/health.h"
#include "server/observation/requests.h"
#include "server/rest/api.h"
#include "tests/server/observation/scrape.h"
#include "tests/server/support/served_world.h"

namespace stele::server {

class ObservedWorld {
 public:
  explicit ObservedWorld(bool open_metrics = false, kj::Duration kept = 0 * kj::SECONDS);

  ServedWorld served;
  RequestFigures requests;
  Figures figures;
  Health health;
  // Who asks; nothing: nobody who can be known.
  std::optional<Caller> who = ServedWorld::Somebody(Role::kAdmin);

  // Two instances of "album" that have completed, one of "depot" that waits for a worker, one of
  // "broken" that has failed.
  void Work();
  // What is served at /metrics now, when the views know all that is durable.
  Scrape Read();

  struct Answered {
    int status = 0;
    std::string content_type;
    std::string body;
    Value json;
    std::string text(std::string_view first, std::string_view second = {}) const;
  };
  Answered Get(std::string_view target);

 private:
  rest::Api api_;
  http::Router router_;
};

}  // namespace stele::server
