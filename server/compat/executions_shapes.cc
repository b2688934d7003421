#include "server/compat/executions.h"
#include "server/compat/shown.h"

namespace stele::server::compat {

using rest::Component;
using Others = Component::Others;

namespace {

std::vector<Component> GivenShapes() {
  return {{"ExecuteWorkflow",
           "",
           {{"input?", "object|null", ""}, {"priority?", "priority|null", "higher is sooner"}},
           Others::kRefused},
          {"WorkflowTrigger",
           "An entry of `triggers:` (docs/triggers.md).",
           {{"type?", "text", ""},
            {"name?", "text", ""},
            {"config?", "object", ""},
            {"is_enabled?", "flag", ""}},
           Others::kAny}};
}

Component WorkflowShape() {
  return {"WorkflowEntity",
          "A workflow in its newest version.",
          {{"id", "text", "the number of its first version"},
           {"name", "text", ""},
           {"description", "text", ""},
           {"status", "=draft,active,paused", ""},
           {"version", "text", "the file's own word for it"},
           {"definition?", "object", "of one that is asked for alone, as the next three"},
           {"variables?", "object", ""},
           {"steps?", "[StepEntity]", ""},
           {"triggers?", "[TriggerEntity]", ""},
           {"tags", "[text]", ""},
           {"owner_id", "text|null", ""},
           {"is_template", "flag", ""},
           {"created_at", "text", "of the newest version"},
           {"execution_count", "count|null", "null: it is not known yet"},
           {"last_executed", "text|null", ""},
           {"success_rate", "rate|null", "of those that ended, a fraction of 1"}}};
}

std::vector<Component> PartShapes() {
  return {{"StepEntity",
           "",
           {{"id", "text", ""},
            {"workflow_id", "text", ""},
            {"name", "text", ""},
            {"type", "text", ""},
            {"config", "object", ""},
            {"input_mapping", "object", ""},
            {"output_mapping", "object", ""},
            {"order", "number", ""},
            {"is_parallel", "flag", ""},
            {"dependencies", "[text]", ""},
            {"retry_policy", "object|null", ""}}},
          {"TriggerEntity",
           "",
           {{"id", "text", ""},
            {"workflow_id", "text|null", ""},
            {"type", "text", ""},
            {"name", "text|null", ""},
            {"config", "object", ""},
            {"is_enabled", "flag", ""},
            {"last_triggered", "text|null", ""},
            {"trigger_count", "count", ""}}},
          {"TriggerEntities", "", {{"triggers", "[TriggerEntity]", ""}, {"total", "count", ""}}},
          {"WorkflowEntities", "", {{"workflows", "[WorkflowEntity]", ""}, {"total", "count", ""}}},
          {"WorkflowState",
           "",
           {{"id", "text", ""},
            {"name", "text", ""},
            {"status", "=draft,active,paused", ""},
            {"active_executions", "count", ""},
            {"queued_executions", "count", ""},
            {"paused_executions", "count", ""},
            {"execution_count", "count", ""},
            {"last_executed", "text|null", ""}}}};
}

std::vector<Component> ExecutionEntityShapes() {
  return {{"ExecutionEntity",
           "An execution of a workflow. Whoever may not look at it is told its id when something "
           "of it was "
           "changed, and of a start the first three.",
           {{"id", "text", ""},
            {"workflow_id?", "text|null", ""},
            {"status?", std::string(kStatusWords), ""},
            {"input?", "any", "of one that is asked for alone"},
            {"output?", "any", "of one that is asked for alone"},
            {"start_time?", "text", ""},
            {"end_time?", "text|null", ""},
            {"duration?", "count", "nanoseconds, until now while it goes on"},
            {"trigger_id?", "text|null", ""},
            {"priority?", "number", ""},
            {"error_message?", "text|null", ""},
            {"step_executions?", "[StepExecution]", "of one that is asked for alone"}}},
          {"ExecutionEntities",
           "",
           {{"executions", "[ExecutionEntity]", ""},
            {"total", "count", "on this page"},
            {"next", "text|null", "the cursor of the page behind it"}}},
          {"StepExecution",
           "A run of a step. Whoever may not look at what was changed is told the first two alone.",
           {{"id", "text|null", "null: it was skipped"},
            {"execution_id", "text", ""},
            {"step_id?", "text", ""},
            {"status?", "=running,completed,failed,cancelled,skipped", ""},
            {"output?", "any", ""},
            {"attempts?", "count", ""},
            {"start_time?", "text|null", ""},
            {"end_time?", "text|null", ""},
            {"error_message?", "text|null", ""}}},
          {"StepOutput", "", {{"step_execution_id", "text", ""}, {"output", "any", ""}}}};
}

std::vector<Component> LogShapes() {
  return {{"ExecutionLog",
           "An attempt of a step, with what it printed.",
           {{"step_id", "text", ""},
            {"step_execution_id", "text", ""},
            {"attempt", "count", ""},
            {"status", "text", ""},
            {"start_time", "text|null", ""},
            {"end_time", "text|null", ""},
            {"message", "text", "what it printed"},
            {"error_message", "text|null", ""}}},
          {"ExecutionLogs",
           "",
           {{"execution_id", "text", ""}, {"logs", "[ExecutionLog]", ""}, {"total", "count", ""}}},
          {"SchedulerStatus",
           "",
           {{"enabled", "flag", ""},
            {"status", "=starting,running,stopping", "as /health has it of the scheduler"},
            {"active_executions", "count", ""},
            {"queued_executions", "count", ""},
            {"paused_executions", "count", ""},
            {"schedules", "count", "triggers of the kind that fire"},
            {"next_run", "text|null", "of the next one of them"}}}};
}

}  // namespace

std::vector<Component> ExecutionShapes() {
  std::vector<Component> all = GivenShapes();
  all.push_back(WorkflowShape());
  for (auto* part : {&PartShapes, &ExecutionEntityShapes, &LogShapes})
    for (Component& component : part()) all.push_back(std::move(component));
  return all;
}

}  // namespace stele::server::compat
