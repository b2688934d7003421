#include "tests/server/observation/scrape.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <sstream>
#include <utility>

namespace stele::server {

Scrape Scrape::Of(const std::string& text) {
  static const std::regex kLine(R"(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(.*)\})? ([-+0-9.eEInfNa]+))");
  static const std::regex kLabel(R"re(([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)",?)re");
  Scrape scrape;
  std::set<std::pair<std::string, std::map<std::string, std::string>>> seen;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# TYPE ")) {
      std::istringstream words(line.substr(7));
      std::string name;
      std::string type;
      words >> name >> type;
      EXPECT_TRUE(scrape.types.emplace(name, type).second) << name << " occurs twice";
      continue;
    }
    if (line.starts_with("# HELP ")) continue;
    std::smatch match;
    if (!std::regex_match(line, match, kLine)) {
      ADD_FAILURE() << "no line of the format: " << line;
      continue;
    }
    Series series{.name = match[1], .labels = {}, .value = std::stod(match[4])};
    const std::string labels = match[3];
    for (std::sregex_iterator label(labels.begin(), labels.end(), kLabel), end; label != end;
         ++label)
      series.labels[(*label)[1]] = (*label)[2];
    EXPECT_TRUE(seen.emplace(series.name, series.labels).second) << "occurs twice: " << line;
    scrape.series.push_back(std::move(series));
  }
  return scrape;
}

double Scrape::Value(const std::string& name,
                     const std::map<std::string, std::string>& labels) const {
  double value = 0;
  int found = 0;
  for (const Series& one : series) {
    if (one.name != name) continue;
    if (!std::ranges::all_of(labels, [&](const auto& label) {
          const auto own = one.labels.find(label.first);
          return own != one.labels.end() && own->second == label.second;
        }))
      continue;
    value = one.value;
    ++found;
  }
  EXPECT_EQ(found, 1) << "series of " << name;
  return value;
}

bool Scrape::Has(const std::string& name) const {
  return std::ranges::any_of(series, [&](const Series& one) { return one.name == name; });
}

std::map<std::string, std::set<std::string>> Scrape::Labels() const {
  std::map<std::string, std::set<std::string>> names;
  for (const Series& one : series) {
    std::set<std::string>& labels = names[one.name];
    for (const auto& [label, value] : one.labels) labels.insert(label);
  }
  return names;
}

}  // namespace stele::server
