// The task type `email`: one mail to one SMTP server. docs/tasks.md describes the configuration.
#pragma once

#include <uv.h>

#include <memory>

#include "base/clock.h"
#include "engine/tasks/email_plan.h"
#include "engine/tasks/executor.h"

namespace stele::tasks {

// REQUIRES: `clock` outlives the executor. It gives the mails their dates.
std::unique_ptr<TaskExecutor> MakeEmailExecutor(uv_loop_t* loop, const Clock* clock,
                                                EmailOptions options = {});

}  // namespace stele::tasks
