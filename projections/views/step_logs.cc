#include "projections/views/step_logs.h"

#include <fmt/format.h>

#include "base/check.h"
#include "projections/keys.h"
#include "projections/row.h"
#include "projections/words.h"
#include "replay/standing.h"

namespace stele::projections {

namespace {

using model::RunState;
using replay::AttemptState;

// What is told of an error and has not told of its attempt's end itself.
constexpr std::string_view kTimeoutKind = "timeout";

// Whether an attempt goes on in that state.
bool IsOpen(RunState state) {
  switch (state) {
    case RunState::kAttempt:
    case RunState::kDelay:
    case RunState::kChildren:
    case RunState::kWaiting:
      return true;
    case RunState::kBackoff:
    case RunState::kParked:
    case RunState::kDone:
    case RunState::kFailed:
    case RunState::kHeld:
    case RunState::kFailing:
      return false;
  }
  return false;
}

std::string PrefixOf(InstanceId instance) {
  return KeyWriter('a').Number(instance.value).Take();
}

}  // namespace

// Writes an event of an instance. Those that are not here are of no attempt.
struct AttemptWriter {
  StepLogsView& view;
  const model::Instance& before;
  const model::Registry& registry;
  TimeUs now;
  ViewWriter& writer;

  const definition::Definition& Definition() const {
    const model::RegisteredDefinition* definition = registry.Find(before.definition);
    CHECK(definition != nullptr, "no definition {}", before.definition.value);
    return *definition->definition;
  }
  const model::StepRun& Run(RunId id) const {
    const model::StepRun* run = before.FindRun(id);
    CHECK(run != nullptr, "instance {} has no run {}", before.id.value, id.value);
    return *run;
  }
  void Begin(RunId id, uint32_t attempt, const model::StepRun& run) const {
    const definition::Definition& definition = Definition();
    AttemptRow& row = view.Begin({before.id, id, attempt});
    row.step = definition.step(run.step).id;
    row.label = replay::LabelOf(before, definition, run);
    row.type = definition.step(run.step).task_type;
    row.started = now;
  }
  // The row of the run's attempt, or null.
  AttemptRow* Row(const model::StepRun& run) const {
    // The first attempt of what does nothing outside has none.
    if (run.attempt == 1 && Definition().step(run.step).kind != definition::StepKind::kTask)
      return nullptr;
    return view.Find({before.id, run.id, run.attempt}, writer);
  }
  AttemptRow* End(const model::StepRun& run, AttemptState state) const {
    AttemptRow* row = Row(run);
    if (row == nullptr) return nullptr;
    row->state = state;
    row->ended = now;
    return row;
  }
  AttemptRow* EndIfOpen(RunId id, AttemptState state) const {
    const model::StepRun& run = Run(id);
    return IsOpen(run.state) ? End(run, state) : nullptr;
  }
  template <class Event>
  void EndWithLog(const Event& event, AttemptRow* row) const {
    row->log = CutText(event.log, kMaxStepLogBytes);
    row->log_bytes = event.log.size();
    row->log_truncated = event.log_truncated;
  }
  template <class Event>
  void Fault(const Event& event) const {
    AttemptRow* row = EndIfOpen(event.run, AttemptState::kFailed);
    if (row == nullptr) return;
    row->kind = event.kind;
    row->message = event.message;
  }

  void operator()(const model::StepActivated& event) const {
    if (Definition().step(event.step).kind != definition::StepKind::kTask) return;
    model::StepRun run;
    run.scope = event.scope;
    run.step = event.step;
    Begin(event.run, 1, run);
  }
  void operator()(const model::AttemptStarted& event) const {
    Begin(event.run, event.attempt, Run(event.run));
  }
  void operator()(const model::AttemptCompleted& event) const {
    AttemptRow* row = End(Run(event.run), AttemptState::kCompleted);
    if (row != nullptr) EndWithLog(event, row);
  }
  void operator()(const model::AttemptFailed& event) const {
    AttemptRow* row = End(Run(event.run), AttemptState::kFailed);
    if (row == nullptr) return;
    EndWithLog(event, row);
    row->kind = event.kind;
    row->message = event.message;
  }
  void operator()(const model::AttemptInterrupted& event) const {
    AttemptRow* row = End(Run(event.run), AttemptState::kInterrupted);
    if (row == nullptr) return;
    row->kind = "interrupted";
    row->message = event.by == model::Interruption::kShutdown
                       ? "The engine was stopped"
                       : "The engine died while the attempt ran";
  }
  void operator()(const model::TimerElapsed& event) const {
    if (event.kind != model::TimerKind::kAttemptDeadline) return;
    if (AttemptRow* row = Row(Run(event.run))) {
      row->kind = kTimeoutKind;
      row->message = "The step's timeout has elapsed";
    }
  }
  void operator()(const model::RetryScheduled& event) const {
    EndIfOpen(event.run, AttemptState::kFailed);
  }
  void operator()(const model::StepFailing& event) const { Fault(event); }
  void operator()(const model::StepFailed& event) const { Fault(event); }
  void operator()(const model::IncidentRaised& event) const { Fault(event); }
  void operator()(const model::StepCompleted& event) const {
    EndIfOpen(event.run, AttemptState::kCompleted);
  }
  void operator()(const model::StepCancelled& event) const {
    EndIfOpen(event.run, AttemptState::kCancelled);
  }
  void operator()(const model::InstanceTerminated&) const {
    for (const model::StepRun& run : before.runs) EndIfOpen(run.id, AttemptState::kCancelled);
  }
  template <class Other>
  void operator()(const Other&) const {}
};

std::string_view StepLogsView::keys() const {
  return "a INSTANCE RUN ATTEMPT: an attempt\n";
}

std::string StepLogsView::BytesOf(const Key& key) {
  return KeyWriter('a').Number(key.instance.value).Number(key.run.value).Number(key.attempt).Take();
}

AttemptRow& StepLogsView::Begin(const Key& key) {
  return rows_[key] = AttemptRow();
}

AttemptRow* StepLogsView::Find(const Key& key, ViewWriter& writer) {
  const auto found = rows_.find(key);
  if (found != rows_.end()) return &found->second;
  const auto bytes = writer.Get(BytesOf(key));
  if (!bytes.has_value()) return nullptr;
  AttemptRow& row = rows_[key];
  CHECK(DecodeRow(*bytes, &row), "a row of {} bytes is not one of an attempt", bytes->size());
  return &row;
}

void StepLogsView::OnEvent(const model::Event& event, const model::Instance& before,
                           const model::Registry& registry, const RecordInfo& record,
                           ViewWriter& writer) {
  std::visit(AttemptWriter{*this, before, registry, record.time, writer}, event);
}

void StepLogsView::Forget(InstanceId instance, ViewWriter& writer) {
  for (std::string& key : writer.StoredKeys(PrefixOf(instance))) writer.Erase(std::move(key));
}

void StepLogsView::EndBatch(ViewWriter& writer) {
  for (const auto& [key, row] : rows_) writer.Put(BytesOf(key), EncodeRow(row));
  rows_.clear();
}

Result<StepLogPage> ReadStepLogs(const ViewReader& reader, InstanceId instance,
                                 std::string_view step, size_t limit, AttemptPlace after) {
  StepLogPage page{.position = reader.position(), .attempts = {}, .next = {}};
  const std::string prefix = PrefixOf(instance);
  KeyCursor keys = reader.Keys(prefix);
  if (after.run)
    keys.Seek(PrefixOf(instance) + KeyWriter('a')
                                       .Number(after.run.value)
                                       .Number(after.attempt + uint64_t{1})
                                       .Take()
                                       .substr(1));
  size_t bytes = 0;
  for (; keys.valid(); keys.Next()) {
    if (page.attempts.size() == limit || bytes > kMaxStepLogPageBytes) {
      if (!page.attempts.empty()) page.next = page.attempts.back().place;
      break;
    }
    KeyReader key(keys.key().substr(prefix.size()));
    AttemptEntry entry;
    entry.place.run = RunId(static_cast<uint32_t>(key.Number()));
    entry.place.attempt = static_cast<uint32_t>(key.Number());
    if (!DecodeRow(keys.value(), &entry.row))
      return Fail(ErrorCode::kStoreCorrupt,
                  fmt::format("Expected a row of the view {} but found none that can be read; "
                              "`stele views rebuild` makes it anew",
                              kStepLogsView));
    if (!step.empty() && step != entry.row.step && step != entry.row.label) continue;
    bytes += keys.value().size();
    page.attempts.push_back(std::move(entry));
  }
  STELE_RETURN_IF_ERROR(keys.status());
  return page;
}

Object ToJson(const AttemptEntry& entry) {
  const AttemptRow& row = entry.row;
  Object object{{"step", row.step},
                {"label", row.label},
                {"type", row.type},
                {"run", static_cast<int64_t>(entry.place.run.value)},
                {"attempt", static_cast<int64_t>(entry.place.attempt)},
                {"state", replay::AttemptStateName(row.state)},
                {"started", row.started.value},
                {"ended", row.ended ? Value(row.ended.value) : Value()}};
  if (!row.kind.empty()) object.Set("error", Object{{"kind", row.kind}, {"message", row.message}});
  object.Set("log", row.log);
  object.Set("log_bytes", static_cast<int64_t>(row.log_bytes));
  object.Set("log_truncated", row.log_truncated);
  return object;
}

Object ToJson(const StepLogPage& page) {
  Array attempts;
  for (const AttemptEntry& entry : page.attempts) attempts.push_back(ToJson(entry));
  Object object{{"position", static_cast<int64_t>(page.position.value)},
                {"attempts", std::move(attempts)}};
  object.Set("next", page.next.run
                         ? Value(Object{{"run", static_cast<int64_t>(page.next.run.value)},
                                        {"attempt", static_cast<int64_t>(page.next.attempt)}})
                         : Value());
  return object;
}

}  // namespace stele::projections
