// What runs came to that a command has followed: what text and --json say of them, and the exit
// code. The same of a data directory and of a server.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

#include "cli/json_report.h"
#include "cli/terminal.h"
#include "cli/waiting_text.h"
#include "engine/model/instance.h"
#include "replay/standing.h"
#include "replay/timeline.h"

namespace stele::cli {

struct FollowedRun {
  std::optional<replay::Timeline> timeline;  // nothing: nothing is known of it
  std::optional<Ending> ending;
};

// REQUIRES: it has ended.
Ending EndingOf(const model::Instance& instance);
// Of one that has not: what it waits for, or that it was interrupted.
Ending StandingEnding(const model::Instance& instance, const replay::Standing& standing,
                      const CommandPlace& place, TimeUs now);

// That it is followed no more and goes on at the server.
void NoteLeft(const Terminal& terminal, InstanceId instance, const CommandPlace& place);

struct ReportOptions {
  bool json = false;
  bool quiet = false;
  // What the command came to is an instance that is cancelled: that is what was asked for.
  bool expects_cancelled = false;
  // A signal or a fault came between.
  bool cut_off = false;
  CommandPlace place;
};
// Prints what they came to; the exit code. `one` document, or a list of them. REQUIRES: each that
// has a timeline has an ending.
int ReportRuns(const Terminal& terminal, const ReportOptions& options,
               const std::map<InstanceId, FollowedRun>& runs, bool one);

// Tells, once for each, what an instance waits for when that may take a while.
class MomentTeller {
 public:
  using Tell = std::function<void(std::string_view sentence)>;
  void Look(const model::Instance& instance, const definition::Definition& definition,
            const replay::Standing& standing, replay::Motion motion, TimeUs now, const Tell& tell);

 private:
  std::set<std::tuple<InstanceId, RunId, TimeUs>> told_;
};

}  // namespace stele::cli
