// The events of the registry, by concern. Internal to this folder.
#pragma once

#include "engine/apply/apply.h"

namespace stele::apply {

// definition.cc
void On(model::Registry&, const model::DefinitionRegistered&, const RecordContext&);
void On(model::Registry&, const model::DefinitionStateChanged&, const RecordContext&);
void On(model::Registry&, const model::SettingChanged&, const RecordContext&);
void On(model::Registry&, const model::AccessDenied&, const RecordContext&);
void On(model::Registry&, const model::AlertChanged&, const RecordContext&);
// removal.cc
void On(model::Registry&, const model::InstancesPurged&, const RecordContext&);
void On(model::Registry&, const model::InstancesErased&, const RecordContext&);
// trigger.cc
void On(model::Registry&, const model::TriggerRegistered&, const RecordContext&);
void On(model::Registry&, const model::TriggerFired&, const RecordContext&);
void On(model::Registry&, const model::TriggerStateChanged&, const RecordContext&);

}  // namespace stele::apply
