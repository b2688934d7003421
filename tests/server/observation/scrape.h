// The text format of Prometheus, read back line by line.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace stele::server {

struct Series {
  std::string name;
  std::map<std::string, std::string> labels;
  double value = 0;
};

struct Scrape {
  std::vector<Series> series;
  std::map<std::string, std::string> types;  // by family

  // Fails the test where a line is none of the format.
  static Scrape Of(const std::string& text);

  // The value of the one series of that name with these labels, and perhaps others; a failure of
  // the test when there is none, or more than one.
  double Value(const std::string& name,
               const std::map<std::string, std::string>& labels = {}) const;
  bool Has(const std::string& name) const;
  // All names, those of histograms with their endings, and the labels that each has.
  std::map<std::string, std::set<std::string>> Labels() const;
};

}  // namespace stele::server
