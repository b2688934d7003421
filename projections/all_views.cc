#include "projections/all_views.h"

#include "projections/views/closed.h"
#include "projections/views/errors.h"
#include "projections/views/instances.h"
#include "projections/views/statistics.h"
#include "projections/views/step_logs.h"
#include "projections/views/tasks.h"
#include "projections/views/triggers.h"
#include "projections/views/workers.h"

namespace stele::projections {

namespace {

template <class ViewType>
std::unique_ptr<View> Make() {
  return std::make_unique<ViewType>();
}

}  // namespace

std::vector<MakeView> AllViews() {
  return {Make<InstancesView>, Make<TasksView>,    Make<StatisticsView>, Make<ErrorsView>,
          Make<TriggersView>,  Make<StepLogsView>, Make<ClosedView>,     Make<WorkersView>};
}

}  // namespace stele::projections
