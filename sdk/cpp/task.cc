#include <utility>

#include "sdk/cpp/task_state.h"

namespace stele::sdk {

const std::string& Task::key() const {
  return state_->key;
}
const std::string& Task::type() const {
  return state_->type;
}
const std::string& Task::definition() const {
  return state_->definition;
}
const std::string& Task::step() const {
  return state_->step;
}
uint64_t Task::instance() const {
  return state_->instance;
}
uint32_t Task::attempt() const {
  return state_->attempt;
}
const std::string& Task::config() const {
  return state_->config;
}
const std::string& Task::input() const {
  return state_->input;
}
const std::string& Task::trace_parent() const {
  return state_->trace_parent;
}
std::optional<std::chrono::steady_clock::time_point> Task::deadline() const {
  return state_->deadline;
}

bool Task::cancelled() const {
  return state_->cancelled;
}

void Task::Heartbeat(std::string detail) const {
  state_->outbox->Say(sdk::Heartbeat{state_->number, std::move(detail)});
}

void Task::Log(std::string text) const {
  state_->outbox->Say(Printed{state_->number, std::move(text)});
}

}  // namespace stele::sdk
