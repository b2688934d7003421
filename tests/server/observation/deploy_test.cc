// The dashboard and the alerts ask for nothing that a server does not tell, and the page names all
// that it tells.
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "base/json.h"
#include "tests/server/observation/observed_world.h"

namespace stele::server {
namespace {

std::string ReadText(const std::string& path) {
  const std::ifstream file(STELE_SOURCE_DIR "/" + path);
  EXPECT_TRUE(file) << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> DashboardQueries() {
  const auto dashboard = ParseJson(ReadText("deploy/grafana/stele.json"));
  EXPECT_TRUE(dashboard.has_value());
  std::vector<std::string> queries;
  for (const Value& panel : dashboard->Find("panels")->as_array())
    if (const Value* targets = panel.Find("targets"); targets != nullptr)
      for (const Value& target : targets->as_array())
        queries.push_back(target.Find("expr")->as_string());
  return queries;
}

std::vector<std::string> AlertQueries() {
  std::vector<std::string> queries;
  for (const YAML::Node& group :
       YAML::Load(ReadText("deploy/prometheus/stele-alerts.yml"))["groups"])
    for (const YAML::Node& rule : group["rules"]) queries.push_back(rule["expr"].as<std::string>());
  return queries;
}

using Names = std::map<std::string, std::set<std::string>>;

// What a server that has worked tells: the names, and the labels of each.
Names Told() {
  ObservedWorld world;
  world.Work();
  world.requests.Count({.method = "GET", .route = "/metrics", .status = 200});
  Scrape scrape = world.Read();
  Names names = scrape.Labels();
  // Families that have no series here, since there is no worker and no trigger.
  for (const auto& [family, type] : scrape.types) names.try_emplace(family);
  names["stele_workers_of_type"] = {"type"};
  names["stele_worker_tasks_leased"] = {"type"};
  return names;
}

// What is wrong with a query: names and labels that are not told of.
std::string FaultOf(std::string query, const Names& told) {
  static const std::set<std::string> kWords = {
      "sum", "rate", "topk", "histogram_quantile", "unless", "and", "or", "by", "on"};
  static const std::regex kGrouping(R"(\b(?:by|on)\s*\(([^)]*)\))");
  static const std::regex kTime(R"(\[[^\]]*\])");
  static const std::regex kSelector(R"(([a-zA-Z_]\w*)\{([^}]*)\})");
  static const std::regex kLabel(R"((\w+)\s*=?[=~!])");
  static const std::regex kName(R"([a-zA-Z_]\w*)");
  std::string fault;
  std::set<std::string> wanted;
  std::set<std::string> had = {"instance", "job"};
  for (std::sregex_iterator at(query.begin(), query.end(), kGrouping), end; at != end; ++at) {
    const std::string labels = (*at)[1];
    for (std::sregex_iterator label(labels.begin(), labels.end(), kName); label != end; ++label)
      wanted.insert(label->str());
  }
  for (std::sregex_iterator at(query.begin(), query.end(), kSelector), end; at != end; ++at) {
    const std::string labels = (*at)[2];
    const auto of = told.find((*at)[1]);
    for (std::sregex_iterator label(labels.begin(), labels.end(), kLabel); label != end; ++label)
      if (of != told.end() && !of->second.contains((*label)[1]))
        fault += " no label " + (*label)[1].str();
  }
  query = std::regex_replace(query, kGrouping, " ");
  query = std::regex_replace(query, kTime, " ");
  query = std::regex_replace(query, kSelector, "$1");
  for (std::sregex_iterator name(query.begin(), query.end(), kName), end; name != end; ++name) {
    if (kWords.contains(name->str())) continue;
    const auto found = told.find(name->str());
    if (found == told.end()) {
      fault += " no metric " + name->str();
    } else {
      had.insert(found->second.begin(), found->second.end());
    }
  }
  for (const std::string& label : wanted)
    if (!had.contains(label)) fault += " no label " + label;
  return fault;
}

TEST(Deploy, AsksForWhatIsTold) {
  const Names told = Told();
  for (const auto& queries : {DashboardQueries(), AlertQueries()}) {
    EXPECT_GT(queries.size(), 8u);
    for (const std::string& query : queries) EXPECT_EQ(FaultOf(query, told), "") << query;
  }
}

TEST(Deploy, HasNoQueryThatTheCheckWouldMiss) {
  const Names told{{"a_total", {"kind"}}};
  EXPECT_EQ(FaultOf("sum by (kind) (rate(a_total{kind=~\"5..\"}[5m])) > 0.1", told), "");
  EXPECT_EQ(FaultOf("rate(b_total[5m])", told), " no metric b_total");
  EXPECT_EQ(FaultOf("a_total{sort=\"x\"}", told), " no label sort");
  EXPECT_EQ(FaultOf("sum by (sort) (a_total)", told), " no label sort");
}

TEST(Page, NamesEveryMetric) {
  const std::string page = ReadText("docs/observation.md");
  ObservedWorld world;
  world.Work();
  const Scrape scrape = world.Read();
  for (const auto& [family, type] : scrape.types) {
    const std::string row = "| `" + family + "` | " + type + " |";
    EXPECT_NE(page.find(row), std::string::npos) << "the page has no row that begins " << row;
  }
}

}  // namespace
}  // namespace stele::server
