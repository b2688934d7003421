// With which events a history begins, and which definition its instance runs from there on.
#pragma once

#include "engine/model/event.h"

namespace stele::model {

// The instance is there from this event on: it was started, or forked.
bool BeginsInstance(const Event& event);

// The definition that the instance runs behind an event which begins it or brings it to another
// version; 0: the event is none of these, or a fork of nothing, as damaged logs have it.
DefinitionId DefinitionBehind(const Event& event);

}  // namespace stele::model
