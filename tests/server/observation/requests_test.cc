#include "server/observation/requests.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "server/observation/limits.h"
#include "tests/server/observation/scrape.h"

namespace stele::server {
namespace {

Scrape Written(const RequestFigures& requests) {
  Families families;
  requests.AddTo(families);
  return Scrape::Of(WriteFamilies(families));
}

TEST(RequestFigures, AreByRouteMethodAndStatus) {
  RequestFigures requests;
  for (int i = 0; i < 3; ++i)
    requests.Count({.method = "GET", .route = "/api/v1/instances/{id}", .status = 200});
  requests.Count({.method = "GET", .route = "/api/v1/instances/{id}", .status = 404});
  const Scrape scrape = Written(requests);
  EXPECT_EQ(
      scrape.Value("stele_http_requests_total",
                   {{"method", "GET"}, {"route", "/api/v1/instances/{id}"}, {"status", "200"}}),
      3);
  EXPECT_EQ(scrape.Value("stele_http_requests_total", {{"status", "404"}}), 1);
}

TEST(RequestFigures, KeepNothingOfWhatMatchedNoRoute) {
  RequestFigures requests;
  requests.Count({.method = "GET", .route = "", .path = "/secret-of-mine", .status = 404});
  Families families;
  requests.AddTo(families);
  const std::string text = WriteFamilies(families);
  EXPECT_EQ(text.find("secret"), std::string::npos);
  EXPECT_EQ(Scrape::Of(text).Value("stele_http_requests_total", {{"route", "none"}}), 1);
}

TEST(RequestFigures, HaveDurationsAndBytes) {
  RequestFigures requests;
  requests.Count({.method = "PUT",
                  .route = "/a",
                  .status = 204,
                  .bytes_in = 5,
                  .bytes_out = 7,
                  .duration_us = 30'000});
  const Scrape scrape = Written(requests);
  EXPECT_EQ(scrape.Value("stele_http_request_duration_seconds_bucket", {{"le", "0.05"}}), 1);
  EXPECT_EQ(scrape.Value("stele_http_request_duration_seconds_bucket", {{"le", "0.025"}}), 0);
  EXPECT_DOUBLE_EQ(scrape.Value("api_request_duration_sum"), 0.03);
  EXPECT_EQ(scrape.Value("stele_http_received_bytes_total"), 5);
  EXPECT_EQ(scrape.Value("stele_http_sent_bytes_total"), 7);
}

TEST(RequestFigures, AreBounded) {
  RequestFigures requests;
  for (size_t i = 0; i < kMaxRequestKinds + 10; ++i)
    requests.Count({.method = "GET", .route = fmt::format("/{}", i), .status = 503});
  const Scrape scrape = Written(requests);
  EXPECT_EQ(scrape.Value("stele_http_requests_total", {{"route", "other"}, {"status", "500"}}), 10);
  EXPECT_EQ(scrape.Value("api_request_duration_count"), kMaxRequestKinds + 10);
}

}  // namespace
}  // namespace stele::server
