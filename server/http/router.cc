#include "server/http/router.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>
#include <utility>

#include "base/check.h"
#include "base/nearest.h"

namespace stele::server::http {
namespace {

std::vector<std::string_view> SegmentsOf(std::string_view pattern) {
  CHECK(pattern.starts_with('/'), "{}", pattern);
  std::vector<std::string_view> segments;
  pattern.remove_prefix(1);
  while (!pattern.empty()) {
    const size_t slash = std::min(pattern.find('/'), pattern.size());
    CHECK(slash > 0, "an empty segment");
    segments.push_back(pattern.substr(0, slash));
    CHECK(slash + 1 != pattern.size(), "a slash at the end");
    pattern.remove_prefix(std::min(slash + 1, pattern.size()));
  }
  return segments;
}

bool IsParameter(std::string_view segment) {
  return segment.starts_with('{');
}

bool IsRest(std::string_view segment) {
  return segment.starts_with('{') && segment.ends_with("*}");
}

std::string NameOf(std::string_view segment) {
  CHECK(segment.ends_with('}') && segment.size() > 2, "{}", segment);
  return std::string(segment.substr(1, segment.size() - (IsRest(segment) ? 3 : 2)));
}

std::string Joined(std::span<const std::string> segments) {
  return fmt::format("{}", fmt::join(segments, "/"));
}

}  // namespace

struct Router::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
  std::unique_ptr<Node> parameter;
  std::unique_ptr<Node> rest;
  std::map<Method, const Route*> routes;

  // The node of the segments from `at` on. Looks at each node of the tree at most once.
  const Node* Find(std::span<const std::string> segments, std::vector<std::string>& taken) const {
    if (segments.empty()) {
      if (!routes.empty()) return this;
    } else {
      if (const auto found = literals.find(segments[0]); found != literals.end())
        if (const Node* node = found->second->Find(segments.subspan(1), taken)) return node;
      if (parameter != nullptr) {
        taken.push_back(segments[0]);
        if (const Node* node = parameter->Find(segments.subspan(1), taken)) return node;
        taken.pop_back();
      }
    }
    if (rest == nullptr) return nullptr;
    taken.push_back(Joined(segments));
    return rest.get();
  }
};

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;

void Router::Add(Method method, std::string_view pattern, Handler handler, RouteOptions options) {
  Route& route = routes_.emplace_back(Route{.method = method,
                                            .pattern = std::string(pattern),
                                            .parameters = {},
                                            .handler = std::move(handler),
                                            .options = std::move(options)});
  Node* node = root_.get();
  bool at_end = false;
  for (const std::string_view segment : SegmentsOf(pattern)) {
    CHECK(!at_end, "segments behind the rest in {}", pattern);
    at_end = IsRest(segment);
    std::unique_ptr<Node>& next = IsRest(segment)        ? node->rest
                                  : IsParameter(segment) ? node->parameter
                                                         : node->literals[std::string(segment)];
    if (IsParameter(segment)) route.parameters.push_back(NameOf(segment));
    if (next == nullptr) next = std::make_unique<Node>();
    node = next.get();
  }
  CHECK(node->routes.emplace(method, &route).second, "{} {} is there twice", MethodName(method),
        pattern);
}

const Router::Node* Router::Find(const Target& target, std::vector<std::string>& taken) const {
  const Node* node = root_->Find(target.segments, taken);
  if (node == nullptr || !target.slash_at_end) return node;
  // Only a rest has room for the slash.
  const Route& any = *node->routes.begin()->second;
  if (!any.pattern.ends_with("*}")) return nullptr;
  taken.back() += taken.back().empty() ? "" : "/";
  return node;
}

std::expected<Router::Matched, Router::Unmatched> Router::Match(Method method,
                                                                const Target& target) const {
  std::vector<std::string> taken;
  const Node* node = Find(target, taken);
  if (node == nullptr) {
    const std::string near = NearestPath(target);
    return std::unexpected(Unmatched{
        Error{ErrorCode::kUnknownRoute,
              fmt::format("Expected the path of a resource but found \"{}\"{}", target.path,
                          near.empty() ? "" : fmt::format("; did you mean {}?", near))},
        {}});
  }
  auto found = node->routes.find(method);
  if (found == node->routes.end() && method == Method::kHead)
    found = node->routes.find(Method::kGet);
  if (found != node->routes.end()) {
    Matched matched{found->second, {}};
    for (size_t i = 0; i < taken.size(); ++i)
      matched.params.emplace(found->second->parameters[i], std::move(taken[i]));
    return matched;
  }
  std::vector<Method> allowed;
  for (const auto& [known, route] : node->routes) {
    allowed.push_back(known);
    if (known == Method::kGet && !node->routes.contains(Method::kHead))
      allowed.push_back(Method::kHead);
  }
  if (!node->routes.contains(Method::kOptions)) allowed.push_back(Method::kOptions);
  std::vector<std::string_view> names;
  for (const Method one : allowed) names.push_back(MethodName(one));
  return std::unexpected(
      Unmatched{Error{ErrorCode::kWrongMethod,
                      fmt::format("Expected {} for \"{}\" but found {}", fmt::join(names, ", "),
                                  target.path, MethodName(method))},
                std::move(allowed)});
}

std::string Router::NearestPath(const Target& target) const {
  const std::string wanted = "/" + Joined(target.segments);
  std::vector<std::string> known;
  for (const Route& route : routes_) {
    const std::vector<std::string_view> pattern = SegmentsOf(route.pattern);
    if (pattern.size() != target.segments.size()) continue;
    std::string path;
    for (size_t i = 0; i < pattern.size(); ++i)
      path += fmt::format("/{}", IsParameter(pattern[i]) ? target.segments[i] : pattern[i]);
    known.push_back(path.empty() ? "/" : std::move(path));
  }
  return Nearest(wanted, known);
}

}  // namespace stele::server::http
