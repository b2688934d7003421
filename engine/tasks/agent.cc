#include "engine/tasks/agent.h"

#include <utility>

#include "engine/tasks/config_reader.h"

namespace stele::tasks {
namespace {

int64_t TimeoutOf(const Value& config) {
  return ConfigReader(config, ConfigReader::Mode::kRendered).DurationUs("timeout");
}

}  // namespace

std::vector<std::string> CheckAgentConfig(const Value& config, bool rendered) {
  Value known = Object();
  for (const char* key : {"agent_id", "task", "goal", "tools", "context", "timeout"})
    if (const Value* found = config.Find(key)) known.as_object().Set(key, *found);
  ConfigReader reader(config.is_object() ? known : config,
                      rendered ? ConfigReader::Mode::kRendered : ConfigReader::Mode::kStatic);
  for (const char* key : {"agent_id", "task", "goal"}) {
    const auto text = reader.Text(key);
    if (text.has_value() && text->empty())
      reader.AddFault("Expected `" + std::string(key) + "` to be a text but found an empty one");
  }
  reader.TextList("tools");
  reader.DurationUs("timeout");
  const Value* context = reader.Any("context");
  if (context != nullptr && !context->is_object() && !reader.IsOpen(*context))
    reader.AddFault("Expected `context` to be an object but found " +
                    (context->is_array() ? std::string("an array") : std::string("a scalar")));
  return reader.TakeFaults();
}

std::unique_ptr<TaskExecutor> MakeAgentExecutor(std::shared_ptr<WorkerPool> pool) {
  return WorkerPool::MakeExecutor(std::move(pool), {&CheckAgentConfig, &TimeoutOf});
}

}  // namespace stele::tasks
