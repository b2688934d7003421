// What commands ask of an instance's past: of a data directory a time machine of their own, of a
// server the one that it keeps. Answers are the documents of replay/past_state.h, bisect.h and
// gantt.h, so that both print the same.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/value.h"
#include "cli/arguments.h"
#include "replay/time_machine.h"

namespace stele::cli {

class Past {
 public:
  virtual ~Past() = default;
  virtual Result<Value> State(const replay::When& when) = 0;
  virtual Result<Value> Difference(const replay::When& from, const replay::When& to) = 0;
  virtual Result<Value> Bisection(std::string_view expression, bool exact) = 0;
  // Open runs are shown until now.
  virtual Result<Value> Timeline(size_t limit) = 0;
};

// Of the instance that the first operand names, as --data or --server says.
Result<std::unique_ptr<Past>> OpenPast(const Arguments& arguments);
// cli/remote/past.cc
Result<std::unique_ptr<Past>> OpenPastAtServer(const Arguments& arguments, InstanceId instance);

}  // namespace stele::cli
