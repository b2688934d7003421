// A request as filters and templates see it: payload, headers, query.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/expression/expression.h"
#include "engine/triggers/webhook.h"

namespace stele::triggers {

// The first header of that name (in lower case); empty when there is none.
std::string_view HeaderOf(const WebhookRequest& request, std::string_view name);

// JSON; the field `payload` of a form, or the form's fields as an object; null for an empty body.
Result<Value> ReadPayload(const WebhookRequest& request);

class WebhookEnvironment final : public expression::Environment {
 public:
  WebhookEnvironment(const WebhookRequest& request, Value payload);
  Found Lookup(std::span<const std::string> path) const override;
  const Value& payload() const { return *roots_.Find("payload"); }
  const Value& query() const { return *roots_.Find("query"); }

 private:
  Object roots_;
};

}  // namespace stele::triggers
