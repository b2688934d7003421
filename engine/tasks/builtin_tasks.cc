#include "engine/tasks/builtin_tasks.h"

#include <cstdlib>
#include <filesystem>

#include "engine/tasks/container.h"
#include "engine/tasks/email.h"
#include "engine/tasks/http.h"
#include "engine/tasks/kubernetes.h"
#include "engine/tasks/llm.h"
#include "engine/tasks/mcp.h"
#include "engine/tasks/notification.h"
#include "engine/tasks/script.h"
#include "engine/tasks/sql.h"

namespace stele::tasks {

std::shared_ptr<HttpClient> RegisterBuiltinTasks(uv_loop_t* loop, const Clock* clock,
                                                 std::vector<std::string> search_directories,
                                                 TaskRegistry& registry) {
  const auto add = [&](const char* type, std::unique_ptr<TaskExecutor> executor) {
    if (registry.Find(type) == nullptr) registry.Register(type, std::move(executor));
  };
  std::error_code ignored;
  const std::string directory = std::filesystem::current_path(ignored).string();
  NotificationOptions notification;
  if (const char* url = std::getenv("STELE_SLACK_WEBHOOK_URL"))
    notification.slack_webhook_url = url;
  SqlOptions sql;
  sql.base_directory = directory;
  McpOptions mcp;
  mcp.program = ProgramOptions::FromProcess(directory, {});
  ProgramOptions kubernetes = KubernetesOptionsFromProcess(directory);
  kubernetes.search_directories = search_directories;
  ScriptOptions script = ScriptOptions::FromProcess(directory);
  script.search_directories = std::move(search_directories);
  auto client = std::make_shared<HttpClient>(loop);
  add("script", MakeScriptExecutor(loop, std::move(script)));
  add("http", MakeHttpExecutor(client));
  add("webhook", MakeWebhookExecutor(client));
  add("notification", MakeNotificationExecutor(client, notification));
  add("llm", MakeLlmExecutor(client));
  add("mcp", MakeMcpExecutor(loop, client, std::move(mcp)));
  add("sql", MakeSqlExecutor(loop, std::move(sql)));
  add("email", MakeEmailExecutor(loop, clock, EmailOptions::FromProcess()));
  add("container", MakeContainerExecutor(loop, ContainerOptionsFromProcess(directory)));
  add("kubernetes", MakeKubernetesExecutor(loop, std::move(kubernetes)));
  return client;
}

}  // namespace stele::tasks
