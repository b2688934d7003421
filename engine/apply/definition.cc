// The registry's history is kept like an instance's; what it amounts to is engine/model/registry.h.
#include "engine/apply/apply.h"

namespace stele::apply {

void On(Instance&, const model::DefinitionRegistered&, const RecordContext&) {}

}  // namespace stele::apply
