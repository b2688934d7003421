#include "server/observation/requests.h"

#include <fmt/format.h>

#include "server/observation/limits.h"

namespace stele::server {

void RequestFigures::Count(const http::AccessRecord& record) {
  // What matched no route, or was no request at all, is "none": paths of strangers are not kept.
  std::string route(record.route.empty() ? "none" : record.route);
  Kind kind(record.method.empty() ? "none" : record.method, route, record.status);
  if (!counts_.contains(kind) && counts_.size() >= kMaxRequestKinds) {
    route = kOtherSeries;
    kind = Kind(kOtherSeries, kOtherSeries, record.status / 100 * 100);
  }
  ++counts_[kind];
  durations_.try_emplace(route, RequestBounds()).first->second.Add(record.duration_us);
  all_.Add(record.duration_us);
  bytes_in_ += record.bytes_in;
  bytes_out_ += record.bytes_out;
}

void RequestFigures::AddTo(Families& families) const {
  constexpr const char* kRequests = "Requests that were answered, by route; 499: the client went.";
  MetricFamily requests = CounterFamily("stele_http_requests_total", kRequests);
  MetricFamily also_requests = CounterFamily("http_requests_total", kRequests);
  for (const auto& [kind, count] : counts_) {
    const auto& [method, route, status] = kind;
    const MetricLabels labels{
        {"method", method}, {"route", route}, {"status", fmt::format("{}", status)}};
    AddValue(requests, static_cast<double>(count), labels);
    AddValue(also_requests, static_cast<double>(count), labels);
  }
  MetricFamily durations =
      HistogramFamily("stele_http_request_duration_seconds", "From a request's head to its end.");
  for (const auto& [route, taken] : durations_) AddDurations(durations, taken, {{"route", route}});
  MetricFamily all = HistogramFamily("api_request_duration", "The same of all routes, in seconds.");
  AddDurations(all, all_);
  families.push_back(std::move(requests));
  families.push_back(std::move(also_requests));
  families.push_back(std::move(durations));
  families.push_back(std::move(all));
  families.push_back(OneCounter("stele_http_received_bytes_total", "Of bodies of requests.",
                                static_cast<double>(bytes_in_)));
  families.push_back(OneCounter("stele_http_sent_bytes_total", "Of bodies of responses.",
                                static_cast<double>(bytes_out_)));
}

}  // namespace stele::server
