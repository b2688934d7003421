#include "server/tracing/span_maker.h"

#include <fmt/format.h>

#include <concepts>
#include <map>

#include "engine/apply/apply.h"
#include "engine/model/beginning.h"
#include "engine/model/codec.h"
#include "engine/model/names.h"
#include "engine/model/worker_actor.h"
#include "replay/history.h"

namespace stele::server::tracing {

namespace {

using model::RunState;

struct RunNamedBy {
  template <class Event>
  RunId operator()(const Event& event) const {
    if constexpr (requires {
                    { event.run } -> std::convertible_to<RunId>;
                  })
      return event.run;
    return RunId();
  }
};

// A character that is cut through is replaced when it is written as JSON.
std::string Bounded(std::string_view text) {
  return std::string(text.substr(0, kMaxSpanText));
}

SpanStatus StatusOf(model::Status status) {
  switch (status) {
    case model::Status::kCompleted:
      return SpanStatus::kOk;
    case model::Status::kFailed:
    case model::Status::kTerminated:
      return SpanStatus::kError;
    case model::Status::kNone:
    case model::Status::kRunning:
    case model::Status::kCompensating:
    case model::Status::kCancelled:
      return SpanStatus::kUnset;
  }
  return SpanStatus::kUnset;
}

}  // namespace

// A record that is being taken, with the instance as it is between two of its events.
class SpanMaker::Record {
 public:
  Record(SpanMaker& maker, const eventstore::RecordView& record, model::Instance& instance)
      : maker_(maker), record_(record), instance_(instance), seq_(record.header.first_seq) {
    Place();
  }

  Status Take(const model::Event& event) {
    std::vector<Facts> runs;
    const bool was_open = !model::HasEnded(instance_.status);
    if (trace_.has_value()) runs = Around(event);
    apply::Apply(instance_, event, {record_.position, record_.header.time});
    if (model::BeginsInstance(event)) {
      Place();
      if (trace_.has_value()) maker_.pasts_.try_emplace(instance_.id);
    }
    if (trace_.has_value()) {
      const auto past = maker_.pasts_.find(instance_.id);
      if (past != maker_.pasts_.end()) Note(past->second, event, seq_, record_.header.time);
      for (const Facts& run : runs) STELE_RETURN_IF_ERROR(Compare(run, event));
      if (was_open && model::HasEnded(instance_.status)) STELE_RETURN_IF_ERROR(EndInstance());
    }
    seq_ = seq_.Next();
    return {};
  }

 private:
  // A run as it was before the event.
  struct Facts {
    RunId id;
    RunId owner;  // the run that opened the scope that it is in; 0: none
    RunId of;
    model::Purpose purpose = model::Purpose::kNormal;
    RunState state = RunState::kAttempt;
    uint32_t attempt = 1;
    bool attempts = false;  // it acts outside, an attempt at a time
    TimeUs activated;
    std::string_view step;
    std::string_view type;
  };

  // Where the instance stands, when its trace is sampled.
  void Place() {
    if (!instance_.definition) return;
    trace_ = model::TraceOf(instance_.id, instance_.started, instance_.trace_parent, maker_.ratio_);
    if (!trace_->context.sampled) trace_.reset();
    definition_ = maker_.tracker_.registry().Find(instance_.definition);
  }

  std::vector<Facts> Around(const model::Event& event) const {
    std::vector<Facts> runs;
    const bool ends = std::holds_alternative<model::InstanceTerminated>(event) ||
                      std::holds_alternative<model::InstanceFailed>(event) ||
                      std::holds_alternative<model::InstanceCancelled>(event) ||
                      std::holds_alternative<model::InstanceCompleted>(event);
    if (ends) {
      for (const model::StepRun& run : instance_.runs) runs.push_back(FactsOf(run));
    } else if (const RunId named = std::visit(RunNamedBy(), event)) {
      if (const model::StepRun* run = instance_.FindRun(named)) runs.push_back(FactsOf(*run));
    }
    return runs;
  }

  Facts FactsOf(const model::StepRun& run) const {
    Facts facts{.id = run.id,
                .of = run.of,
                .purpose = run.purpose,
                .state = run.state,
                .attempt = run.attempt,
                .activated = run.activated};
    if (const model::Scope* scope = instance_.FindScope(run.scope)) facts.owner = scope->owner;
    if (run.step.value >= definition_->definition->steps.size()) return facts;
    const definition::Step& step = definition_->definition->step(run.step);
    facts.attempts = step.kind == definition::StepKind::kTask && !run.unprepared;
    facts.step = step.id;
    facts.type = step.task_type;
    return facts;
  }

  // What of the run has ended with the event.
  Status Compare(const Facts& before, const model::Event& event) {
    if (const auto* failed = std::get_if<model::AttemptFailed>(&event))
      errors_[before.id] = failed->kind;
    if (const auto* elapsed = std::get_if<model::TimerElapsed>(&event);
        elapsed != nullptr && elapsed->kind == model::TimerKind::kAttemptDeadline)
      errors_[before.id] = "timeout";
    const model::StepRun* const now = instance_.FindRun(before.id);
    const bool attempt_runs =
        now != nullptr && now->state == RunState::kAttempt && now->attempt == before.attempt;
    if (before.attempts && before.state == RunState::kAttempt && !attempt_runs)
      STELE_RETURN_IF_ERROR(EndAttempt(before, event));
    if (now == nullptr) EndRun(before, event);
    return {};
  }

  Span Begin(const Facts& run) const {
    Span span;
    span.trace = trace_->context.trace;
    span.end = record_.header.time;
    AddInstance(span);
    span.attributes.emplace_back("stele.step", Bounded(run.step));
    span.attributes.emplace_back("stele.step.type", Bounded(run.type));
    span.attributes.emplace_back("stele.run", static_cast<int64_t>(run.id.value));
    return span;
  }

  void AddInstance(Span& span) const {
    span.attributes.emplace_back("stele.instance", static_cast<int64_t>(instance_.id.value));
    span.attributes.emplace_back("stele.definition", Bounded(definition_->name));
    span.attributes.emplace_back("stele.version", static_cast<int64_t>(definition_->version));
  }

  static void Fail(Span& span, std::string_view kind) {
    span.status = SpanStatus::kError;
    span.error = Bounded(kind);
    span.attributes.emplace_back("error.type", span.error);
  }

  Status EndAttempt(const Facts& run, const model::Event& event) {
    Span span = Begin(run);
    span.id = model::TraceOfAttempt(*trace_, instance_.id, run.id, run.attempt).span;
    span.parent = model::TraceOfRun(*trace_, instance_.id, run.id).span;
    span.name = fmt::format("{} attempt", Bounded(run.step));
    span.kind = SpanKind::kClient;
    span.start = run.activated;
    if (run.attempt > 1) {
      const auto past = maker_.PastOf(record_);
      if (!past.has_value()) return std::unexpected(past.error());
      const auto began = (*past)->attempts.find(run.id);
      if (began != (*past)->attempts.end()) span.start = began->second;
      (*past)->attempts.erase(run.id);
    }
    span.attributes.emplace_back("stele.attempt", static_cast<int64_t>(run.attempt));
    if (const auto worker = model::WorkerOfActor(record_.header.actor); !worker.empty())
      span.attributes.emplace_back("stele.worker", Bounded(worker));
    if (std::holds_alternative<model::AttemptCompleted>(event)) {
      span.status = SpanStatus::kOk;
    } else if (std::holds_alternative<model::AttemptInterrupted>(event)) {
      span.attributes.emplace_back("error.type", "interrupted");
    } else if (const auto failed = errors_.find(run.id); failed != errors_.end()) {
      Fail(span, failed->second);
    }
    maker_.sink_(std::move(span));
    return {};
  }

  void EndRun(const Facts& run, const model::Event& event) {
    Span span = Begin(run);
    span.id = model::TraceOfRun(*trace_, instance_.id, run.id).span;
    span.parent =
        run.owner ? model::TraceOfRun(*trace_, instance_.id, run.owner).span : trace_->context.span;
    // What a fallback stands in for, or a compensation undoes.
    if (run.of) span.link = model::TraceOfRun(*trace_, instance_.id, run.of).span;
    span.name = Bounded(run.step);
    span.start = run.activated;
    if (run.attempts) span.attributes.emplace_back("stele.attempts", int64_t{run.attempt});
    if (run.purpose != model::Purpose::kNormal)
      span.attributes.emplace_back("stele.purpose",
                                   model::names::kPurpose[static_cast<size_t>(run.purpose)]);
    if (const auto* failed = std::get_if<model::StepFailed>(&event)) {
      Fail(span, failed->kind);
    } else if (std::holds_alternative<model::StepCompleted>(event)) {
      span.status = SpanStatus::kOk;
    }
    maker_.sink_(std::move(span));
  }

  Status EndInstance() {
    const auto past = maker_.PastOf(record_);
    if (!past.has_value()) return std::unexpected(past.error());
    Span span;
    span.trace = trace_->context.trace;
    span.id = trace_->context.span;
    span.parent = trace_->parent;
    span.name = Bounded(definition_->name);
    span.start = instance_.started;
    span.end = record_.header.time;
    AddInstance(span);
    // Its first span was told of when it had failed.
    if (const Seq retried = (*past)->retried_seq) {
      span.id = model::TraceOfRetry(*trace_, instance_.id, retried).span;
      span.parent = trace_->context.span;
      span.start = (*past)->retried_at;
      span.attributes.emplace_back("stele.retried", "true");
    }
    span.attributes.emplace_back("stele.status", model::StatusName(instance_.status));
    if (instance_.parent_instance)
      span.attributes.emplace_back("stele.parent_instance",
                                   static_cast<int64_t>(instance_.parent_instance.value));
    span.status = StatusOf(instance_.status);
    if (span.status == SpanStatus::kError)
      Fail(span, instance_.status == model::Status::kFailed ? instance_.failure.kind
                                                            : model::StatusName(instance_.status));
    maker_.sink_(std::move(span));
    maker_.pasts_.erase(instance_.id);
    return {};
  }

  SpanMaker& maker_;
  const eventstore::RecordView& record_;
  model::Instance& instance_;
  Seq seq_;
  std::optional<model::InstanceTrace> trace_;  // when it is sampled
  const model::RegisteredDefinition* definition_ = nullptr;
  std::map<RunId, std::string> errors_;  // what attempts ended with, in this record
};

SpanMaker::SpanMaker(const eventstore::EventStore& store, ShardId shard, double ratio, Sink sink)
    : store_(store),
      shard_(shard),
      ratio_(ratio),
      sink_(std::move(sink)),
      tracker_(store, shard, kTrackedBytes) {}

Status SpanMaker::Take(const eventstore::RecordView& record) {
  if (!record.header.instance)
    return model::DecodeEach(record.body, [&](const model::Event& event) {
      apply::Apply(tracker_.registry(), event, {record.position, record.header.time});
    });
  const Result<model::Instance*> instance = tracker_.Before(record);
  if (!instance.has_value()) {
    // It was cut out meanwhile: nobody is told of it any more.
    if (instance.error().code == ErrorCode::kInstanceErased) return {};
    return std::unexpected(instance.error());
  }
  Record taking(*this, record, **instance);
  return model::DecodeEach(record.body,
                           [&](const model::Event& event) { return taking.Take(event); });
}

void SpanMaker::Trim() {
  tracker_.Trim();
  if (pasts_.size() > kKnownInstances) pasts_.clear();
}

void SpanMaker::Note(Past& past, const model::Event& event, Seq seq, TimeUs time) {
  if (const auto* started = std::get_if<model::AttemptStarted>(&event)) {
    past.attempts[started->run] = time;
  } else if (std::holds_alternative<model::InstanceRetryRequested>(event)) {
    past.retried_seq = seq;
    past.retried_at = time;
  }
}

// Of an instance that was not followed from its start it is read from its history, this record
// included.
Result<SpanMaker::Past*> SpanMaker::PastOf(const eventstore::RecordView& record) {
  const auto [found, is_new] = pasts_.try_emplace(record.header.instance);
  if (!is_new) return &found->second;
  Past& past = found->second;
  const Status read = replay::ReadHistory(
      store_, shard_, record.header.instance,
      [&](const replay::HistoryEntry& entry) {
        Note(past, entry.event, entry.seq, entry.record.time);
      },
      record.position.Next());
  if (read.has_value() || read.error().code == ErrorCode::kInstanceErased) return &past;
  return std::unexpected(read.error());
}

}  // namespace stele::server::tracing
