// What the instances of a measurement run.
#pragma once

#include <string>
#include <string_view>

namespace stele::load {

// A step that does nothing.
inline constexpr std::string_view kNothing = "stele-bench-start";
// Tasks for workers, one behind the other.
inline constexpr std::string_view kTasks = "stele-bench-worker";
inline constexpr std::string_view kTaskType = "stele-bench-task";
// Of the type of task, as it is registered.
inline constexpr std::string_view kTaskDocument = R"({"schema":{},"worker":true})";

struct Work {
  bool with_tasks = false;  // kTasks; else kNothing
  bool until_end = false;   // done when the instance has completed; else when its start is durable

  std::string definition() const { return std::string(with_tasks ? kTasks : kNothing); }
  // As it is registered: JSON.
  std::string definition_text() const;
};

}  // namespace stele::load
