// Sessions: logging in, who one is, another password, the end.
#include "server/rest/accounts.h"
#include "server/rest/answers.h"
#include "server/rest/call.h"

namespace stele::server::rest {

namespace {

using http::Method;

Array TextsOf(const std::vector<std::string>& texts) {
  Array array;
  for (const std::string& text : texts) array.emplace_back(text);
  return array;
}

Object CallerToJson(const Caller& caller) {
  return Object{{"name", caller.name},
                {"role", RoleName(caller.role)},
                {"groups", TextsOf(caller.groups)},
                {"must_change_password", caller.must_change_password},
                {"expires", caller.expires ? Value(caller.expires.value) : Value()}};
}

http::Response ShowToken(const IssuedToken& issued) {
  Object shown = CallerToJson(issued.caller);
  shown.Set("token", issued.text);
  shown.Set("token_type", "Bearer");
  return http::Json(200, std::move(shown));
}

kj::Promise<http::Response> Login(Logins& logins, const Call& call) {
  std::string name = call.Text("name");
  if (name.empty()) name = call.Text("username");
  if (name.empty())
    return Refuse({ErrorCode::kInvalidInput, "Expected a member \"name\" but found none"});
  const std::string& source = call.caller().source;
  return logins.Login(name, SecretText::Take(call.Text("password")), source)
      .then([&logins, name, source](Result<IssuedToken> issued) -> http::Response {
        if (issued.has_value()) return ShowToken(*issued);
        http::Response refused = http::Problem(issued.error());
        if (const auto wait = logins.WaitUs(name, source);
            wait.has_value() && issued.error().code == ErrorCode::kTooManyLogins)
          refused.headers.Set("Retry-After", fmt::format("{}", (*wait + 999'999) / 1'000'000));
        return refused;
      });
}

std::vector<Component> Shapes() {
  using Others = Component::Others;
  const std::vector<ShapeMember> who{
      {"name", "text", ""},
      {"role", "=admin,operator,developer,worker,auditor,viewer", ""},
      {"groups", "[text]", ""},
      {"must_change_password", "flag", "before anything else"},
      {"expires", "time|null", "of the credential"}};
  std::vector<ShapeMember> token = who;
  token.push_back({"token", "text", "for `Authorization: Bearer`"});
  token.push_back({"token_type", "=Bearer", ""});
  return {{"Login",
           "",
           {{"name?", "name|null", ""},
            {"username?", "name|null", "the same"},
            {"password", "text", ""}},
           Others::kRefused},
          {"ChangePassword",
           "",
           {{"old_password", "text", ""}, {"new_password", "text", "12 to 256 bytes"}},
           Others::kRefused},
          {"Me", "Who asks.", who},
          {"Token", "", token}};
}

}  // namespace

Resource SessionResource(Logins& logins) {
  Logins* const to = &logins;
  return {
      .name = "session",
      .about = "Who asks.",
      .routes = {{.method = Method::kPost,
                  .pattern = "/auth/login",
                  .id = "login",
                  .summary = "A token for who knows the password.",
                  .body = ObjectOf("Login"),
                  .answers = {{200, "it was right", "Token"}},
                  .handle = [to](const Call& call) { return Login(*to, call); },
                  .anybody = true},
                 {.method = Method::kPost,
                  .pattern = "/auth/refresh",
                  .id = "refresh",
                  .summary = "Another token for who has one, until the session ends.",
                  .answers = {{200, "it is good", "Token"}},
                  .handle =
                      [to](const Call& call) {
                        return ReplyNow(to->Refresh(call.caller()), ShowToken);
                      }},
                 {.method = Method::kPost,
                  .pattern = "/auth/logout",
                  .id = "logout",
                  .summary = "The token counts no more.",
                  .answers = {{204, "it is durable", ""}},
                  .handle =
                      [to](const Call& call) {
                        return Reply(to->Logout(call.caller()),
                                     [](const Written&) { return http::NoContent(); });
                      },
                  .with_old_password = true},
                 {.method = Method::kPost,
                  .pattern = "/auth/password",
                  .id = "changePassword",
                  .summary = "Another password: every token that was given before counts no more.",
                  .body = ObjectOf("ChangePassword"),
                  .answers = {{200, "it is durable; a new token", "Token"}},
                  .handle =
                      [to](const Call& call) {
                        return Reply(to->ChangePassword(
                                         call.caller(), SecretText::Take(call.Text("old_password")),
                                         SecretText::Take(call.Text("new_password"))),
                                     ShowToken);
                      },
                  .with_old_password = true},
                 {.method = Method::kGet,
                  .pattern = "/auth/me",
                  .id = "me",
                  .summary = "Who asks, and what they may do.",
                  .answers = {{200, "they are known", "Me"}},
                  .handle = [](const Call& call) -> kj::Promise<http::Response> {
                    return http::Json(200, CallerToJson(call.caller()));
                  },
                  .with_old_password = true}},
      .components = Shapes()};
}

}  // namespace stele::server::rest
