#include "server/edge/served_resources.h"

#include <utility>

#include "server/compat/resources.h"
#include "server/observation/routes.h"
#include "server/rest/accounts.h"
#include "server/rest/alerts.h"

namespace stele::server {

std::vector<rest::Resource> ServedResources(const Operations& operations,
                                            const ServedParts& parts) {
  std::vector<rest::Resource> served;
  if (parts.logins != nullptr) {
    served.push_back(rest::SessionResource(*parts.logins));
    served.push_back(rest::UsersResource(*parts.logins));
  }
  for (rest::Resource& dialect :
       compat::DialectsWith(operations, [&health = parts.health] { return health.scheduler(); }))
    served.push_back(std::move(dialect));
  served.push_back(rest::AlertsResource(parts.alerts));
  served.push_back(ObservationResource(parts.figures, parts.health, parts.open_metrics));
  return served;
}

}  // namespace stele::server
