#include "replay/regression/worker.h"

#include <fmt/format.h>

#include <utility>

#include "replay/regression/regression.h"

namespace stele::replay {

using Outcome = Redecision::Outcome;

namespace {

RedeciderOptions With(RedeciderOptions options, Alternative* alternative) {
  options.alternative = alternative;
  return options;
}

}  // namespace

RegressionWorker::RegressionWorker(const model::Registry& registry,
                                   std::shared_ptr<const definition::Definition> changed,
                                   RedeciderOptions options)
    : changed_(changed == nullptr ? nullptr
                                  : std::make_unique<ChangedDefinition>(std::move(changed))),
      keeps_ended_(options.keeps_ended),
      redecider_(registry, With(std::move(options), changed_.get())),
      queue_(kQueuedBatches),
      thread_([this] { Run(); }) {}

RegressionWorker::~RegressionWorker() {
  queue_.Close();
  if (thread_.joinable()) thread_.join();
}

Result<RegressionReport> RegressionWorker::Finish() {
  queue_.Close();
  thread_.join();
  if (!status_.has_value()) return std::unexpected(status_.error());
  return std::move(report_);
}

void RegressionWorker::Run() {
  while (const std::optional<RecordBatch> batch = queue_.Take()) {
    for (size_t i = 0; i < batch->size(); ++i) {
      status_ = Take((*batch)[i]);
      if (status_.has_value()) continue;
      queue_.Close();
      return;
    }
  }
}

Status RegressionWorker::Take(const eventstore::RecordView& record) {
  const InstanceId id = record.header.instance;
  if (keeps_ended_ && id != std::exchange(last_, id)) {
    redecider_.ForgetAll();
    asked_.clear();
  }
  describer_.Note(redecider_.Find(id));
  const Result<Redecision> decision = redecider_.Take(record);
  if (!decision.has_value()) return std::unexpected(decision.error());
  if (decision->outcome == Outcome::kOutOfPlace)
    return Fail(ErrorCode::kReplayMismatch,
                fmt::format("Expected {} but found {} (position {}, instance {}); \"stele verify\" "
                            "checks the whole log",
                            decision->expected,
                            decision->found.empty() ? "another record" : decision->found,
                            record.position.value, id.value));
  Count(record, *decision);
  if (redecider_.Find(id) == nullptr) asked_.erase(id);
  return {};
}

void RegressionWorker::Count(const eventstore::RecordView& record, const Redecision& decision) {
  const InstanceId id = record.header.instance;
  if (decision.outcome == Outcome::kUnfollowed) {
    if (changed_ != nullptr) changed_->TakeAsked();
    return;
  }
  ++report_.records;
  report_.events += redecider_.recorded().size();
  if (decision.begins) {
    ++report_.instances;
    ++report_.same;
  }
  NoteAsked(record, decision);
  if (decision.outcome == Outcome::kSame) return;
  if (decision.outcome == Outcome::kErased) {
    if (!asked_.contains(id)) {
      --report_.same;
      ++report_.erased;
    }
  } else {
    --(asked_.contains(id) ? report_.asked : report_.same);
    ++report_.different;
    Describer::Found found = describer_.Of(record, decision, redecider_);
    report_.Add(found.key, std::move(found.place));
  }
  redecider_.Forget(id);
}

void RegressionWorker::NoteAsked(const eventstore::RecordView& record, const Redecision& decision) {
  if (changed_ == nullptr) return;
  const InstanceId id = record.header.instance;
  for (const ChangedDefinition::Asked& asked : changed_->TakeAsked()) {
    const bool is_first = !asked_.contains(id);
    const bool is_new = asked_[id].insert(asked.step).second;
    // Of an instance that was opened again, those of its earlier records are counted already.
    if (!is_new || asked.position != record.position) continue;
    if (is_first) {
      --report_.same;
      ++report_.asked;
    }
    Describer::Found found =
        describer_.OfAsked(record, decision, redecider_, asked.recorded_at, asked.decided_at);
    report_.Add(found.key, std::move(found.place));
  }
}

}  // namespace stele::replay
