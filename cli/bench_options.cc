#include "cli/bench_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "cli/given.h"
#include "cli/remote/credentials.h"
#include "cli/remote/server_option.h"

namespace stele::cli {

namespace {

constexpr int64_t kDurationUs = 10'000'000;
constexpr int64_t kWarmUpUs = 2'000'000;
constexpr int64_t kMaxRate = 10'000'000;
constexpr int64_t kMaxInFlight = 1'000'000;
constexpr int64_t kMaxConnections = 20'000;
constexpr int64_t kMaxWorkers = 1'000;
constexpr int64_t kMaxCount = 1'000'000'000;

// What is under way at once, and how many connections there are, when nobody says.
struct Defaults {
  Scenario scenario;
  std::string_view name;
  uint64_t in_flight;
  size_t connections;
};
constexpr std::array kScenarios = {
    Defaults{Scenario::kStart, "start", 1'024, 16},
    Defaults{Scenario::kComplete, "complete", 1, 1},
    Defaults{Scenario::kWorker, "worker", 256, 4},
    Defaults{Scenario::kSubscribers, "subscribers", 1, 10'000},
    Defaults{Scenario::kSync, "sync", 1, 1},
};

const Defaults& DefaultsOf(Scenario scenario) {
  return *std::ranges::find(kScenarios, scenario, &Defaults::scenario);
}

Result<Scenario> ScenarioOf(const std::string& word) {
  const auto found = std::ranges::find(kScenarios, word, &Defaults::name);
  if (found != kScenarios.end()) return found->scenario;
  std::vector<std::string_view> names;
  for (const Defaults& scenario : kScenarios) names.push_back(scenario.name);
  return Fail(ErrorCode::kUsage,
              fmt::format("Expected one of {} but found \"{}\"", fmt::join(names, ", "), word));
}

// The first of `options` that was given is one too many.
Status RefuseEach(const Arguments& arguments, std::initializer_list<std::string_view> options,
                  std::string_view where) {
  for (const std::string_view option : options)
    if (arguments.Has(option))
      return Fail(ErrorCode::kUsage, fmt::format("Expected no {} {} but found one", option, where));
  return {};
}

Status CheckTogether(const Arguments& arguments, const BenchOptions& options) {
  if (arguments.Has("--rate"))
    STELE_RETURN_IF_ERROR(RefuseEach(arguments, {"--in-flight"}, "beside --rate"));
  if (arguments.Has("--count"))
    STELE_RETURN_IF_ERROR(RefuseEach(arguments, {"--duration", "--warm-up"}, "beside --count"));
  if (options.scenario != Scenario::kWorker)
    STELE_RETURN_IF_ERROR(RefuseEach(arguments, {"--workers"}, "but for the scenario worker"));
  if (options.scenario == Scenario::kSync)
    return RefuseEach(arguments,
                      {"--server", "--over", "--connections", "--rate", "--in-flight", "--warm-up"},
                      "for the scenario sync, which has the disk alone");
  if (options.scenario == Scenario::kSubscribers)
    STELE_RETURN_IF_ERROR(
        RefuseEach(arguments, {"--rate", "--in-flight", "--duration", "--warm-up", "--count"},
                   "for the scenario subscribers"));
  if (options.target == BenchTarget::kEmbedded)
    return RefuseEach(arguments, {"--connections", "--workers"}, "without a server");
  return {};
}

// What is said here counts before STELE_SERVER, which says nothing of a disk.
Result<BenchTarget> TargetOf(const Arguments& arguments, Scenario scenario) {
  if (arguments.Has("--server"))
    STELE_RETURN_IF_ERROR(RefuseEach(arguments, {"--over", "--data"}, "beside --server"));
  const std::string over = arguments.Get("--over");
  if (over.empty() && scenario != Scenario::kSync && IsForServer(arguments))
    return BenchTarget::kServer;
  if (over == "rpc" || (over.empty() && scenario == Scenario::kSubscribers))
    return BenchTarget::kOwnServer;
  if (scenario == Scenario::kSubscribers)
    return Fail(ErrorCode::kUsage,
                fmt::format("Expected a server for the scenario subscribers, --server or --over "
                            "rpc, but found --over {}",
                            over));
  if (over.empty() || over == "embedded") return BenchTarget::kEmbedded;
  return Fail(ErrorCode::kUsage,
              fmt::format("Expected --over embedded or rpc but found \"{}\"", over));
}

Result<load::ServerAddress> ServerAddressOf(const Arguments& arguments) {
  const auto server = ServerOf(arguments);
  if (!server.has_value()) return std::unexpected(server.error());
  const auto token = TokenFor(arguments, *server);
  if (!token.has_value()) return std::unexpected(token.error());
  if (!token->empty()) STELE_RETURN_IF_ERROR(CheckMayHoldSecrets(arguments, *server));
  return load::ServerAddress{.address = AddressOf(*server),
                             .token = *token,
                             .tls = WantsTls(arguments, *server),
                             .ca_file = arguments.Get("--tls-ca"),
                             .certificate_file = arguments.Get("--tls-certificate"),
                             .key_file = arguments.Get("--tls-key")};
}

Result<load::Plan> PlanOf(const Arguments& arguments, Scenario scenario) {
  const auto rate = GivenNumber(arguments, "--rate", 1, kMaxRate);
  if (!rate.has_value()) return std::unexpected(rate.error());
  const auto in_flight = GivenNumber(arguments, "--in-flight", 1, kMaxInFlight);
  if (!in_flight.has_value()) return std::unexpected(in_flight.error());
  const auto count = GivenNumber(arguments, "--count", 1, kMaxCount);
  if (!count.has_value()) return std::unexpected(count.error());
  const auto duration = GivenDuration(arguments, "--duration");
  if (!duration.has_value()) return std::unexpected(duration.error());
  const auto warm_up = GivenDuration(arguments, "--warm-up", /*least_us=*/0);
  if (!warm_up.has_value()) return std::unexpected(warm_up.error());
  return load::Plan{.rate = static_cast<double>(rate->value_or(0)),
                    .in_flight = in_flight->has_value() ? static_cast<uint64_t>(**in_flight)
                                                        : DefaultsOf(scenario).in_flight,
                    .warm_up_us = warm_up->value_or(kWarmUpUs),
                    .duration_us = duration->value_or(kDurationUs),
                    .count = static_cast<uint64_t>(count->value_or(0))};
}

}  // namespace

std::string_view NameOf(Scenario scenario) {
  return DefaultsOf(scenario).name;
}

std::string_view NameOf(BenchTarget target) {
  switch (target) {
    case BenchTarget::kEmbedded:
      return "embedded";
    case BenchTarget::kOwnServer:
      return "rpc";
    case BenchTarget::kServer:
      return "server";
  }
  return "";
}

load::Work BenchOptions::work() const {
  return {.with_tasks = scenario == Scenario::kWorker,
          .until_end = scenario == Scenario::kComplete || scenario == Scenario::kWorker};
}

Result<BenchOptions> ReadBenchOptions(const Arguments& arguments) {
  const auto scenario = ScenarioOf(arguments.operands().front());
  if (!scenario.has_value()) return std::unexpected(scenario.error());
  const auto target = TargetOf(arguments, *scenario);
  if (!target.has_value()) return std::unexpected(target.error());
  const auto plan = PlanOf(arguments, *scenario);
  if (!plan.has_value()) return std::unexpected(plan.error());
  const auto connections = GivenNumber(arguments, "--connections", 1, kMaxConnections);
  if (!connections.has_value()) return std::unexpected(connections.error());
  const auto workers = GivenNumber(arguments, "--workers", 1, kMaxWorkers);
  if (!workers.has_value()) return std::unexpected(workers.error());
  BenchOptions options{.scenario = *scenario,
                       .target = *target,
                       .data = arguments.Get("--data"),
                       .server = {},
                       .plan = *plan,
                       .connections = connections->has_value() ? static_cast<size_t>(**connections)
                                                               : DefaultsOf(*scenario).connections,
                       .workers = static_cast<size_t>(workers->value_or(1)),
                       .json = arguments.Has("--json"),
                       .quiet = arguments.Has("--quiet")};
  STELE_RETURN_IF_ERROR(CheckTogether(arguments, options));
  if (*target == BenchTarget::kServer) {
    auto server = ServerAddressOf(arguments);
    if (!server.has_value()) return std::unexpected(server.error());
    options.server = *std::move(server);
  }
  return options;
}

}  // namespace stele::cli
