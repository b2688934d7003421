// What there is to be asked, a function for each file of routes.
//
// Thread: the loop's.
#pragma once

#include <functional>
#include <vector>

#include "server/rest/api.h"
#include "server/rest/route.h"

namespace stele::server::rest {

using StillValid = std::function<bool(const Caller&)>;

Resource InstancesResource(const Operations& operations);
Resource CommandsResource(const Operations& operations);
Resource HistoriesResource(const Operations& operations);
Resource PastResource(const Operations& operations);
Resource ForksResource(const Operations& operations);
Resource WhatIfResource(const Operations& operations);
Resource TasksResource(const Operations& operations);
Resource DefinitionsResource(const Operations& operations);
Resource TypesResource(const Operations& operations);
Resource TriggersResource(const Operations& operations);
Resource WebhooksResource(const Operations& operations);
Resource StatisticsResource(const Operations& operations);
Resource WorkersResource(const Operations& operations);
Resource AuditResource(const Operations& operations);
Resource ProofsResource(const Operations& operations);
Resource EventsResource(const Operations& operations, StillValid still_valid);
// REQUIRES: there is maintenance among them.
Resource MaintenanceResource(const Operations& operations);

// All of them, and the shapes that all speak of.
std::vector<Resource> AllResources(const Operations& operations, const StillValid& still_valid);

}  // namespace stele::server::rest
