// What a reading is called. docs/observation.md lists the names; a test compares them.
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "server/observation/figures.h"
#include "server/observation/named_series.h"

namespace stele::server {

namespace {

using projections::InstanceCounts;
using projections::StepCounts;

// Of times that were counted by powers of two: buckets from 64 µs to 17 s.
constexpr size_t kFirstTimeBound = 6;
constexpr size_t kLastTimeBound = 24;
constexpr double kMicrosecond = 1e-6;

double Number(uint64_t number) {
  return static_cast<double>(number);
}

struct Ending {
  const char* status;
  uint64_t InstanceCounts::* count;
};
constexpr std::array kEndings = {Ending{"completed", &InstanceCounts::completed},
                                 Ending{"failed", &InstanceCounts::failed},
                                 Ending{"cancelled", &InstanceCounts::cancelled},
                                 Ending{"terminated", &InstanceCounts::terminated}};

void AddDefinitions(const CountedWork& work, Families& families) {
  MetricFamily started =
      CounterFamily("stele_instances_started_total", "Instances that were started.");
  MetricFamily ended = CounterFamily("stele_instances_ended_total", "Instances by how they ended.");
  MetricFamily retried =
      CounterFamily("stele_instances_retried_total", "Failed ones that somebody had go on.");
  MetricFamily open = GaugeFamily("stele_instances_open", "Instances that have not ended.");
  MetricFamily paused = GaugeFamily("stele_instances_paused", "Of them: those that are paused.");
  MetricFamily queued =
      GaugeFamily("stele_instances_queued", "Of them: those that wait for a place.");
  MetricFamily durations = HistogramFamily("stele_instance_duration_seconds",
                                           "Of instances that completed, from their start.");
  for (const auto& [name, row] : work.definitions) {
    AddValue(started, Number(row.counts.started), {{"definition", name}});
    for (const Ending& ending : kEndings)
      AddValue(ended, Number(row.counts.*ending.count),
               {{"definition", name}, {"status", ending.status}});
    AddValue(retried, Number(row.counts.retried), {{"definition", name}});
    AddValue(open, static_cast<double>(row.open), {{"definition", name}});
    AddValue(paused, static_cast<double>(row.paused), {{"definition", name}});
    AddValue(queued, static_cast<double>(row.queued), {{"definition", name}});
    AddDurations(durations, Durations::Of(row.counts.durations, WorkBounds()),
                 {{"definition", name}});
  }
  for (MetricFamily* family : {&started, &ended, &retried, &open, &paused, &queued, &durations})
    families.push_back(std::move(*family));
}

void AddTasks(const CountedWork& work, Families& families) {
  struct Told {
    MetricFamily family;
    uint64_t StepCounts::* count;
  };
  std::array told = {
      Told{CounterFamily("stele_steps_completed_total", "Runs of steps that completed."),
           &StepCounts::completed},
      Told{CounterFamily("stele_steps_failed_total", "Runs that failed for good."),
           &StepCounts::failed},
      Told{CounterFamily("stele_attempts_total", "Attempts that began."), &StepCounts::attempts},
      Told{CounterFamily("stele_attempts_failed_total", "Attempts that told of an error."),
           &StepCounts::failed_attempts},
      Told{CounterFamily("stele_steps_retried_total", "Runs that began an attempt again."),
           &StepCounts::retried},
      Told{CounterFamily("stele_step_timeouts_total", "Deadlines that elapsed."),
           &StepCounts::timeouts}};
  MetricFamily durations = HistogramFamily(
      "stele_step_duration_seconds", "Of runs of steps that completed, from their activation.");
  MetricFamily completion = HistogramFamily("task_completion_time", "The same, in seconds.");
  for (const auto& [type, counts] : work.tasks) {
    for (Told& one : told) AddValue(one.family, Number(counts.*one.count), {{"type", type}});
    const Durations taken = Durations::Of(counts.durations, WorkBounds());
    AddDurations(durations, taken, {{"type", type}});
    AddDurations(completion, taken, {{"type", type}});
  }
  for (Told& one : told) families.push_back(std::move(one.family));
  families.push_back(std::move(durations));
  families.push_back(std::move(completion));
}

// The names under which dashboards that were made for other engines look for the same.
void AddOtherNames(const CountedWork& work, Families& families) {
  families.push_back(OneCounter("workflow_instances_total", "Instances that were started.",
                                Number(work.all.counts.started)));
  families.push_back(OneGauge("workflow_instances_active", "Instances that have not ended.",
                              static_cast<double>(work.all.open)));
  families.push_back(OneGauge("orchestrator_active_executions", "Instances that have not ended.",
                              static_cast<double>(work.all.open)));
  MetricFamily executions =
      CounterFamily("orchestrator_executions_total", "Instances by how they ended.");
  MetricFamily durations = HistogramFamily("orchestrator_execution_duration_seconds",
                                           "Of instances that completed, from their start.");
  for (const auto& [name, row] : work.definitions) {
    for (const Ending& ending : kEndings)
      AddValue(executions, Number(row.counts.*ending.count),
               {{"workflow_id", name}, {"status", ending.status}});
    AddDurations(durations, Durations::Of(row.counts.durations, DoublingBounds()),
                 {{"workflow_id", name}});
  }
  families.push_back(std::move(executions));
  families.push_back(std::move(durations));
}

void AddWork(const CountedWork& work, Families& families) {
  AddDefinitions(work, families);
  AddTasks(work, families);
  AddOtherNames(work, families);
  MetricFamily runs =
      GaugeFamily("stele_step_runs", "Runs of steps that have not ended, by state.");
  const projections::RunGauges& now = work.all.runs;
  const std::pair<const char*, int64_t> states[] = {{"attempt", now.attempts},
                                                    {"backoff", now.backoffs},
                                                    {"waiting", now.waiting},
                                                    {"parked", now.parked},
                                                    {"held", now.held}};
  for (const auto& [state, count] : states)
    AddValue(runs, static_cast<double>(count), {{"state", state}});
  families.push_back(std::move(runs));
}

void AddAlerts(const LoopFigures& loop, Families& families) {
  MetricFamily firing = GaugeFamily("stele_alerts_firing", "Alert rules: 1 of one that fires.");
  for (const auto& [rule, fires] : loop.alerts_firing)
    AddValue(firing, fires ? 1 : 0, {{"rule", rule}});
  families.push_back(std::move(firing));
  MetricFamily notices =
      CounterFamily("stele_alert_notices_total", "Alerts that somebody was to be told of.");
  for (const auto& [state, count] : loop.alert_notices)
    AddValue(notices, Number(count), {{"state", state}});
  families.push_back(std::move(notices));
  families.push_back(OneCounter("stele_alert_attempts_failed_total",
                                "Attempts to tell somebody of an alert that failed.",
                                Number(loop.alert_attempts_failed)));
}

void AddEngine(const Reading& reading, Families& families) {
  const LoopFigures& loop = reading.loop;
  families.push_back(
      OneGauge("stele_live_instances", "Instances in memory.", Number(loop.live_instances)));
  families.push_back(OneGauge("stele_queued_attempts", "Attempts that wait for a limit.",
                              Number(loop.queued_attempts)));
  families.push_back(OneGauge("stele_queued_attempts_limit", "How many may wait.",
                              Number(loop.max_queued_attempts)));
  families.push_back(
      OneGauge("stele_definitions", "Names of definitions.", Number(loop.definitions)));
  families.push_back(OneGauge("stele_definitions_active", "Of them: those that can be started.",
                              Number(loop.active_definitions)));
  MetricFamily triggers = GaugeFamily("stele_triggers", "Triggers by state.");
  for (const auto& [state, count] : loop.triggers_by_state)
    AddValue(triggers, Number(count), {{"state", state}});
  families.push_back(std::move(triggers));
  families.push_back(OneCounter("stele_trigger_firings_total",
                                "Firings of triggers, of any outcome.",
                                Number(loop.trigger_firings)));
  families.push_back(
      OneGauge("stele_http_connections", "HTTP connections.", Number(loop.http_connections)));
  families.push_back(
      OneGauge("stele_rpc_connections", "RPC connections.", Number(loop.rpc_connections)));
  families.push_back(OneGauge("stele_http_requests_in_progress", "Requests whose handlers run.",
                              Number(loop.http_in_progress)));
  families.push_back(
      OneGauge("stele_http_streams", "Responses that stream.", Number(loop.http_streams)));
  families.push_back(
      OneGauge("stele_event_followers", "Who follows live events.", Number(loop.event_followers)));
  AddAlerts(loop, families);
}

void AddStore(const Reading& reading, Families& families) {
  const eventstore::StoreStats& store = reading.stored.store;
  const bool is_good = reading.durability.state != Durability::State::kFailed;
  families.push_back(OneGauge("stele_shard_up", "1: the log takes records.", is_good ? 1.0 : 0.0));
  families.push_back(OneGauge("database_connections",
                              "Open stores of the engine; there is no database server.",
                              is_good ? 1.0 : 0.0));
  families.push_back(OneGauge("stele_durable_wait_seconds",
                              "How long it took, for this reading, until all was on the disk.",
                              reading.durability.seconds));
  families.push_back(OneCounter("stele_records_total", "Records of the log, ever.",
                                Number(reading.stored.last.value)));
  MetricFamily held = GaugeFamily("stele_store_bytes", "What the log holds, by place.");
  AddValue(held, Number(store.log_bytes), {{"place", "log"}});
  AddValue(held, Number(store.archive_bytes), {{"place", "archive"}});
  families.push_back(std::move(held));
  families.push_back(OneCounter("stele_store_appended_raw_bytes_total",
                                "Record frames that were appended, since the start.",
                                Number(store.raw_bytes)));
  families.push_back(OneCounter("stele_store_appended_bytes_total",
                                "The blocks that hold them, compressed.",
                                Number(store.appended_bytes)));
  MetricFamily written =
      CounterFamily("stele_store_written_bytes_total", "Bytes that went to the disk, by why.");
  AddValue(written, Number(store.wal_bytes_written), {{"for", "write_ahead_log"}});
  AddValue(written, Number(store.flush_bytes_written), {{"for", "flush"}});
  AddValue(written, Number(store.compaction_bytes_written), {{"for", "compaction"}});
  families.push_back(std::move(written));
}

void AddCalls(const std::map<std::string, rpc::CallFigures>& methods, Families& families) {
  MetricFamily calls =
      CounterFamily("stele_rpc_calls_total",
                    "Calls, by interface and method; failed: refused, broken, or given up.");
  MetricFamily durations =
      HistogramFamily("stele_rpc_call_duration_seconds", "From a call to its answer.");
  for (const auto& [method, figures] : methods) {
    for (size_t i = 0; i < rpc::kCallResults.size(); ++i)
      if (figures.results[i] > 0)
        AddValue(calls, Number(figures.results[i]),
                 {{"method", method}, {"result", std::string(rpc::kCallResults[i])}});
    AddDoublings(durations, figures.us, kFirstTimeBound, kLastTimeBound, kMicrosecond,
                 {{"method", method}});
  }
  families.push_back(std::move(calls));
  families.push_back(std::move(durations));
}

// Buckets: from one record to 16,384, from 256 B to 64 MiB.
void AddCommits(const runtime::ShardFigures& shard, Families& families) {
  MetricFamily latency = HistogramFamily(
      "stele_commit_duration_seconds", "From a batch of records until it was known to be durable.");
  AddDoublings(latency, shard.commit_us, kFirstTimeBound, kLastTimeBound, kMicrosecond);
  MetricFamily records =
      HistogramFamily("stele_commit_block_records", "Records that were written as one block.");
  AddDoublings(records, shard.block_records, 0, 14, 1);
  MetricFamily bytes = HistogramFamily("stele_commit_block_bytes", "Bytes of a block, compressed.");
  AddDoublings(bytes, shard.block_bytes, 8, 26, 1);
  for (MetricFamily* family : {&latency, &records, &bytes}) families.push_back(std::move(*family));
  families.push_back(
      OneGauge("stele_inbox_commands", "What waits to be decided.", Number(shard.inbox)));
  families.push_back(OneGauge("stele_records_in_flight", "Records on their way to the disk.",
                              Number(shard.records_on_way)));
  families.push_back(OneGauge("stele_bytes_in_flight", "Their bytes.", Number(shard.bytes_on_way)));
  families.push_back(OneGauge("stele_timers_pending", "Instances that are to be woken at a moment.",
                              Number(shard.timers)));
}

void AddTracing(const tracing::TracingFigures& tracing, Families& families) {
  families.push_back(OneCounter("stele_spans_exported_total", "Spans that the collector has taken.",
                                Number(tracing.exported)));
  families.push_back(OneCounter("stele_spans_dropped_total",
                                "Spans that nobody will be told of: no room, or refused.",
                                Number(tracing.dropped)));
  families.push_back(OneCounter("stele_span_requests_failed_total",
                                "Requests that the collector did not take.",
                                Number(tracing.failed_requests)));
  families.push_back(
      OneGauge("stele_spans_queued", "Spans that wait to be sent.", Number(tracing.queued)));
  families.push_back(OneGauge("stele_tracing_lag_records",
                              "Records that were not looked at for spans yet.",
                              Number(tracing.lag_records)));
}

void AddViews(const StoredFigures& stored, Families& families) {
  MetricFamily lag =
      GaugeFamily("stele_view_lag_records", "Records that a view does not show yet.");
  MetricFamily serves = GaugeFamily("stele_view_serves", "1: the view answers.");
  for (const projections::ViewState& view : stored.views) {
    AddValue(lag, Number(view.lag), {{"view", view.name}});
    AddValue(serves, view.serves ? 1.0 : 0.0, {{"view", view.name}});
  }
  families.push_back(std::move(lag));
  families.push_back(std::move(serves));
  families.push_back(OneGauge("stele_views_failed", "1: views follow the log no more.",
                              stored.views_failure.has_value() ? 1.0 : 0.0));
}

void AddWorkers(const tasks::WorkerFigures& workers, Families& families) {
  families.push_back(OneGauge("stele_workers", "Workers that are here.", Number(workers.workers)));
  families.push_back(OneCounter("stele_worker_tasks_total", "Tasks that workers were handed.",
                                Number(workers.handed_out)));
  families.push_back(OneCounter("stele_worker_tasks_lost_total", "Leases that ended unanswered.",
                                Number(workers.lost)));
  struct Told {
    MetricFamily family;
    const std::map<std::string, size_t, std::less<>>& by_type;
  };
  std::array told = {
      Told{GaugeFamily("stele_workers_of_type", "Workers that take tasks of the type."),
           workers.workers_by_type},
      Told{GaugeFamily("stele_worker_tasks_queued", "Tasks that wait for a worker."),
           workers.queued_by_type},
      Told{GaugeFamily("stele_worker_tasks_leased", "Tasks that workers hold."),
           workers.leased_by_type}};
  for (Told& one : told) {
    std::map<std::string, size_t> bounded;
    for (const auto& [type, count] : one.by_type) SeriesOf(bounded, type) += count;
    for (const auto& [type, count] : bounded) AddValue(one.family, Number(count), {{"type", type}});
    families.push_back(std::move(one.family));
  }
}

void AddProcess(const ProcessFigures& process, Families& families) {
  families.push_back(
      OneCounter("process_cpu_seconds_total", "User and system time.", process.cpu_seconds));
  families.push_back(OneGauge("process_resident_memory_bytes", "Memory that is resident.",
                              Number(process.resident_bytes)));
  families.push_back(OneGauge("process_virtual_memory_bytes", "Memory that is mapped.",
                              Number(process.virtual_bytes)));
  families.push_back(
      OneGauge("process_open_fds", "Descriptors that are open.", Number(process.open_fds)));
  families.push_back(
      OneGauge("process_max_fds", "Descriptors that may be open.", Number(process.max_fds)));
  families.push_back(OneGauge("process_threads", "Threads.", Number(process.threads)));
  families.push_back(OneGauge("process_start_time_seconds", "When it began, since the epoch.",
                              process.start_seconds));
}

}  // namespace

Families FamiliesOf(const Reading& reading) {
  Families families;
  AddEngine(reading, families);
  if (reading.stored.work.has_value()) AddWork(*reading.stored.work, families);
  AddWorkers(reading.loop.workers, families);
  AddStore(reading, families);
  AddCommits(reading.loop.shard, families);
  AddCalls(reading.loop.calls, families);
  if (reading.loop.tracing.has_value()) AddTracing(*reading.loop.tracing, families);
  AddViews(reading.stored, families);
  AddProcess(reading.stored.process, families);
  return families;
}

}  // namespace stele::server
