// What time machines are asked: histories.h.
#include "replay/bisect.h"
#include "replay/gantt.h"
#include "replay/past_state.h"
#include "server/operations/histories.h"

namespace stele::server {

Promised<Object> Histories::Ask(const Caller& caller, InstanceId instance, bool long_question,
                                Machines::Ask ask) {
  if (const auto allowed = instances_.Allow(caller, Permission::kRead, instance);
      !allowed.has_value())
    return Result<Object>(std::unexpected(allowed.error()));
  return machines_.With(instance, long_question, std::move(ask));
}

Promised<Object> Histories::State(const Caller& caller, InstanceId instance, replay::When when) {
  return Ask(caller, instance, /*long_question=*/false,
             [when](replay::TimeMachine& machine) { return replay::PastState(machine, when); });
}

Promised<Object> Histories::Difference(const Caller& caller, InstanceId instance, replay::When from,
                                       replay::When to) {
  return Ask(caller, instance, /*long_question=*/false, [from, to](replay::TimeMachine& machine) {
    return replay::PastDifference(machine, from, to);
  });
}

Promised<Object> Histories::Bisection(const Caller& caller, InstanceId instance,
                                      std::string expression, bool exact) {
  // Also a search looks behind every state that is kept, when the expression does not hold now.
  return Ask(caller, instance, /*long_question=*/true,
             [expression = std::move(expression), exact](replay::TimeMachine& machine) {
               return replay::PastBisection(machine, expression, exact);
             });
}

Promised<Object> Histories::Chart(const Caller& caller, InstanceId instance, size_t limit) {
  return Ask(caller, instance, /*long_question=*/true,
             [now = desk_.Now(), limit](replay::TimeMachine& machine) -> Result<Object> {
               const auto gantt = replay::GanttOf(machine, now, limit);
               if (!gantt.has_value()) return std::unexpected(gantt.error());
               return replay::GanttToJson(*gantt);
             });
}

}  // namespace stele::server
