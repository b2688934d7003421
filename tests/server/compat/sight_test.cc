// Every route of the table, asked by somebody who may not see a definition: whatever it answers,
// nothing of that definition is in it.
#include <gmock/gmock.h>

#include "server/compat/resources.h"
#include "tests/server/rest/rest_world.h"
#include "tests/server/support/guarded_world.h"

namespace stele::server::compat {
namespace {

using rest::Answered;
using rest::RestWorld;
using rest::Route;

// What may stand for a parameter of a path: whatever leads to something secret.
std::vector<std::string> Candidates(const std::string& name) {
  if (name == "definition" || name == "name") return {kGuarded};
  std::vector<std::string> candidates;
  for (int number = 1; number <= 6; ++number) {
    candidates.push_back(std::to_string(number));
    if (name == "task")
      for (int run = 1; run <= 3; ++run) candidates.push_back(fmt::format("{}-{}", number, run));
  }
  for (const char* id : {"ask_secret", "fail_secret"}) candidates.emplace_back(id);
  return candidates;
}

// The paths of a route with each candidate in each place.
std::vector<std::string> PathsOf(const std::string& pattern) {
  const size_t at = pattern.find('{');
  if (at == std::string::npos) return {pattern};
  const size_t end = pattern.find('}', at);
  std::vector<std::string> paths;
  for (const std::string& candidate : Candidates(pattern.substr(at + 1, end - at - 1)))
    for (std::string path : PathsOf(pattern.substr(0, at) + candidate + pattern.substr(end + 1)))
      paths.push_back(std::move(path));
  return paths;
}

// What the query may ask of a route to be told more.
std::vector<std::string> QueriesOf(const Route& route) {
  std::vector<std::string> queries{""};
  for (const rest::Parameter& parameter : route.parameters) {
    if (parameter.name == "definition" || parameter.name == "name")
      queries.push_back(fmt::format("?{}={}", parameter.name, kGuarded));
    if (parameter.kind == rest::Parameter::Kind::kNumber && parameter.name.ends_with("id"))
      queries.push_back(fmt::format("?{}=1", parameter.name));
    if (parameter.name == "limit") queries.emplace_back("?limit=1");
  }
  return queries;
}

class EveryRoute : public testing::Test {
 protected:
  EveryRoute() { BeginTelling(world_.served, 2); }

  // The ids of the routes that tell somebody of something secret.
  std::set<std::string> Telling(const Caller& caller) {
    std::set<std::string> telling;
    world_.who = caller;
    for (const rest::Resource& resource : world_.api().resources())
      for (const Route& route : resource.routes)
        if (route.method == http::Method::kGet && Tells(route)) telling.insert(route.id);
    return telling;
  }

  RestWorld world_{AllDialects};

 private:
  bool Tells(const Route& route) {
    for (const std::string& path : PathsOf("/" + rest::PathOf(route)))
      for (const std::string& query : QueriesOf(route)) {
        const Answered answered = world_.Ask(route.method, path + query);
        const bool refused = answered.status >= 400;
        // Whoever asks for something by its name may be told that name again.
        if (!refused && answered.body.contains("secret")) return true;
        if (refused && answered.body.contains("A secret")) return true;
      }
    return false;
  }
};

TEST_F(EveryRoute, TellsNothingOfWhatSomebodyMayNotSee) {
  EXPECT_THAT(Telling(ServedWorld::Somebody(Role::kOperator)), testing::IsEmpty());
  EXPECT_THAT(Telling(ServedWorld::Somebody(Role::kDeveloper)), testing::IsEmpty());
  EXPECT_THAT(Telling(ServedWorld::Somebody(Role::kViewer)), testing::IsEmpty());
}

// Else the walk would not come by what it is to find.
TEST_F(EveryRoute, TellsWhoMaySeeIt) {
  const std::set<std::string> telling = Telling(Ada());
  for (const char* id : {"listDefinitions", "getDefinition", "findInstances", "getInstance",
                         "findTasks", "listTriggers", "getTrigger", "listStatistics", "listErrors",
                         "getSteps", "getHistory", "listWorkflows", "getWorkflow",
                         "listProcessDefinitions", "findProcessInstances", "getFlows"})
    EXPECT_TRUE(telling.contains(id)) << id;
}

// That shows numbers alone.
TEST_F(EveryRoute, CountsWhatSomebodySees) {
  world_.who = ServedWorld::Somebody(Role::kOperator);
  EXPECT_EQ(world_.Get("/executions").at("executions").as_array().size(), 2u);
  world_.who = Ada();
  EXPECT_EQ(world_.Get("/executions").at("executions").as_array().size(), 4u);
}

}  // namespace
}  // namespace stele::server::compat
