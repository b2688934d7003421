// Events as a person would tell them: "charge: activated", "failed: boom".
#pragma once

#include <map>
#include <string>

#include "engine/definition/definition.h"
#include "engine/model/event.h"

namespace stele::test {

class EventText {
 public:
  explicit EventText(const definition::Definition& definition) : definition_(&definition) {}

  // From now on the events are those of another definition; the open runs' steps are the event's.
  void Migrate(const definition::Definition& definition, const model::InstanceMigrated& event);

  // REQUIRES: the events come in the order of their instance's history.
  std::string Tell(const model::Event& event, TimeUs now);

 private:
  struct Teller;

  const definition::Definition* definition_;
  std::map<RunId, StepIndex> step_of_;
  std::string gone_ = "(gone)";  // a step that the other version does not have
};

}  // namespace stele::test
