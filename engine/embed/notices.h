// Events as plugins see them.
#pragma once

#include <optional>
#include <string>

#include "engine/embed/plugin_host.h"
#include "engine/model/event.h"

namespace stele::embed {

// The run that an event is about; 0: none.
RunId RunOf(const model::Event& event);
// True when the run that it is about has ended.
bool EndsRun(const model::Event& event);

// Nothing for an event that plugins are not told of. `step`: the id of the step that it is about.
std::optional<Notice> NoticeOf(InstanceId instance, const model::Event& event, TimeUs time,
                               const std::string& definition, const std::string& step);

}  // namespace stele::embed
