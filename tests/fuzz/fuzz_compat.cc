// Any course of requests to the dialects of other engines, on a running engine: each is answered
// with what the table of routes says, and never with a fault of the server's own.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/check.h"
#include "server/compat/resources.h"
#include "tests/fuzz/request_script.h"
#include "tests/server/rest/rest_world.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace stele::server::compat {
namespace {

using fuzz::ScriptedRequest;

// Opening a store takes longer than many requests, so that an engine serves some inputs. All that
// it was asked stands in a file beside its data, itself an input, which a fault leaves behind.
constexpr int kInputsOfAWorld = 200;
constexpr size_t kMaxRequests = 40;
// Waits for the end of an instance are let go of.
constexpr kj::Duration kPatience = 200 * kj::MILLISECONDS;
constexpr int64_t kMaxWaitMs = 100'000'000;

class World {
 public:
  World() {
    rest_.patience = kPatience;
    asked_.open(rest_.served.data() + "/../asked", std::ios::binary);
  }
  void Run(const std::vector<ScriptedRequest>& script);

 private:
  void Ask(const ScriptedRequest& request);

  rest::RestWorld rest_{AllDialects};
  std::ofstream asked_;
};

std::optional<http::Method> MethodOf(std::string_view verb) {
  for (const http::Method method : {http::Method::kGet, http::Method::kPost, http::Method::kPut,
                                    http::Method::kPatch, http::Method::kDelete})
    if (http::MethodName(method) == verb) return method;
  return std::nullopt;
}

void World::Run(const std::vector<ScriptedRequest>& script) {
  size_t left = kMaxRequests;
  for (const ScriptedRequest& request : script) {
    if (left-- == 0) break;
    asked_ << fuzz::WriteScript({request}) << std::flush;
    Ask(request);
  }
  rest_.served.Settle();
}

void World::Ask(const ScriptedRequest& request) {
  const std::optional<http::Method> method = MethodOf(request.verb);
  if (!method.has_value()) {
    const int64_t ms = std::strtoll(request.target.c_str(), nullptr, 10);
    rest_.served.Advance(std::clamp<int64_t>(ms, 0, kMaxWaitMs) * 1000);
    return;
  }
  // As the service does before a handler is asked: a target begins with a slash.
  if (!request.target.starts_with('/')) return;
  const rest::Answered answered = rest_.Ask(*method, "/" + request.target, request.body);
  CHECK(answered.status < 500 || answered.status == 503, "{} {}: {} {}", request.verb,
        request.target, answered.status, answered.body);
  if (answered.content_type.ends_with("json")) {
    const auto parsed = ParseJson(answered.body, nullptr, kWrittenJson);
    CHECK(parsed.has_value(), "{} {}: {}", request.verb, request.target, answered.body);
  }
}

fuzz::Vocabulary MakeVocabulary() {
  fuzz::Vocabulary made;
  // Words of the dialects and of their notations that no schema names.
  made.members = {"steps",    "step_id",   "next",    "script",    "timeout",       "assignee",
                  "approved", "approvers", "command", "api_id",    "parameters",    "condition",
                  "async",    "cron",      "path",    "variables", "service_name",  "method",
                  "apis",     "branches",  "items",   "retry",     "min_approvers", "true_path"};
  made.words = {"admin",        "active",      "paused",     "draft",    "running",
                "completed",    "failed",      "schedule",   "webhook",  "event",
                "script",       "hang",        "fails",      "approval", "manual",
                "automated",    "START",       "END",        "API_CALL", "SCRIPT",
                "CONDITION",    "PARALLEL",    "LOOP",       "SEQUENCE", "CONDITIONAL_TRUE",
                "current_user", "user_task",   "custom",     "worker",   "CONDITIONAL_FALSE",
                "service_task", "0 2 * * *",   "/webhook/a", "POST",     "Asia/Shanghai",
                "30s",          "1-1",         "1.0",        "step1",    "step_id",
                "input.x > 1",  "{{input.x}}", "rejected",   "demo",     "orders"};
  rest::RestWorld world([&made](const Operations& operations) {
    std::vector<rest::Resource> dialects = AllDialects(operations);
    std::set<std::string> members;
    for (const rest::Resource& resource : dialects) {
      for (const rest::Component& component : resource.components)
        for (const rest::ShapeMember& member : component.members)
          members.insert(member.name.substr(0, member.name.find('?')));
      for (const rest::Route& route : resource.routes) {
        fuzz::Vocabulary::Route& added = made.routes.emplace_back();
        added.verb = http::MethodName(route.method);
        added.pattern = rest::PathOf(route);
        for (const rest::Parameter& parameter : route.parameters)
          added.parameters.push_back(parameter.name);
      }
    }
    made.members.insert(made.members.end(), members.begin(), members.end());
    return dialects;
  });
  return made;
}

const fuzz::Vocabulary& Words() {
  static const auto* words = new fuzz::Vocabulary(MakeVocabulary());
  return *words;
}

void Try(std::string_view text) {
  // A failed expectation of the world is a fault, too.
  GTEST_FLAG_SET(break_on_failure, true);
  // There may be one world at a time, and the words need one.
  static_cast<void>(Words());
  // It goes with the thread, before what the store keeps of the thread, which is there by now.
  thread_local std::unique_ptr<World> world;
  thread_local int inputs = 0;
  if (inputs++ % kInputsOfAWorld == 0) {
    world.reset();
    world = std::make_unique<World>();
  }
  world->Run(fuzz::ReadScript(text));
}

}  // namespace
}  // namespace stele::server::compat

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  stele::server::compat::Try({reinterpret_cast<const char*>(data), size});
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  if (seed % 8 == 0) return LLVMFuzzerMutate(data, size, max_size);
  auto script = stele::fuzz::ReadScript({reinterpret_cast<const char*>(data), size});
  stele::fuzz::ScriptMutator(stele::server::compat::Words(), seed).Mutate(script);
  const std::string text = stele::fuzz::WriteScript(script);
  if (text.size() > max_size) return size;
  std::copy(text.begin(), text.end(), data);
  return text.size();
}
