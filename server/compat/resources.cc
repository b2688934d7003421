#include "server/compat/resources.h"

namespace stele::server::compat {

std::vector<rest::Resource> AllDialects(const Operations& operations) {
  return {ExecutionsResource(operations), ProcessesResource(operations), JobsResource(operations),
          WorkflowsResource(operations)};
}

}  // namespace stele::server::compat
