#include "server/compat/resources.h"

namespace stele::server::compat {

std::vector<rest::Resource> DialectsWith(const Operations& operations, const SchedulerWord& word) {
  return {ExecutionsResource(operations, word), ProcessesResource(operations),
          JobsResource(operations), WorkflowsResource(operations)};
}

std::vector<rest::Resource> AllDialects(const Operations& operations) {
  return DialectsWith(operations,
                      [&desk = operations.desk] { return desk.closed() ? "stopping" : "ok"; });
}

}  // namespace stele::server::compat
