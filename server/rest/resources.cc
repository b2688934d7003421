#include "server/rest/resources.h"

#include "server/rest/answers.h"

namespace stele::server::rest {

std::vector<Resource> AllResources(const Operations& operations, const StillValid& still_valid) {
  std::vector<Resource> all{
      DefinitionsResource(operations), TypesResource(operations),
      InstancesResource(operations),   CommandsResource(operations),
      HistoriesResource(operations),   PastResource(operations),
      ForksResource(operations),       WhatIfResource(operations),
      TasksResource(operations),       TriggersResource(operations),
      WebhooksResource(operations),    StatisticsResource(operations),
      WorkersResource(operations),     AuditResource(operations),
      ProofsResource(operations),      EventsResource(operations, still_valid)};
  if (operations.maintenance != nullptr) all.push_back(MaintenanceResource(operations));
  for (const Component& component : SharedComponents()) all.front().components.push_back(component);
  return all;
}

}  // namespace stele::server::rest
