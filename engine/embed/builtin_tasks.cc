#include "engine/embed/builtin_tasks.h"

#include <cstdlib>
#include <filesystem>
#include <memory>

#include "engine/tasks/container.h"
#include "engine/tasks/email.h"
#include "engine/tasks/http.h"
#include "engine/tasks/kubernetes.h"
#include "engine/tasks/llm.h"
#include "engine/tasks/mcp.h"
#include "engine/tasks/notification.h"
#include "engine/tasks/script.h"
#include "engine/tasks/sql.h"

namespace stele::embed {

void RegisterBuiltinTasks(uv_loop_t* loop, const Clock* clock, tasks::TaskRegistry& registry) {
  std::error_code ignored;
  const std::string directory = std::filesystem::current_path(ignored).string();
  tasks::NotificationOptions notification;
  if (const char* url = std::getenv("STELE_SLACK_WEBHOOK_URL"))
    notification.slack_webhook_url = url;
  tasks::SqlOptions sql;
  sql.base_directory = directory;
  tasks::McpOptions mcp;
  mcp.program = tasks::ProgramOptions::FromProcess(directory, {});
  const auto client = std::make_shared<tasks::HttpClient>(loop);
  registry.Register("script",
                    tasks::MakeScriptExecutor(loop, tasks::ScriptOptions::FromProcess(directory)));
  registry.Register("http", tasks::MakeHttpExecutor(client));
  registry.Register("webhook", tasks::MakeWebhookExecutor(client));
  registry.Register("notification", tasks::MakeNotificationExecutor(client, notification));
  registry.Register("llm", tasks::MakeLlmExecutor(client));
  registry.Register("mcp", tasks::MakeMcpExecutor(loop, client, std::move(mcp)));
  registry.Register("sql", tasks::MakeSqlExecutor(loop, std::move(sql)));
  registry.Register("email",
                    tasks::MakeEmailExecutor(loop, clock, tasks::EmailOptions::FromProcess()));
  registry.Register("container", tasks::MakeContainerExecutor(
                                     loop, tasks::ContainerOptionsFromProcess(directory)));
  registry.Register("kubernetes", tasks::MakeKubernetesExecutor(
                                      loop, tasks::KubernetesOptionsFromProcess(directory)));
}

}  // namespace stele::embed
