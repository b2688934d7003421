#include "cli/bench_report.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "cli/load/limits.h"
#include "cli/text.h"

namespace stele::cli {

namespace {

using projections::Histogram;
using Rows = std::vector<std::vector<std::string>>;

constexpr double kMiB = 1024.0 * 1024.0;

struct Quantile {
  std::string_view text;
  std::string_view json;
  uint32_t permille;
};
constexpr Quantile kQuantiles[] = {
    {"p50", "p50", 500}, {"p90", "p90", 900}, {"p99", "p99", 990}, {"p99.9", "p99_9", 999}};

double Milliseconds(int64_t microseconds) {
  return static_cast<double>(microseconds) / 1e3;
}

// "1,234,567"
std::string Grouped(double value) {
  std::string digits = fmt::format("{:.0f}", value);
  for (size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
  return digits;
}

double PerSecond(uint64_t number, int64_t within_us) {
  return within_us > 0 ? static_cast<double>(number) * 1e6 / static_cast<double>(within_us) : 0;
}

std::string TimesOf(const Histogram& times_us) {
  std::string text;
  for (const Quantile& quantile : kQuantiles)
    text += fmt::format("{} {:.3f} ms   ", quantile.text,
                        Milliseconds(times_us.Percentile(quantile.permille)));
  return text + fmt::format("max {:.3f} ms", Milliseconds(times_us.max()));
}

Object TimesToJson(const Histogram& times_us) {
  Object times{{"count", static_cast<int64_t>(times_us.count())}};
  for (const Quantile& quantile : kQuantiles)
    times.Set(quantile.json, Milliseconds(times_us.Percentile(quantile.permille)));
  times.Set("max", Milliseconds(times_us.max()));
  return times;
}

constexpr std::string_view kBlock = "4 KiB appended and synced";
constexpr std::string_view kRecord = "128 bytes synced into room made beforehand, as the log does";

std::string Beside(std::string_view what, const Histogram& before_us, const Histogram& after_us) {
  return fmt::format(
      "{}: p50 {:.3f} ms before, {:.3f} ms behind; p99 {:.3f} ms, {:.3f} ms", what,
      Milliseconds(before_us.Percentile(500)), Milliseconds(after_us.Percentile(500)),
      Milliseconds(before_us.Percentile(990)), Milliseconds(after_us.Percentile(990)));
}

Object SyncsToJson(const SyncsMeasured& syncs) {
  return {{"record", TimesToJson(syncs.record_us)}, {"block", TimesToJson(syncs.block_us)}};
}

std::string_view OperationOf(Scenario scenario) {
  switch (scenario) {
    case Scenario::kStart:
      return "starts";
    case Scenario::kComplete:
      return "completed";
    case Scenario::kWorker:
      return "instances";
    case Scenario::kSubscribers:
      return "subscribers";
    case Scenario::kSync:
      return "syncs";
  }
  return "";
}

std::string_view LatencyOf(Scenario scenario) {
  switch (scenario) {
    case Scenario::kStart:
      return "start to its durable acknowledgement";
    case Scenario::kComplete:
      return "start to completed";
    case Scenario::kWorker:
      return "start to completed, of an instance";
    case Scenario::kSubscribers:
      return "start of an instance to each subscriber's word of its end";
    case Scenario::kSync:
      return "a sync";
  }
  return "";
}

std::string TargetOf(const BenchOptions& options, const BenchReport& report) {
  const std::string place =
      report.place + (report.temporary ? ", which is removed; on the disk of this directory" : "");
  switch (options.target) {
    case BenchTarget::kEmbedded:
      return options.scenario == Scenario::kSync ? place : "an engine in this process, in " + place;
    case BenchTarget::kOwnServer:
      return "a server of its own, in " + place;
    case BenchTarget::kServer:
      return "the server at " + options.server.address;
  }
  return "";
}

std::string LoadOf(const BenchOptions& options) {
  const load::Plan& plan = options.plan;
  std::string text = plan.is_open() ? fmt::format("open loop, {} a second", Grouped(plan.rate))
                                    : fmt::format("closed loop, {} under way",
                                                  Grouped(static_cast<double>(plan.in_flight)));
  if (options.target != BenchTarget::kEmbedded)
    text += ", " + Count(options.connections, "connection");
  if (options.target != BenchTarget::kEmbedded && options.scenario == Scenario::kWorker)
    text += ", " + Count(options.workers, "worker");
  if (plan.count > 0) return text;
  return text + fmt::format("; {} after {} of warm-up", Duration(plan.duration_us),
                            Duration(plan.warm_up_us));
}

void AddUse(Rows& rows, std::string_view who, const load::UseBetween& use) {
  rows.push_back({fmt::format("{}", who),
                  fmt::format("{:.2f} cores (user {:.2f} s, system {:.2f} s), {:.0f} MiB at the "
                              "most, {:.1f} MiB written",
                              use.cores, use.user_seconds, use.system_seconds,
                              static_cast<double>(use.peak_resident_bytes) / kMiB,
                              static_cast<double>(use.written_bytes) / kMiB)});
}

void AddMeasured(Rows& rows, const BenchOptions& options, const load::Measured& measured) {
  const double rate = PerSecond(measured.done_in_window, measured.window_us);
  rows.push_back(
      {fmt::format("{}/s", OperationOf(options.scenario)),
       fmt::format("{}   ({} within {}; {} in all)", Grouped(rate),
                   Grouped(static_cast<double>(measured.done_in_window)),
                   Duration(measured.window_us), Grouped(static_cast<double>(measured.done)))});
  if (options.scenario == Scenario::kWorker)
    rows.push_back({"tasks/s", Grouped(rate * load::kTasksOfInstance)});
  rows.push_back({"records/s", Grouped(PerSecond(measured.records_in_window, measured.window_us))});
  rows.push_back({"latency", TimesOf(measured.latencies_us)});
  rows.push_back({"", fmt::format("{}, {}", LatencyOf(options.scenario),
                                  options.plan.is_open()
                                      ? "from when it was due: coordinated omission is corrected"
                                      : "from its call: coordinated omission is not corrected")});
  if (measured.refused > 0)
    rows.push_back(
        {"refused", fmt::format("{}, the first: {}", Grouped(static_cast<double>(measured.refused)),
                                Clean(measured.first_refusal))});
}

void AddSubscribers(Rows& rows, const SubscribersMeasured& measured) {
  rows.push_back({"subscribers", Grouped(static_cast<double>(measured.subscribers))});
  const auto mebibytes = [](const std::optional<uint64_t>& bytes) {
    return fmt::format("{:.1f} MiB", static_cast<double>(*bytes) / kMiB);
  };
  if (measured.bytes_before.has_value() && measured.bytes_idle.has_value() &&
      measured.bytes_told.has_value()) {
    const auto grown =
        static_cast<double>(*measured.bytes_idle) - static_cast<double>(*measured.bytes_before);
    rows.push_back(
        {"memory", fmt::format("{} without them, {} with them idle, {} behind an event",
                               mebibytes(measured.bytes_before), mebibytes(measured.bytes_idle),
                               mebibytes(measured.bytes_told))});
    rows.push_back(
        {"each", fmt::format("{} bytes of the server's memory",
                             Grouped(grown / static_cast<double>(measured.subscribers)))});
  } else {
    rows.push_back({"memory",
                    "not known: the server is none of this machine's, or not asked over "
                    "a Unix socket"});
  }
  rows.push_back({"latency", TimesOf(measured.delivery_us)});
  rows.push_back({"", std::string(LatencyOf(Scenario::kSubscribers))});
}

Object UseToJson(const load::UseBetween& use) {
  return {{"user_seconds", use.user_seconds},
          {"system_seconds", use.system_seconds},
          {"cores", use.cores},
          {"resident_bytes", static_cast<int64_t>(use.resident_bytes)},
          {"peak_resident_bytes", static_cast<int64_t>(use.peak_resident_bytes)},
          {"written_bytes", static_cast<int64_t>(use.written_bytes)}};
}

Value CutShortToJson(const std::optional<Error>& why) {
  if (!why.has_value()) return {};
  return Object{{"code", fmt::format("STL{:04}", static_cast<int>(why->code))},
                {"message", why->message}};
}

Object MeasuredToJson(const BenchOptions& options, const load::Measured& measured) {
  const double rate = PerSecond(measured.done_in_window, measured.window_us);
  Object json{{"cut_short", CutShortToJson(measured.cut_short)},
              {"seconds", static_cast<double>(measured.window_us) / 1e6},
              {"measured", static_cast<int64_t>(measured.done_in_window)},
              {"per_second", rate},
              {"acknowledged", static_cast<int64_t>(measured.done)},
              {"refused", static_cast<int64_t>(measured.refused)},
              {"records_per_second", PerSecond(measured.records_in_window, measured.window_us)},
              {"latency_from", options.plan.is_open() ? "due" : "call"},
              {"latency_ms", TimesToJson(measured.latencies_us)}};
  if (options.scenario == Scenario::kWorker)
    json.Set("tasks_per_second", rate * load::kTasksOfInstance);
  return json;
}

Object SubscribersToJson(const SubscribersMeasured& measured) {
  const auto bytes = [](const std::optional<uint64_t>& number) {
    return number.has_value() ? Value(static_cast<int64_t>(*number)) : Value();
  };
  return {{"subscribers", static_cast<int64_t>(measured.subscribers)},
          {"server_bytes_before", bytes(measured.bytes_before)},
          {"server_bytes_idle", bytes(measured.bytes_idle)},
          {"server_bytes_told", bytes(measured.bytes_told)},
          {"delivery_ms", TimesToJson(measured.delivery_us)}};
}

void AddLoad(Object& json, const BenchOptions& options) {
  json.Set("loop", options.plan.is_open() ? "open" : "closed");
  if (options.plan.is_open()) {
    json.Set("rate", options.plan.rate);
  } else {
    json.Set("in_flight", static_cast<int64_t>(options.plan.in_flight));
  }
  if (options.target == BenchTarget::kEmbedded) return;
  if (options.scenario == Scenario::kWorker)
    json.Set("workers", static_cast<int64_t>(options.workers));
}

}  // namespace

std::string TextOf(const BenchOptions& options, const BenchReport& report) {
  Rows rows{{"target", Clean(TargetOf(options, report))}};
  if (report.measured.has_value()) {
    rows.push_back({"load", LoadOf(options)});
    if (report.measured->cut_short.has_value())
      rows.push_back({"cut short", fmt::format("after {}: the figures are those until then",
                                               Duration(report.measured->window_us))});
    AddMeasured(rows, options, *report.measured);
  }
  if (report.subscribers.has_value()) AddSubscribers(rows, *report.subscribers);
  if (options.scenario == Scenario::kSync) {
    rows.push_back({"record", TimesOf(report.before.record_us)});
    rows.push_back({"", std::string(kRecord)});
    rows.push_back({"block", TimesOf(report.before.block_us)});
    rows.push_back({"", std::string(kBlock)});
    return Table(rows);
  }
  if (report.client.has_value()) AddUse(rows, "client", *report.client);
  if (report.engine.has_value())
    AddUse(rows, options.target == BenchTarget::kEmbedded ? "process" : "server", *report.engine);
  rows.push_back({"disk", Beside(kRecord, report.before.record_us, report.after.record_us)});
  rows.push_back({"", Beside(kBlock, report.before.block_us, report.after.block_us)});
  return Table(rows);
}

Object JsonOf(const BenchOptions& options, const BenchReport& report) {
  Object json{{"scenario", NameOf(options.scenario)}};
  if (options.scenario != Scenario::kSync) json.Set("target", NameOf(options.target));
  if (!report.place.empty()) json.Set("data", report.place);
  if (options.target == BenchTarget::kServer) json.Set("server", options.server.address);
  if (options.scenario != Scenario::kSync && options.target != BenchTarget::kEmbedded)
    json.Set("connections", static_cast<int64_t>(options.connections));
  if (report.measured.has_value()) {
    AddLoad(json, options);
    for (const Member& member : MeasuredToJson(options, *report.measured))
      json.Set(member.key, member.value);
  }
  if (report.subscribers.has_value())
    for (const Member& member : SubscribersToJson(*report.subscribers))
      json.Set(member.key, member.value);
  if (report.client.has_value()) json.Set("client", UseToJson(*report.client));
  if (report.engine.has_value()) json.Set("engine", UseToJson(*report.engine));
  if (options.scenario == Scenario::kSync) {
    json.Set("sync_ms", SyncsToJson(report.before));
  } else {
    json.Set("sync_ms",
             Object{{"before", SyncsToJson(report.before)}, {"after", SyncsToJson(report.after)}});
  }
  return json;
}

}  // namespace stele::cli
