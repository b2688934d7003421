// Events as a person would tell them: "charge: activated", "failed: boom".
#pragma once

#include <map>
#include <string>

#include "engine/definition/definition.h"
#include "engine/model/event.h"

namespace stele::test {

class EventText {
 public:
  explicit EventText(const definition::Definition& definition) : definition_(definition) {}

  // REQUIRES: the events come in the order of their instance's history.
  std::string Tell(const model::Event& event, TimeUs now);

 private:
  struct Teller;

  const definition::Definition& definition_;
  std::map<RunId, StepIndex> step_of_;
};

}  // namespace stele::test
