#include "server/rest/api.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/check.h"
#include "server/auth/source.h"
#include "server/rest/open_api.h"
#include "server/rest/resources.h"
#include "server/rest/run_name.h"

namespace stele::server::rest {

namespace {

using definition::JsonSchema;

// Every fault of a body, the first one as the sentence.
http::Response RefuseBody(const std::vector<definition::SchemaFault>& faults) {
  Array errors;
  for (const definition::SchemaFault& fault : faults)
    errors.push_back(Object{{"at", fault.pointer}, {"message", fault.message}});
  return http::Problem({ErrorCode::kInvalidInput, "the body: " + faults.front().message},
                       Object{{"errors", std::move(errors)}});
}

// Paths whose id is an instance's, here and in the dialects.
constexpr std::string_view kOfInstances[] = {"/instances/{id}", "/executions/{id}",
                                             "/process-instances/{id}"};

// The instance that a request is about, as its path says; 0: none.
InstanceId InstanceOf(const Route& route, const http::Request& head) {
  if (head.params.contains("task")) {
    const auto run = ParseRunName(head.Param("task"));
    return run.has_value() ? run->instance : InstanceId();
  }
  const auto begins = [&](std::string_view path) { return route.pattern.starts_with(path); };
  if (std::ranges::none_of(kOfInstances, begins)) return InstanceId();
  const auto id = head.NumberParam("id");
  return id.has_value() && *id <= INT64_MAX ? InstanceId(*id) : InstanceId();
}

// What a request is about, for whom is told that it was denied.
Desk::Target TargetOf(const Operations& operations, const Route& route, const http::Request& head) {
  if (route.pattern.starts_with("/definitions/{name}")) return {head.Param("name"), {}};
  const InstanceId instance = InstanceOf(route, head);
  return instance ? operations.instances.TargetOf(instance) : Desk::Target();
}

}  // namespace

Api::Api(const Operations& operations, Access access)
    : operations_(operations), access_(std::move(access)) {
  CHECK(access_.authorize != nullptr && access_.still_valid != nullptr);
  for (Resource& resource : AllResources(operations_, access_.still_valid))
    Add(std::move(resource));
}

void Api::Add(Resource resource) {
  for (const Component& component : resource.components) schemas_.Add(component);
  resources_.push_back(std::move(resource));
}

std::optional<http::Response> Api::Admit(const Route& route, http::Request& head) {
  Result<Caller> caller = CallerOf(route, head);
  if (!caller.has_value()) return http::Problem(caller.error());
  head.admitted = *std::move(caller);
  return std::nullopt;
}

Result<Caller> Api::CallerOf(const Route& route, const http::Request& head) {
  Caller caller;
  caller.source = Through(kRestDoor, head.source);
  if (route.anybody) return caller;
  Result<Caller> found = access_.authorize(head);
  if (!found.has_value()) return found;
  if (found->must_change_password && !route.with_old_password)
    return Fail(ErrorCode::kForbidden,
                fmt::format("Expected a password of their own but \"{}\" has one that was given to "
                            "them; change it first",
                            found->name));
  if (route.permission.has_value())
    STELE_RETURN_IF_ERROR(operations_.desk.AllowByRole(
        *found, *route.permission, [&] { return TargetOf(operations_, route, head); }));
  return found;
}

kj::Promise<http::Response> Api::Serve(const Route& route, const JsonSchema* body,
                                       http::Request& request) {
  Caller caller = std::any_cast<Caller>(std::exchange(request.admitted, {}));
  if (const Status fits = Call::CheckQuery(route, request); !fits.has_value())
    return http::Problem(fits.error());
  Object given;
  if (body != nullptr) {
    Result<Object> object = request.JsonObject();
    if (!object.has_value()) return http::Problem(object.error());
    if (const auto faults = body->Validate(Value(*object)); !faults.empty())
      return RefuseBody(faults);
    given = *std::move(object);
  }
  auto call = kj::heap<Call>(std::move(caller), request, std::move(given));
  auto answer = route.handle(*call);
  if (!route.waits) return answer.attach(kj::mv(call));
  return answer
      .then([this, caller = call->caller()](http::Response response) {
        if (access_.still_valid(caller)) return response;
        return http::Problem({ErrorCode::kBadToken,
                              "Expected a credential that counts to the end of the request but "
                              "it counts no more"});
      })
      .attach(kj::mv(call));
}

void Api::AddTo(http::Router& router) {
  for (const Resource& resource : resources_)
    for (const Route& route : resource.routes) {
      std::shared_ptr<const JsonSchema> body;
      if (route.body.kind == Body::Kind::kObject)
        body = std::make_shared<const JsonSchema>(schemas_.Compile(route.body.component));
      router.Add(route.method, PathOf(route),
                 [this, &route, body](http::Request& request) {
                   return Serve(route, body.get(), request);
                 },
                 {.admit = [this, &route](http::Request& head) { return Admit(route, head); },
                  .always = route.always,
                  .max_body = route.max_body,
                  .operation = route.id});
    }
  // Written once: nothing is added behind it.
  router.Add(
      http::Method::kGet, std::string(kPrefix) + "/openapi.json",
      [document = std::make_shared<const Value>(OpenApi(resources_, schemas_))](
          http::Request&) -> kj::Promise<http::Response> { return http::Json(200, *document); },
      {.operation = "getOpenApi"});
}

}  // namespace stele::server::rest
