// Task types of somebody's own.
#include "server/operations/definitions.h"
#include "server/rest/answers.h"
#include "server/rest/call.h"
#include "server/rest/resources.h"

namespace stele::server::rest {

namespace {

using http::Method;

kj::Promise<http::Response> List(const Operations& operations, const Call& call) {
  return ReplyNow(operations.definitions.Types(call.caller()),
                  [](const Array& types) { return http::Json(200, Object{{"types", types}}); });
}

kj::Promise<http::Response> Get(const Operations& operations, const Call& call) {
  const std::string& name = call.param("name");
  return ReplyNow(operations.definitions.Types(call.caller()), [&](const Array& types) {
    for (const Value& type : types)
      if (*type.Find("type") == Value(name)) return http::Json(200, type);
    return http::Problem({ErrorCode::kStoreNotFound,
                          fmt::format("Expected a registered type but found \"{}\"", name)});
  });
}

kj::Promise<http::Response> Changed(const std::string& name, Promised<Written> written) {
  return Reply(kj::mv(written), [name](const Written& done) {
    return http::Json(200, Object{{"type", name}, {"position", Whole(done.position.value)}});
  });
}

}  // namespace

Resource TypesResource(const Operations& operations) {
  return {
      .name = "types",
      .about = "Task types that an HTTP server or a worker runs.",
      .routes = {{.method = Method::kGet,
                  .pattern = "/types",
                  .id = "listTypes",
                  .summary = "Those that are registered.",
                  .permission = Permission::kReadDefinitions,
                  .answers = {{200, "they are", "TypeList"}},
                  .handle = [operations](const Call& call) { return List(operations, call); }},
                 {.method = Method::kGet,
                  .pattern = "/types/{name}",
                  .id = "getType",
                  .summary = "One of them.",
                  .permission = Permission::kReadDefinitions,
                  .answers = {{200, "it is", "TaskType"}},
                  .handle = [operations](const Call& call) { return Get(operations, call); }},
                 {.method = Method::kPut,
                  .pattern = "/types/{name}",
                  .id = "registerType",
                  .summary = "Registers it, in place of the one that there was.",
                  .permission = Permission::kDefine,
                  .body = ObjectOf("TaskTypeDocument"),
                  .answers = {{200, "it is durable", "ChangedType"}},
                  .handle =
                      [operations](const Call& call) {
                        return Changed(call.param("name"),
                                       operations.definitions.RegisterType(
                                           call.caller(), call.param("name"), call.body()));
                      }},
                 {.method = Method::kDelete,
                  .pattern = "/types/{name}",
                  .id = "removeType",
                  .summary = "No step may use it any more.",
                  .permission = Permission::kDefine,
                  .answers = {{200, "it is durable", "ChangedType"}},
                  .handle =
                      [operations](const Call& call) {
                        return Changed(call.param("name"), operations.definitions.RemoveType(
                                                               call.caller(), call.param("name")));
                      }}},
      .components = {{"TaskType",
                      "A task type, with the members of its document.",
                      {{"type", "text", "its name"}},
                      Component::Others::kAny},
                     {"TypeList", "", {{"types", "[TaskType]", ""}}},
                     {"TaskTypeDocument",
                      "{schema, url, headers, secret} or {schema, worker: true}; docs/tasks.md.",
                      {},
                      Component::Others::kAny},
                     {"ChangedType",
                      "",
                      {{"type", "text", "its name"}, {"position", "number", "of the record"}}}}};
}

}  // namespace stele::server::rest
