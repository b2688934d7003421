// Who may ask for what: every route that an edge serves, by nobody and by each role.
#include <gmock/gmock.h>

#include <set>

#include "server/edge/served_resources.h"
#include "tests/server/rest/rest_world.h"

namespace stele::server {
namespace {

using rest::Answer;
using rest::Answered;
using rest::Resource;
using rest::RestWorld;
using rest::Route;

// Of an edge that asks for names.
class EdgeWorld {
 public:
  EdgeWorld() = default;
  EdgeWorld(const EdgeWorld&) = delete;
  EdgeWorld& operator=(const EdgeWorld&) = delete;
  ~EdgeWorld() { parts_.reset(); }

 private:
  struct Parts {
    explicit Parts(Desk& to) : desk(to) { health.Begin(); }

    Desk& desk;
    Denials denials{desk};
    Accounts accounts;
    Authenticator authenticator{
        Authenticator::Create(accounts, SigningKey::Own(std::string(32, 'k')).value(), KeySet(),
                              *desk.engine().clock, SystemRandom(),
                              {.passwords = PasswordLimits::Least()})
            .value()};
    Logins logins{desk, denials, accounts, authenticator, SystemRandom(), PasswordLimits::Least()};
    alerts::Alerts alerts{desk, [](const std::string&, const std::string&) {}};
    Figures figures{desk, nullptr, nullptr};
    Health health{desk, figures};
  };

  // They go before the engine that they stand on.
  std::optional<Parts> parts_;

 public:
  RestWorld rest{[this](const Operations& operations) {
    parts_.emplace(operations.desk);
    return ServedResources(operations, {.logins = &parts_->logins,
                                        .alerts = parts_->alerts,
                                        .figures = parts_->figures,
                                        .health = parts_->health});
  }};
};

// A path of the route that is well-formed, of things that are not there.
std::string SomePath(const Route& route) {
  std::string path = rest::PathOf(route);
  for (size_t at = path.find('{'); at != std::string::npos; at = path.find('{')) {
    const size_t end = path.find('}', at);
    const std::string name = path.substr(at + 1, end - at - 1);
    const bool is_number = name == "id" || name == "trigger" || name == "version";
    path.replace(at, end - at + 1, is_number ? "77" : name == "task" ? "77-1" : "nothing");
  }
  return "/" + path;
}

// Of whoever is known: their own session.
const std::set<std::string> kOfEverybody{"refresh", "logout", "changePassword", "me"};

template <class Visit>
void ForEachRoute(RestWorld& world, Visit visit) {
  for (const Resource& resource : world.api().resources())
    for (const Route& route : resource.routes) visit(route);
}

TEST(Access, NobodyIsAskedForANameAlone) {
  EdgeWorld served;
  RestWorld& world = served.rest;
  world.who.reset();
  ForEachRoute(world, [&](const Route& route) {
    const Answered answered = world.Ask(route.method, SomePath(route), "{}");
    EXPECT_EQ(answered.status == 401, !route.anybody) << route.id << ": " << answered.body;
  });
}

TEST(Access, ARoleMayWhatTheTableSays) {
  EdgeWorld served;
  RestWorld& world = served.rest;
  for (size_t i = 0; i < kRoles; ++i) {
    const auto role = static_cast<Role>(i);
    world.who = ServedWorld::Somebody(role);
    ForEachRoute(world, [&](const Route& route) {
      if (route.anybody) return;
      EXPECT_EQ(route.permission.has_value(), !kOfEverybody.contains(route.id)) << route.id;
      const bool may = !route.permission.has_value() || MayDo(role, *route.permission);
      const Answered answered = world.Ask(route.method, SomePath(route), "{}");
      EXPECT_EQ(answered.status == 403, !may)
          << route.id << " as " << RoleName(role) << ": " << answered.body;
    });
  }
}

// Of each part that an edge puts together one route, so that the walks above cannot have missed it.
TEST(Access, TheWalkGoesByAllThatIsServed) {
  EdgeWorld served;
  std::set<std::string> ids;
  ForEachRoute(served.rest, [&](const Route& route) { ids.insert(route.id); });
  for (const char* id : {"startInstance", "login", "putUser", "setAlert", "getMetrics",
                         "replaceTrigger", "listProcessDefinitions", "createFlow", "executeGraph"})
    EXPECT_TRUE(ids.contains(id)) << id;
}

TEST(Access, WhoMustChangeThePasswordMayDoNothingElse) {
  EdgeWorld served;
  RestWorld& world = served.rest;
  world.who->must_change_password = true;
  EXPECT_EQ(world.Refusal(403, world.Get("/instances")), "STL1002");
}

TEST(Access, ADeniedAttemptIsTold) {
  EdgeWorld served;
  RestWorld& world = served.rest;
  int denied = 0;
  world.served.desk().WatchDenied(
      [&](const Caller& caller, Permission permission, const Desk::Target&) {
        EXPECT_EQ(caller.name, "viewer");
        EXPECT_EQ(permission, Permission::kStart);
        ++denied;
      });
  world.who = ServedWorld::Somebody(Role::kViewer);
  EXPECT_EQ(world.Refusal(403, world.Post("/instances", "no JSON at all")), "STL1002");
  EXPECT_EQ(denied, 1);
}

TEST(Access, UnknownPathsAndMethodsAreNamed) {
  EdgeWorld served;
  RestWorld& world = served.rest;
  EXPECT_EQ(world.Refusal(404, world.Get("/instance")), "STL1007");
  EXPECT_EQ(world.Refusal(405, world.Ask(http::Method::kPut, "/instances")), "STL0902");
}

TEST(OpenApi, HasEveryRouteAndEverySchema) {
  EdgeWorld served;
  RestWorld& world = served.rest;
  world.who.reset();
  const Answered document = world.Get("/openapi.json");
  ASSERT_EQ(document.status, 200);
  EXPECT_EQ(document.text("openapi"), "3.1.0");
  std::set<std::string> ids;
  ForEachRoute(world, [&](const Route& route) {
    std::string path = rest::PathOf(route);
    std::erase(path, '*');
    const Value* item = document.at("paths").Find(path);
    ASSERT_NE(item, nullptr) << path;
    std::string method(http::MethodName(route.method));
    std::ranges::transform(method, method.begin(), [](unsigned char c) { return std::tolower(c); });
    const Value* operation = item->Find(method);
    ASSERT_NE(operation, nullptr) << path;
    EXPECT_EQ(*operation->Find("operationId"), Value(route.id));
    EXPECT_TRUE(ids.insert(route.id).second) << "two routes are called " << route.id;
    EXPECT_FALSE(route.summary.empty()) << route.id;
    EXPECT_FALSE(route.answers.empty()) << route.id;
    for (const Answer& answer : route.answers)
      if (!answer.type.empty()) world.api().schemas().Compile(answer.type);
  });
  EXPECT_EQ(world.router().routes().size(), ids.size() + 1);
}

// Every "$ref" of the document leads somewhere.
void CheckReferences(const Value& value, const Value& schemas) {
  if (value.is_array())
    for (const Value& inner : value.as_array()) CheckReferences(inner, schemas);
  if (!value.is_object()) return;
  for (const Member& member : value.as_object()) {
    if (member.key == "$ref") {
      const std::string name = member.value.as_string().substr(21);
      EXPECT_NE(schemas.Find(name), nullptr) << member.value.as_string();
    } else {
      CheckReferences(member.value, schemas);
    }
  }
}

TEST(OpenApi, ItsReferencesLeadSomewhere) {
  EdgeWorld served;
  RestWorld& world = served.rest;
  const Answered document = world.Get("/openapi.json");
  CheckReferences(document.json, document.at("components/schemas"));
}

}  // namespace
}  // namespace stele::server
