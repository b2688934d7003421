// All operations of a server: what an edge answers its requests with.
#pragma once

#include "server/operations/definitions.h"
#include "server/operations/desk.h"
#include "server/operations/events.h"
#include "server/operations/forks.h"
#include "server/operations/histories.h"
#include "server/operations/instances.h"
#include "server/operations/maintenance.h"
#include "server/operations/questions.h"
#include "server/operations/triggers.h"
#include "server/operations/workers.h"

namespace stele::server {

// REQUIRES: they outlive whoever has it.
struct Operations {
  Desk& desk;
  Instances& instances;
  Definitions& definitions;
  Triggers& triggers;
  Questions& questions;
  Histories& histories;
  Events& events;
  Workers& workers;
  Forks& forks;
  Maintenance* maintenance = nullptr;  // null: it is not maintained from outside
};

}  // namespace stele::server
