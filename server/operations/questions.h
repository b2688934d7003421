// Questions to views: which instances and tasks there are, figures, errors, workers, what steps
// printed. They read on threads of their own; an answer is as of the view's position, and tells of
// those definitions alone of which the caller may `read` (sight.h). To whom not all may be told, a
// cursor is sealed: where a page ended may be a place of something hidden.
//
// Thread: the loop's.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "projections/asked.h"
#include "projections/search.h"
#include "projections/views/errors.h"
#include "projections/views/instance_row.h"
#include "projections/views/read_statistics.h"
#include "projections/views/step_logs.h"
#include "projections/views/task_row.h"
#include "projections/views/workers.h"
#include "server/auth/seal.h"
#include "server/operations/desk.h"

namespace stele::server {

struct Search {
  std::string query;   // docs/queries.md
  std::string sort;    // the field, "-" before it: the latest first
  std::string cursor;  // of the page before
  size_t limit = projections::kDefaultPageRows;
  projections::Freshness freshness;
};

template <class Row>
struct Found {
  projections::Page<Row> page;
  TimeUs now;  // what durations count from
};

class Questions {
 public:
  explicit Questions(Desk& desk, RandomBytes random = SystemRandom())
      : desk_(desk), seal_(std::make_shared<const Seal>(std::move(random))) {}

  Promised<Found<projections::InstanceRow>> Instances(const Caller& caller, const Search& search);
  // `query` narrows: without a state, those that are open.
  Promised<Found<projections::TaskRow>> Tasks(const Caller& caller, const Search& search);

  Promised<projections::Statistics> Statistics(const Caller& caller,
                                               const projections::StatisticsScope& scope,
                                               projections::Freshness freshness);
  Promised<projections::Series> Series(const Caller& caller,
                                       const projections::StatisticsScope& scope,
                                       projections::Resolution resolution,
                                       projections::Freshness freshness);
  Promised<projections::DefinitionPage> Definitions(const Caller& caller, const std::string& after,
                                                    size_t limit,
                                                    projections::Freshness freshness = {});
  Promised<projections::ErrorPage> Errors(const Caller& caller,
                                          const projections::ErrorFilter& filter, size_t limit,
                                          const std::string& cursor,
                                          projections::Freshness freshness);
  Promised<projections::WorkerList> Workers(const Caller& caller,
                                            projections::Freshness freshness = {});
  // `step`: an id or a label; empty: all.
  Promised<projections::StepLogPage> StepLogs(const Caller& caller, InstanceId instance,
                                              const std::string& step, size_t limit,
                                              projections::AttemptPlace after);
  // How far behind the log each view is.
  Result<std::vector<projections::ViewState>> Views(const Caller& caller);

 private:
  struct Question {
    const Caller& caller;
    Permission permission = Permission::kRead;
    std::string_view view;
    std::string_view definition = {};  // that it is about; empty: all
    projections::Freshness freshness = {};
  };
  // What `ask` gives on a thread, of the view and of what the caller sees. The only way to a view.
  template <class Ask>
  auto AskOf(const Question& question, Ask ask) -> Promised<
      typename std::invoke_result_t<Ask, const projections::Asked&, const Sight&>::value_type>;
  template <class Row>
  Promised<Found<Row>> Find(const Caller& caller, std::string_view view, const Search& search,
                            bool open_alone);

  Desk& desk_;
  std::shared_ptr<const Seal> seal_;  // of cursors; shared with threads that read
};

}  // namespace stele::server
