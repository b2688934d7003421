#include "cli/past/past.h"

#include "base/clock.h"
#include "cli/open_data.h"
#include "cli/recorded.h"
#include "cli/remote/server_option.h"
#include "cli/source.h"
#include "replay/bisect.h"
#include "replay/gantt.h"
#include "replay/past_state.h"

namespace stele::cli {

namespace {

class RecordedPast final : public Past {
 public:
  static Result<std::unique_ptr<Past>> Open(const Arguments& arguments, InstanceId instance) {
    auto source = OpenSource(arguments);
    if (!source.has_value()) return std::unexpected(source.error());
    const auto registry = replay::ReadRegistry(**source);
    if (!registry.has_value()) return std::unexpected(registry.error());
    auto machine = replay::TimeMachine::Open(**source, instance, *registry);
    if (!machine.has_value()) return std::unexpected(machine.error());
    return std::make_unique<RecordedPast>(*std::move(source), *std::move(machine));
  }
  RecordedPast(std::unique_ptr<Source> source, std::unique_ptr<replay::TimeMachine> machine)
      : source_(std::move(source)), machine_(std::move(machine)) {}

  Result<Value> State(const replay::When& when) override {
    return replay::PastState(*machine_, when);
  }
  Result<Value> Difference(const replay::When& from, const replay::When& to) override {
    return replay::PastDifference(*machine_, from, to);
  }
  Result<Value> Bisection(std::string_view expression, bool exact) override {
    return replay::PastBisection(*machine_, expression, exact);
  }
  Result<Value> Timeline(size_t limit) override {
    const auto gantt = replay::GanttOf(*machine_, SystemClock().Now(), limit);
    if (!gantt.has_value()) return std::unexpected(gantt.error());
    return replay::GanttToJson(*gantt);
  }

 private:
  const std::unique_ptr<Source> source_;  // outlives the machine
  const std::unique_ptr<replay::TimeMachine> machine_;
};

}  // namespace

Result<std::unique_ptr<Past>> OpenPast(const Arguments& arguments) {
  const Result<InstanceId> id = ParseInstanceId(arguments.operands()[0]);
  if (!id.has_value()) return std::unexpected(id.error());
  if (IsForServer(arguments)) return OpenPastAtServer(arguments, *id);
  return RecordedPast::Open(arguments, *id);
}

}  // namespace stele::cli
