#include "server/rpc/alerts.h"

#include <fmt/format.h>

#include "base/json.h"
#include "server/rpc/answer.h"
#include "server/rpc/given.h"
#include "server/rpc/show.h"

namespace stele::server::rpc {

namespace {

void Show(const alerts::AlertStatus& status, api::Alert::Builder to) {
  to.setName(TextOf(status.name));
  to.setRule(TextOf(ToJson(Value(status.rule))));
  to.setState(TextOf(status.state));
  to.setSince(status.since.value);
  to.setLooked(status.looked.value);
  to.setValue(TextOf(ToJson(Value(status.value))));
  to.setFault(TextOf(status.fault));
  if (!status.delivery.is_null()) to.setDelivery(TextOf(ToJson(status.delivery)));
}

}  // namespace

kj::Promise<void> AlertsServer::list(ListContext context) {
  if (const Status valid = access_->Check(); !valid.has_value()) return Refuse(valid.error());
  return Answer(alerts_.List(access_->caller()),
                [context](const std::vector<alerts::AlertStatus>& all) mutable {
                  auto list = context.getResults().initAlerts(static_cast<unsigned>(all.size()));
                  for (unsigned i = 0; i < all.size(); ++i) Show(all[i], list[i]);
                });
}

kj::Promise<void> AlertsServer::get(GetContext context) {
  Given given;
  given.Add(access_->Check());
  const std::string name = given.Name(context.getParams().getName(), "name");
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  return Answer(alerts_.Get(access_->caller(), name),
                [context](const alerts::AlertStatus& status) mutable {
                  Show(status, context.getResults().initAlert());
                });
}

kj::Promise<void> AlertsServer::set(SetContext context) {
  const auto params = context.getParams();
  Given given;
  given.Add(access_->Check());
  const std::string name = given.Name(params.getName(), "name");
  const Value rule = given.Document(params.getRule(), "rule");
  if (!rule.is_object())
    given.Add(ErrorCode::kInvalidInput,
              fmt::format("rule: Expected an object but found {}", KindName(rule.kind())));
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  return Answer(alerts_.Set(access_->caller(), name, rule.as_object()),
                [context](const alerts::AlertStatus& status) mutable {
                  auto results = context.getResults();
                  Show(status, results.initAlert());
                  results.setPosition(status.position.value);
                });
}

kj::Promise<void> AlertsServer::remove(RemoveContext context) {
  Given given;
  given.Add(access_->Check());
  const std::string name = given.Name(context.getParams().getName(), "name");
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  return Answer(alerts_.Remove(access_->caller(), name), [context](const Written& written) mutable {
    context.getResults().setPosition(written.position.value);
  });
}

}  // namespace stele::server::rpc
