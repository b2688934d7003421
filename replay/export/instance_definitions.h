// Which version of which definition an instance runs, as records come by in the order of the log.
//
// In memory it has the definitions, and of a bounded number of instances which one they run: those
// that were asked for last. Others are looked up in the log again.
//
// Thread: one at a time. REQUIRES: source and registry outlive it.
#pragma once

#include <unordered_map>

#include "base/error.h"
#include "engine/model/registry.h"
#include "eventstore/record.h"
#include "replay/history.h"

namespace stele::replay {

class InstanceDefinitions {
 public:
  // Remembers twice as many, some 50 bytes each.
  static constexpr size_t kRemembered = 256u << 10;

  InstanceDefinitions(const Source& source, const model::Registry& registry,
                      size_t remembered = kRemembered)
      : source_(source), registry_(registry), remembered_(remembered) {}

  // The one that the record's instance runs behind the record's cause. Null: the record is of the
  // registry, what came before it is gone, or a server keeps the definition back.
  Result<const model::RegisteredDefinition*> Of(const eventstore::RecordView& record);

 private:
  Result<DefinitionId> LookUp(InstanceId instance, Position end);
  void Remember(InstanceId instance, DefinitionId definition);

  const Source& source_;
  const model::Registry& registry_;
  const size_t remembered_;
  std::unordered_map<InstanceId, DefinitionId> young_, old_;
};

}  // namespace stele::replay
