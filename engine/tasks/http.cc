#include "engine/tasks/http.h"

#include <fmt/format.h>

#include "engine/tasks/request_executor.h"

namespace stele::tasks {
namespace {

void ReadBody(ConfigReader& reader, HttpPlan& plan) {
  const Value* body = reader.Any("body");
  const Value* json = reader.Any("json");
  bool has_form = reader.Has("form");
  if ((body != nullptr) + (json != nullptr) + has_form > 1) {
    reader.AddFault("Expected at most one of `body`, `json` and `form` but found several");
    return;
  }
  if (body != nullptr) SetBody(plan, *body);
  if (json != nullptr) {
    SetHeaderOnce(plan, "Content-Type", "application/json");
    // A text is JSON as well: it goes with its quotes.
    plan.request.body = Payload::FromValue(*json).text();
  }
  if (has_form) {
    plan.request.body = FormEncode(reader.TextMap("form"));
    SetHeaderOnce(plan, "Content-Type", "application/x-www-form-urlencoded");
  }
}

std::expected<HttpPlan, std::vector<std::string>> PlanHttp(const Value& config, const Value&,
                                                           ConfigReader::Mode mode, HttpPlan plan) {
  ConfigReader reader(config, mode);
  std::string executor = reader.Text("executor").value_or("http");
  if (executor != "http" && executor != "https" && !reader.IsOpen(Value(executor))) {
    reader.AddFault(fmt::format("Expected the executor to be http but found \"{}\"", executor));
  }
  if (!reader.Has("url")) reader.AddFault("Expected `url` but found none");
  ReadTransport(reader, "url", plan);
  ReadBody(reader, plan);
  plan.request.method = ReadMethod(reader, plan.request.body ? "POST" : "GET");
  if (plan.request.method == "HEAD" && plan.request.body) {
    reader.AddFault("Expected no body with the method HEAD but found one");
  }
  std::vector<std::string> faults = reader.TakeFaults();
  if (!faults.empty()) return std::unexpected(std::move(faults));
  return plan;
}

}  // namespace

std::unique_ptr<TaskExecutor> MakeHttpExecutor(std::shared_ptr<HttpClient> client,
                                               HttpOptions options) {
  HttpPlan defaults;
  defaults.request.timeout_us = options.timeout_us;
  defaults.request.max_response_bytes = options.max_response_bytes;
  return std::make_unique<RequestExecutor>(std::move(client), std::move(defaults), &PlanHttp);
}

}  // namespace stele::tasks
