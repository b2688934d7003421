// What commands ask views: those of a data directory, brought up to the end of its log, or those of
// a server. As they are now, or as of --as-of.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "cli/arguments.h"
#include "cli/source.h"
#include "cli/terminal.h"
#include "projections/search.h"
#include "projections/view_state.h"
#include "projections/views/errors.h"
#include "projections/views/instance_row.h"
#include "projections/views/read_statistics.h"
#include "projections/views/task_row.h"

namespace stele::cli {

class Questions {
 public:
  virtual ~Questions() = default;

  // A page. What of the request is not of the words is filled in.
  template <class Row>
  Result<projections::Page<Row>> Find(projections::SearchRequest request);

  // Documents, as docs/statistics.md has them.
  virtual Result<Value> Statistics(const projections::StatisticsScope& scope) = 0;
  virtual Result<Value> Series(const projections::StatisticsScope& scope,
                               projections::Resolution resolution) = 0;
  virtual Result<Value> Definitions(const std::string& after, size_t limit) = 0;
  virtual Result<Value> Errors(const projections::ErrorFilter& filter, size_t limit,
                               const std::string& cursor) = 0;
  virtual Result<Value> Workers() = 0;

  // The log that the views are of.
  virtual const Source& source() const = 0;
  // What all pages of a question have in common (projections::SearchRequest).
  virtual const std::string& course() const = 0;
  bool is_then() const { return is_then_; }
  // REQUIRES: something was found.
  Position position() const { return position_; }
  // Until when what is open has lasted.
  TimeUs now() const { return now_; }

 protected:
  explicit Questions(bool is_then) : is_then_(is_then) {}
  virtual Result<projections::Page<projections::InstanceRow>> FindInstances(
      projections::SearchRequest request) = 0;
  virtual Result<projections::Page<projections::TaskRow>> FindTasks(
      projections::SearchRequest request) = 0;

  Position position_;
  TimeUs now_;

 private:
  const bool is_then_;
};

template <>
inline Result<projections::Page<projections::InstanceRow>> Questions::Find(
    projections::SearchRequest request) {
  return FindInstances(std::move(request));
}
template <>
inline Result<projections::Page<projections::TaskRow>> Questions::Find(
    projections::SearchRequest request) {
  return FindTasks(std::move(request));
}

// Notes what it cost to answer. `view`: the one that is asked.
Result<std::unique_ptr<Questions>> AskViews(const Arguments& arguments, const Terminal& terminal,
                                            std::string_view view);
// Of a server, in remote/questions.cc: the same, and how far behind its log each view is.
Result<std::unique_ptr<Questions>> AskServer(const Arguments& arguments);
Result<std::vector<projections::ViewState>> ReadServerStates(const Arguments& arguments);

}  // namespace stele::cli
