// Sends the requests that docs/server.md shows, in its order, and compares what is answered now
// with what the page says. The clock of the engine stands still, so that times are the same too.
#include <fstream>
#include <sstream>

#include "tests/server/rest/rest_world.h"

namespace stele::server::rest {
namespace {

// ```http
// POST /api/v1/instances
// body
//
// 201
// answer
// ```
struct Exchange {
  http::Method method = http::Method::kGet;
  std::string target;
  std::string body;
  int status = 0;
  std::string answer;
};

std::string ReadPage() {
  std::ifstream file(STELE_SOURCE_DIR "/docs/server.md");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

http::Method MethodOf(const std::string& name) {
  for (const http::Method method :
       {http::Method::kPost, http::Method::kPut, http::Method::kDelete, http::Method::kGet})
    if (http::MethodName(method) == name) return method;
  ADD_FAILURE() << "no method " << name;
  return http::Method::kGet;
}

Exchange ParseExchange(const std::string& block) {
  std::istringstream lines(block);
  Exchange exchange;
  std::string method;
  std::string line;
  lines >> method >> exchange.target;
  exchange.method = MethodOf(method);
  std::getline(lines, line);
  while (std::getline(lines, line) && !line.empty()) exchange.body += line + "\n";
  lines >> exchange.status;
  std::getline(lines, line);
  while (std::getline(lines, line)) exchange.answer += line + "\n";
  return exchange;
}

std::vector<Exchange> ExchangesOf(const std::string& page) {
  std::vector<Exchange> exchanges;
  const std::string fence = "```http\n";
  for (size_t at = page.find(fence); at != std::string::npos; at = page.find(fence, at)) {
    at += fence.size();
    const size_t end = page.find("```", at);
    exchanges.push_back(ParseExchange(page.substr(at, end - at)));
    at = end;
  }
  return exchanges;
}

TEST(ServerPage, ShowsWhatIsAnswered) {
  RestWorld world;
  const std::vector<Exchange> exchanges = ExchangesOf(ReadPage());
  EXPECT_GE(exchanges.size(), 8u);
  for (const Exchange& exchange : exchanges) {
    SCOPED_TRACE(exchange.target);
    const bool is_yaml = !exchange.body.empty() && exchange.body.front() != '{';
    world.served.CatchUp();
    const Answered answered =
        world.Ask(exchange.method, exchange.target.substr(kPrefix.size()), exchange.body,
                  {{"Content-Type", is_yaml ? "application/yaml" : "application/json"}});
    EXPECT_EQ(answered.status, exchange.status) << answered.body;
    const Result<Value> shown = ParseJson(exchange.answer);
    ASSERT_TRUE(shown.has_value()) << shown.error().message << "\n" << ToPrettyJson(answered.json);
    EXPECT_EQ(answered.json, *shown) << "it is\n" << ToPrettyJson(answered.json);
  }
}

}  // namespace
}  // namespace stele::server::rest
