#include "projections/views/step_logs.h"

#include <fmt/format.h>

#include <algorithm>

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

// Sixteen runs are in a part.
constexpr uint32_t kRunBits = 4;
// A longer log has a key of its own: it is not written again with what happens to other attempts.
constexpr size_t kMaxLogInPart = 256;

// The attempts of a part, by run and attempt. A label that is the step's id is empty, and so is a
// log that has a key of its own: `log_bytes` tells.
struct PartRow {
  std::vector<AttemptEntry> attempts;
  template <class Self, class Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.attempts);
  }
};

uint64_t PartNumber(RunId run) {
  return run.value >> kRunBits;
}

std::string PrefixOf(InstanceId instance) {
  return KeyWriter('a').Number(instance.value).Take();
}

std::string PartKey(InstanceId instance, uint64_t part) {
  return KeyWriter('a').Number(instance.value).Number(part).Take();
}

std::string LogKey(InstanceId instance, const AttemptPlace& place) {
  return KeyWriter('a')
      .Number(instance.value)
      .Number(PartNumber(place.run))
      .Number(place.run.value)
      .Number(place.attempt)
      .Take();
}

bool HasLogApart(const AttemptRow& row) {
  return row.log_bytes > kMaxLogInPart;
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
    AttemptRow& row = view.Begin(before.id, {id, attempt}, writer);
    row.step = definition.step(run.step).id;
    row.label = replay::LabelOf(before, definition, run);
    if (row.label == row.step) row.label.clear();
    row.type = definition.step(run.step).task_type;
    row.started = now;
  }
  // The row of the run's attempt, or null.
  AttemptRow* Row(const model::StepRun& run) const {
    // The first attempt of what does nothing outside has none.
    if (run.attempt == 1 && Definition().step(run.step).kind != definition::StepKind::kTask)
      return nullptr;
    return view.Find(before.id, {run.id, run.attempt}, writer);
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

  void operator()(const model::InstanceStarted&) const { view.InstanceOf(before.id).is_new = true; }
  void operator()(const model::InstanceForked&) const { view.InstanceOf(before.id).is_new = true; }
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
  return "a INSTANCE PART: attempts of sixteen runs\n"
         "a INSTANCE PART RUN ATTEMPT: a long log\n";
}

StepLogsView::Of& StepLogsView::InstanceOf(InstanceId instance) {
  if (last_of_ == nullptr || last_ != instance) {
    last_ = instance;
    last_of_ = &instances_[instance];
  }
  return *last_of_;
}

StepLogsView::Part& StepLogsView::PartOf(InstanceId instance, RunId run, ViewWriter& writer) {
  Of& of = InstanceOf(instance);
  const uint64_t number = PartNumber(run);
  for (auto& [known, part] : of.parts)
    if (known == number) return part;
  Part& part = of.parts.emplace_back(number, Part()).second;
  if (of.is_new) return part;
  if (const auto bytes = writer.Get(PartKey(instance, number))) {
    PartRow row;
    CHECK(DecodeRow(*bytes, &row), "{} bytes are not the attempts of a part", bytes->size());
    part.attempts = std::move(row.attempts);
  }
  return part;
}

AttemptRow& StepLogsView::Begin(InstanceId instance, const AttemptPlace& place,
                                ViewWriter& writer) {
  Part& part = PartOf(instance, place.run, writer);
  if (AttemptRow* row = Find(instance, place, writer)) return *row = AttemptRow();
  part.attempts.push_back({place, {}});
  return part.attempts.back().row;
}

AttemptRow* StepLogsView::Find(InstanceId instance, const AttemptPlace& place, ViewWriter& writer) {
  Part& part = PartOf(instance, place.run, writer);
  for (auto entry = part.attempts.rbegin(); entry != part.attempts.rend(); ++entry)
    if (entry->place == place) return &entry->row;
  return nullptr;
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
  for (auto& [instance, of] : instances_)
    for (auto& [number, part] : of.parts) Write(instance, number, part, writer);
  instances_.clear();
  last_of_ = nullptr;
}

void StepLogsView::Write(InstanceId instance, uint64_t number, Part& part, ViewWriter& writer) {
  if (part.attempts.empty()) return;
  std::ranges::sort(part.attempts, {}, &AttemptEntry::place);
  for (AttemptEntry& entry : part.attempts) {
    // It is empty when it was written by an earlier batch.
    if (!HasLogApart(entry.row) || entry.row.log.empty()) continue;
    writer.Put(LogKey(instance, entry.place), std::move(entry.row.log));
    entry.row.log.clear();
  }
  PartRow row{std::move(part.attempts)};
  writer.Put(PartKey(instance, number), EncodeRow(row));
}

namespace {

// Makes it as it was before it was written.
Status Complete(const ViewReader& reader, InstanceId instance, AttemptEntry& entry) {
  if (entry.row.label.empty()) entry.row.label = entry.row.step;
  if (!HasLogApart(entry.row)) return {};
  auto log = reader.Get(LogKey(instance, entry.place));
  if (!log.has_value()) return std::unexpected(log.error());
  if (log->has_value()) entry.row.log = **std::move(log);
  return {};
}

}  // namespace

Result<StepLogPage> ReadStepLogs(const ViewReader& reader, InstanceId instance,
                                 std::string_view step, size_t limit, AttemptPlace after) {
  StepLogPage page{.position = reader.position(), .attempts = {}, .next = {}};
  const std::string prefix = PrefixOf(instance);
  KeyCursor keys = reader.Keys(prefix);
  if (after.run) keys.Seek(PartKey(instance, PartNumber(after.run)));
  size_t bytes = 0;
  while (keys.valid()) {
    PartRow part;
    if (!DecodeRow(keys.value(), &part) || part.attempts.empty())
      return Fail(ErrorCode::kStoreCorrupt,
                  fmt::format("Expected a row of the view {} but found none that can be read; "
                              "`stele projections rebuild` makes it anew",
                              kStepLogsView));
    const uint64_t number = PartNumber(part.attempts[0].place.run);
    for (AttemptEntry& entry : part.attempts) {
      if (after.run && entry.place <= after) continue;
      if (page.attempts.size() == limit || bytes > kMaxStepLogPageBytes) {
        if (!page.attempts.empty()) page.next = page.attempts.back().place;
        return page;
      }
      STELE_RETURN_IF_ERROR(Complete(reader, instance, entry));
      if (!step.empty() && step != entry.row.step && step != entry.row.label) continue;
      bytes += entry.row.log.size() + entry.row.message.size();
      page.attempts.push_back(std::move(entry));
    }
    // Behind its logs.
    keys.Seek(PartKey(instance, number + 1));
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
