// Whether two events say the same: of one definition, member by member; of two, by what they lead
// to.
//
// Between two definitions the numbers of steps and bodies are translated, and what the one has and
// the other has not counts only where something comes of it (IsBeside, and the table in the
// source).
//
// Thread: any.
#pragma once

#include <string_view>

#include "engine/model/event.h"
#include "replay/regression/correspondence.h"

namespace stele::replay {

// The first member in which two events differ; empty: in none. REQUIRES: they are of one kind.
std::string_view DifferingMember(const model::Event& a, const model::Event& b);

// The same for an event that was recorded under one definition and one that was decided under
// another.
std::string_view DifferingMember(const model::Event& recorded, const model::Event& decided,
                                 const Correspondence& definitions);

// Whether the events hand an executor something else: the configuration or the input of a task.
bool AskedOtherwise(const model::StepActivated& recorded, const model::StepActivated& decided,
                    const Correspondence& definitions);

// Where an event comes from.
enum class Side : uint8_t { kRecorded, kDecided };
// Whether it is left out where definitions differ: how tokens travel, and what passes through steps
// that only one definition has. What comes of them is in other events.
bool IsBeside(const model::Event& event, Side side, const Correspondence& definitions);

// The step that an event names, by its index; kNoIndex: it names none.
StepIndex StepNamedBy(const model::Event& event);
// The run that it is about; 0: none.
RunId RunNamedBy(const model::Event& event);

}  // namespace stele::replay
