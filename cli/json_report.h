// A run as one JSON document: what `run --json`, `resume --json` and `status --json` print.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "base/value.h"
#include "engine/model/instance.h"
#include "replay/timeline.h"

namespace stele::cli {

// What a run came to, for its status line and the exit code.
struct Ending {
  std::string status;  // "completed", …, "waiting", "parked", "paused", "queued", "interrupted"
  Payload output;
  model::Failure failure;
  TimeUs ended;
  Array waiting_for;                                       // as WaitingToJson gives them
  std::vector<std::pair<std::string, std::string>> waits;  // phrases and commands that go on
};

// {instance, definition, status, output, error, steps, duration}; the duration in seconds. Behind
// them waiting_for when it waits.
Object RunToJson(InstanceId instance, const Ending& ending, const replay::Timeline& timeline);

}  // namespace stele::cli
