// The task types `webhook` (a signed POST to another system) and `notification` (a message for
// people, to Slack or any URL). docs/tasks.md describes the configuration.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/tasks/http.h"

namespace stele::tasks {

struct NotificationOptions {
  HttpOptions http;
  // The incoming webhook of Slack for steps that name no URL; STELE_SLACK_WEBHOOK_URL. A secret.
  std::string slack_webhook_url;
};

std::unique_ptr<TaskExecutor> MakeWebhookExecutor(std::shared_ptr<HttpClient> client,
                                                  HttpOptions options = {});
std::unique_ptr<TaskExecutor> MakeNotificationExecutor(std::shared_ptr<HttpClient> client,
                                                       NotificationOptions options = {});

}  // namespace stele::tasks
