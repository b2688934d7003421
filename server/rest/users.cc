// Users and API keys, for who manages them.
#include "server/rest/accounts.h"
#include "server/rest/answers.h"
#include "server/rest/call.h"

namespace stele::server::rest {

namespace {

using http::Method;

// REQUIRES: the body fits its schema.
std::optional<Role> RoleOf(const Call& call) {
  return call.Find("role") == nullptr ? std::nullopt : FindRole(call.Text("role"));
}

kj::Promise<http::Response> PutUser(Logins& logins, const Call& call) {
  UserChange change{.role = RoleOf(call), .groups = {}, .disabled = {}, .password = {}};
  if (call.Find("groups") != nullptr) change.groups = call.Texts("groups");
  if (call.Find("disabled") != nullptr) change.disabled = call.Flag("disabled");
  if (call.Find("password") != nullptr) change.password = SecretText::Take(call.Text("password"));
  return Reply(logins.PutUser(call.caller(), call.param("user"), std::move(change)),
               [](const ChangedUser& changed) {
                 Object shown = changed.user;
                 shown.Set("password",
                           changed.password.empty() ? Value() : Value(changed.password.view()));
                 return http::Json(changed.is_new ? 201 : 200, std::move(shown));
               });
}

kj::Promise<http::Response> MakeKey(Logins& logins, const Call& call) {
  return Reply(logins.MakeKey(call.caller(), {.name = call.Text("name"),
                                              .role = RoleOf(call).value_or(Role::kWorker),
                                              .groups = call.Texts("groups"),
                                              .expires = TimeUs(call.Number("expires", 0))}),
               [](const MadeKey& made) {
                 Object shown = made.key;
                 shown.Set("key", made.text);
                 return http::Json(201, std::move(shown));
               });
}

template <class Ask>
Handle Ending(Ask ask) {
  return [ask](const Call& call) {
    return Reply(ask(call), [](const Written&) { return http::NoContent(); });
  };
}

Handle Listing(std::string name, std::function<Result<Array>(const Call&)> list) {
  return [name, list](const Call& call) {
    return ReplyNow(list(call),
                    [&](const Array& all) { return http::Json(200, Object{{name, all}}); });
  };
}

std::vector<Route> UserRoutes(Logins* to) {
  return {{.method = Method::kGet,
           .pattern = "/users",
           .id = "listUsers",
           .summary = "Which there are.",
           .permission = Permission::kManageUsers,
           .answers = {{200, "they are", "UserList"}},
           .handle = Listing("users", [to](const Call& call) { return to->Users(call.caller()); })},
          {.method = Method::kPut,
           .pattern = "/users/{user}",
           .id = "putUser",
           .summary = "Makes or changes one; a new one without a password gets one, shown once.",
           .permission = Permission::kManageUsers,
           .body = ObjectOf("PutUser"),
           .answers = {{201, "it is new", "ChangedUser"}, {200, "it has changed", "ChangedUser"}},
           .handle = [to](const Call& call) { return PutUser(*to, call); }},
          {.method = Method::kDelete,
           .pattern = "/users/{user}",
           .id = "removeUser",
           .summary = "Nobody of that name comes in any more.",
           .permission = Permission::kManageUsers,
           .answers = {{204, "it is durable", ""}},
           .handle = Ending([to](const Call& call) {
             return to->RemoveUser(call.caller(), call.param("user"));
           })},
          {.method = Method::kPost,
           .pattern = "/users/{user}/revoke",
           .id = "revokeTokens",
           .summary = "Every token that the user was given before counts no more.",
           .permission = Permission::kManageUsers,
           .answers = {{204, "it is durable", ""}},
           .handle = Ending([to](const Call& call) {
             return to->RevokeTokens(call.caller(), call.param("user"));
           })}};
}

std::vector<Route> KeyRoutes(Logins* to) {
  return {{.method = Method::kGet,
           .pattern = "/keys",
           .id = "listKeys",
           .summary = "API keys, without their secrets.",
           .permission = Permission::kManageUsers,
           .answers = {{200, "they are", "KeyList"}},
           .handle = Listing("keys", [to](const Call& call) { return to->Keys(call.caller()); })},
          {.method = Method::kPost,
           .pattern = "/keys",
           .id = "makeKey",
           .summary = "A key for a machine; its text is shown once.",
           .permission = Permission::kManageUsers,
           .body = ObjectOf("MakeKey"),
           .answers = {{201, "it is durable", "MadeKey"}},
           .handle = [to](const Call& call) { return MakeKey(*to, call); }},
          {.method = Method::kDelete,
           .pattern = "/keys/{key}",
           .id = "removeKey",
           .summary = "It counts no more.",
           .permission = Permission::kManageUsers,
           .answers = {{204, "it is durable", ""}},
           .handle = Ending([to](const Call& call) {
             return to->RemoveKey(call.caller(), call.param("key"));
           })}};
}

std::vector<Component> Shapes() {
  using Others = Component::Others;
  const char* const roles = "=admin,operator,developer,worker,auditor,viewer";
  const std::vector<ShapeMember> user{{"name", "text", ""},
                                      {"role", roles, ""},
                                      {"groups", "[text]", ""},
                                      {"must_change", "flag", "the password"},
                                      {"disabled", "flag", ""},
                                      {"created_us", "time", ""},
                                      {"tokens_valid_from_us", "time", "older ones do not count"}};
  const std::vector<ShapeMember> key{{"id", "text", ""},         {"name", "text", "in histories"},
                                     {"role", roles, ""},        {"groups", "[text]", ""},
                                     {"created_us", "time", ""}, {"expires_us", "time", "0: never"},
                                     {"disabled", "flag", ""}};
  std::vector<ShapeMember> changed = user;
  changed.push_back({"password", "text|null", "the one that was made, shown once"});
  std::vector<ShapeMember> made = key;
  made.push_back({"key", "text", "for X-API-Key or `Authorization: Bearer`, shown once"});
  return {{"User", "", user},
          {"UserList", "", {{"users", "[User]", "by name"}}},
          {"PutUser",
           "What is not said stays as it is.",
           {{"role?", std::string(roles), "viewer for a new one"},
            {"groups?", "[name]", ""},
            {"disabled?", "flag", ""},
            {"password?", "text", "to be changed at the next login"}},
           Others::kRefused},
          {"ChangedUser", "", changed},
          {"Key", "", key},
          {"KeyList", "", {{"keys", "[Key]", "by id"}}},
          {"MakeKey",
           "",
           {{"name", "name", "in histories"},
            {"role?", std::string(roles), "worker"},
            {"groups?", "[name]", ""},
            {"expires?", "time", "0: never"}},
           Others::kRefused},
          {"MadeKey", "", made}};
}

}  // namespace

Resource UsersResource(Logins& logins) {
  std::vector<Route> routes = UserRoutes(&logins);
  for (Route& route : KeyRoutes(&logins)) routes.push_back(std::move(route));
  return {.name = "users",
          .about = "Who may come in: people and machines.",
          .routes = std::move(routes),
          .components = Shapes()};
}

}  // namespace stele::server::rest
