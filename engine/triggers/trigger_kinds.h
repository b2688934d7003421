// A reader for each kind of trigger. Each takes its own keys, adds its faults, and gives nothing
// when what it must have is missing.
#pragma once

#include <optional>

#include "engine/triggers/config_fields.h"
#include "engine/triggers/trigger_config.h"

namespace stele::triggers {

std::optional<ScheduleTrigger> ReadSchedule(ConfigFields& fields,
                                            std::vector<expression::Expression>& conditions);
WebhookConfig ReadWebhook(ConfigFields& fields, WebhookKind kind);
// Which event: the configuration says, or else the type ("custom:NAME"), or else the trigger's
// name.
std::optional<EventTrigger> ReadEvent(ConfigFields& fields, const std::string& custom,
                                      const std::string& title);

}  // namespace stele::triggers
