// Who is there, and what their role allows.
#include "tests/server/rpc/rpc_world.h"

namespace stele::server::rpc {
namespace {

// A session of a server that asks for names.
class RpcLogin : public RpcWorld {
 protected:
  RpcLogin() : denials_(world_.desk()) {
    User ada{.name = "ada", .role = Role::kOperator, .groups = {"finance", "ops"}};
    ada.password_hash = HashPassword(kPassword, PasswordLimits::Least()).value();
    const Status stored = accounts_.Set("user:ada", ToJson(ada));
    EXPECT_TRUE(stored.has_value());
    authenticator_.emplace(Authenticator::Create(accounts_,
                                                 SigningKey::Own(std::string(32, 'k')).value(),
                                                 KeySet(), world_.clock(), SystemRandom(),
                                                 {.passwords = PasswordLimits::Least()})
                               .value());
    logins_.emplace(world_.desk(), denials_, accounts_, *authenticator_, SystemRandom(),
                    PasswordLimits::Least());
    server_.emplace(AllOperations(), RpcOptions{.logins = &*logins_, .program = "stele test"});
    client_ = Connect();
    world_.Register("quick", "{id: a, type: script}");
  }
  ~RpcLogin() override { client_.reset(); }

  auto LoggingIn(const std::string& name, const std::string& password) {
    auto request = client_->gate.loginRequest();
    request.setName(name);
    request.setPassword(password);
    return request.send();
  }
  auto WithToken(const std::string& token) {
    auto request = client_->gate.withTokenRequest();
    request.setToken(token);
    return request.send();
  }

  Denials denials_;
  Accounts accounts_;
  std::optional<Authenticator> authenticator_;
  std::optional<Logins> logins_;
  std::unique_ptr<Client> client_;
};

TEST_F(RpcLogin, GivesASessionAndAToken) {
  auto login = Await(LoggingIn("ada", kPassword));
  EXPECT_GT(login.getExpires(), world_.clock().Now().value);
  const auto who = Await(login.getSession().whoAmIRequest().send());
  EXPECT_STREQ(who.getCaller().getName().cStr(), "ada");
  EXPECT_STREQ(who.getCaller().getRole().cStr(), "operator");
  EXPECT_EQ(who.getCaller().getGroups().size(), 2u);
  auto again = WithToken(login.getToken().cStr());
  const auto same = Await(again.getSession().whoAmIRequest().send());
  EXPECT_STREQ(same.getCaller().getName().cStr(), "ada");
}

TEST_F(RpcLogin, IsRefused) {
  EXPECT_EQ(CodeOf(LoggingIn("ada", "wrong horse battery staple")), ErrorCode::kUnauthenticated);
  EXPECT_EQ(CodeOf(LoggingIn("eve", kPassword)), ErrorCode::kUnauthenticated);
  EXPECT_EQ(CodeOf(WithToken("nonsense")), ErrorCode::kBadToken);
  EXPECT_EQ(CodeOf(client_->gate.anonymousRequest().send()), ErrorCode::kUnauthenticated);
  // What was asked of it before it was refused.
  EXPECT_EQ(CodeOf(WithToken("nonsense").getSession().whoAmIRequest().send()),
            ErrorCode::kBadToken);
}

TEST_F(RpcLogin, EndsWhenTheTokenExpires) {
  auto login = Await(LoggingIn("ada", kPassword));
  auto instances = login.getSession().instancesRequest().send().getInstances();
  auto start = instances.startRequest();
  start.setDefinition("quick");
  EXPECT_GT(Await(start.send()).getStarted().getId(), 0u);
  world_.clock().Set(TimeUs(login.getExpires() + 1));
  start = instances.startRequest();
  start.setDefinition("quick");
  EXPECT_EQ(CodeOf(start.send()), ErrorCode::kBadToken);
  EXPECT_EQ(CodeOf(login.getSession().whoAmIRequest().send()), ErrorCode::kBadToken);
}

TEST_F(RpcLogin, EndsWhenTheTokenIsGivenUp) {
  auto login = Await(LoggingIn("ada", kPassword));
  auto other = WithToken(login.getToken().cStr()).getSession();
  Await(login.getSession().logoutRequest().send());
  EXPECT_EQ(CodeOf(login.getSession().whoAmIRequest().send()), ErrorCode::kBadToken);
  EXPECT_EQ(CodeOf(other.whoAmIRequest().send()), ErrorCode::kBadToken);
  EXPECT_EQ(CodeOf(WithToken(login.getToken().cStr())), ErrorCode::kBadToken);
}

TEST_F(RpcLogin, IsRefreshed) {
  auto login = Await(LoggingIn("ada", kPassword));
  world_.clock().Advance(60'000'000);
  const auto fresh = Await(login.getSession().refreshRequest().send());
  EXPECT_GT(fresh.getExpires(), login.getExpires());
  EXPECT_EQ(Await(WithToken(fresh.getToken().cStr()).getSession().whoAmIRequest().send())
                .getCaller()
                .getExpires(),
            fresh.getExpires());
}

TEST_F(RpcLogin, ChangesThePassword) {
  auto login = Await(LoggingIn("ada", kPassword));
  auto change = login.getSession().changePasswordRequest();
  change.setBefore(kPassword);
  change.setNow("short");
  EXPECT_EQ(CodeOf(change.send()), ErrorCode::kWeakPassword);
  world_.clock().Advance(2'000'000);
  change = login.getSession().changePasswordRequest();
  change.setBefore(kPassword);
  change.setNow("another long password 17");
  const auto changed = Await(change.send());
  EXPECT_EQ(CodeOf(login.getSession().whoAmIRequest().send()), ErrorCode::kBadToken);
  Await(WithToken(changed.getToken().cStr()).getSession().whoAmIRequest().send());
  Await(LoggingIn("ada", "another long password 17"));
}

TEST_F(RpcLogin, IsHandedOnWithLess) {
  auto login = Await(LoggingIn("ada", kPassword));
  const auto narrowed = [&](const char* role, std::vector<const char*> groups) {
    auto request = login.getSession().narrowRequest();
    request.setRole(role);
    auto list = request.initGroups(static_cast<unsigned>(groups.size()));
    for (unsigned i = 0; i < groups.size(); ++i) list.set(i, groups[i]);
    return request.send();
  };
  auto less = narrowed("viewer", {"ops"}).getSession();
  const auto who = Await(less.whoAmIRequest().send());
  EXPECT_STREQ(who.getCaller().getName().cStr(), "ada");
  EXPECT_STREQ(who.getCaller().getRole().cStr(), "viewer");
  ASSERT_EQ(who.getCaller().getGroups().size(), 1u);
  EXPECT_EQ(CodeOf(narrowed("developer", {})), ErrorCode::kForbidden);
  EXPECT_EQ(CodeOf(narrowed("admin", {})), ErrorCode::kForbidden);
  EXPECT_EQ(CodeOf(narrowed("worker", {})), ErrorCode::kForbidden);
  EXPECT_EQ(CodeOf(narrowed("", {"board"})), ErrorCode::kForbidden);
  EXPECT_EQ(CodeOf(narrowed("king", {})), ErrorCode::kInvalidInput);
  // It is widened by nothing, and does not speak for who has logged in.
  auto more = less.narrowRequest();
  more.setRole("operator");
  EXPECT_EQ(CodeOf(more.send()), ErrorCode::kForbidden);
  EXPECT_EQ(CodeOf(less.refreshRequest().send()), ErrorCode::kForbidden);
  EXPECT_EQ(CodeOf(less.logoutRequest().send()), ErrorCode::kForbidden);
  // It ends with the token.
  Await(login.getSession().logoutRequest().send());
  EXPECT_EQ(CodeOf(less.whoAmIRequest().send()), ErrorCode::kBadToken);
}

class RpcSession : public RpcWorld {
 protected:
  RpcSession() { world_.Register("long", "{id: hang, type: script}"); }

  // The roles, of those that a developer's server asks nobody for, to whom the call is refused.
  template <class Call>
  std::string RefusedTo(Call call) {
    std::string roles;
    for (const char* role : {"admin", "operator", "developer", "worker", "auditor", "viewer"}) {
      auto fault = world_.turns().FaultOf(call(Narrowed(role)));
      if (fault.has_value() && ErrorOf(*fault).code == ErrorCode::kForbidden)
        roles += std::string(roles.empty() ? "" : " ") + role;
    }
    return roles;
  }
};

TEST_F(RpcSession, AllowsWhatTheTableOfRolesAllows) {
  const uint64_t id = Started("long");
  const auto instance = [&](api::Session::Client session) {
    auto request = session.instancesRequest().send().getInstances().getRequest();
    request.setId(id);
    return request.send().getInstance();
  };
  using Session = api::Session::Client;
  EXPECT_EQ(RefusedTo([&](Session session) {
              auto start = session.instancesRequest().send().getInstances().startRequest();
              start.setDefinition("long");
              return start.send();
            }),
            "worker auditor viewer");
  EXPECT_EQ(RefusedTo([&](Session s) { return instance(s).statusRequest().send(); }), "worker");
  EXPECT_EQ(RefusedTo([&](Session s) { return instance(s).historyRequest().send(); }), "worker");
  EXPECT_EQ(RefusedTo([&](Session s) { return instance(s).signalRequest().send(); }),
            "worker auditor viewer");
  EXPECT_EQ(RefusedTo([&](Session s) { return instance(s).retryRequest().send(); }),
            "developer worker auditor viewer");
  EXPECT_EQ(RefusedTo([&](Session s) {
              return s.definitionsRequest().send().getDefinitions().registerRequest().send();
            }),
            "operator worker auditor viewer");
  EXPECT_EQ(RefusedTo([&](Session s) {
              return s.definitionsRequest().send().getDefinitions().listRequest().send();
            }),
            "worker");
  EXPECT_EQ(RefusedTo([&](Session s) {
              return s.triggersRequest().send().getTriggers().addRequest().send();
            }),
            "worker auditor viewer");
  EXPECT_EQ(RefusedTo([&](Session s) {
              return s.tasksRequest()
                  .send()
                  .getTasks()
                  .getRequest()
                  .send()
                  .getTask()
                  .claimRequest()
                  .send();
            }),
            "worker auditor viewer");
  EXPECT_EQ(RefusedTo([&](Session s) {
              return s.viewsRequest().send().getViews().statesRequest().send();
            }),
            "worker");
  EXPECT_EQ(RefusedTo([&](Session s) {
              return s.viewsRequest().send().getViews().instancesRequest().send();
            }),
            "worker");
  EXPECT_EQ(
      RefusedTo([&](Session s) { return s.logRequest().send().getLog().followRequest().send(); }),
      "worker");
}

TEST_F(RpcSession, OfAServerThatAsksNobodyHasNoToken) {
  const auto who = Await(Session().whoAmIRequest().send());
  EXPECT_STREQ(who.getCaller().getName().cStr(), "dev");
  EXPECT_STREQ(who.getCaller().getRole().cStr(), "admin");
  EXPECT_EQ(CodeOf(Session().refreshRequest().send()), ErrorCode::kUnsupported);
  EXPECT_EQ(CodeOf(Session().logoutRequest().send()), ErrorCode::kUnsupported);
  auto client = Connect();
  EXPECT_EQ(CodeOf(client->gate.loginRequest().send()), ErrorCode::kUnsupported);
  const auto version = Await(client->gate.versionRequest().send());
  EXPECT_EQ(version.getProtocol(), kProtocol);
  EXPECT_STREQ(version.getProgram().cStr(), "stele test");
}

TEST_F(RpcSession, RefusesEverythingWhenTheServerStops) {
  auto session = Session();
  Await(session.whoAmIRequest().send());
  auto waiting = Instance(Started("long")).waitRequest();
  waiting.setPatience(kMaxPatienceUs);
  auto status = waiting.send();
  world_.Settle();
  world_.desk().Close();
  EXPECT_STREQ(Await(kj::mv(status)).getStatus().getStatus().cStr(), "running");
  EXPECT_EQ(CodeOf(session.whoAmIRequest().send()), ErrorCode::kClosed);
  auto client = Connect();
  EXPECT_EQ(CodeOf(client->gate.anonymousRequest().send()), ErrorCode::kClosed);
}

}  // namespace
}  // namespace stele::server::rpc
