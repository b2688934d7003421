#include "projections/views/statistics.h"

#include <algorithm>

#include "base/check.h"
#include "engine/model/beginning.h"

namespace stele::projections {

namespace {

using model::RunState;

constexpr Resolution kResolutions[] = {Resolution::kMinute, Resolution::kHour, Resolution::kDay};

template <class Row>
Row Load(ViewWriter& writer, const std::string& key) {
  Row row;
  const std::optional<std::string> bytes = writer.Get(key);
  if (bytes.has_value())
    CHECK(DecodeRow(*bytes, &row), "a row of {} bytes is not one of statistics", bytes->size());
  return row;
}

// Adds to what is kept of the slot; a later slot that has its place stays.
template <class Counts>
void MergeSlot(std::string key, int64_t number, const Counts& counts, ViewWriter& writer) {
  auto row = Load<Slot<Counts>>(writer, key);
  if (row.number > number) return;
  if (row.number < number) row = {.number = number, .counts = {}};
  row.counts.Merge(counts);
  writer.Put(std::move(key), EncodeRow(row));
}

void MergeDefinition(std::string key, const DefinitionRow& noted, std::optional<uint32_t> state,
                     ViewWriter& writer) {
  auto row = Load<DefinitionRow>(writer, key);
  row.Merge(noted);
  row.state = state.value_or(row.state);
  writer.Put(std::move(key), EncodeRow(row));
}

int64_t* GaugeOf(RunGauges& gauges, const model::StepRun& run) {
  switch (run.state) {
    case RunState::kAttempt:
      // A call whose child has started has nothing outside any more.
      return run.child ? &gauges.waiting : &gauges.attempts;
    case RunState::kBackoff:
      return &gauges.backoffs;
    case RunState::kDelay:
    case RunState::kWaiting:
      return &gauges.waiting;
    case RunState::kParked:
      return &gauges.parked;
    case RunState::kHeld:
    case RunState::kFailing:
      return &gauges.held;
    // Others go on in its place, or it ends in the same record.
    case RunState::kChildren:
    case RunState::kDone:
    case RunState::kFailed:
      return nullptr;
  }
  return nullptr;
}

bool RunsOthers(const definition::Step& step) {
  return step.kind == definition::StepKind::kLoop || step.kind == definition::StepKind::kSubProcess;
}

}  // namespace

// Counts an event of an instance. Those that are not here count for nothing.
struct StatisticsCounter {
  StatisticsView::Notes& notes;
  const model::Instance& before;
  TimeUs now;

  InstanceCounts& Instances() const { return notes.Minute(now); }
  const model::StepRun& Run(RunId id) const {
    const model::StepRun* run = before.FindRun(id);
    CHECK(run != nullptr, "instance {} has no run {}", before.id.value, id.value);
    return *run;
  }
  StepCounts& StepOf(RunId id) const { return notes.Of(Run(id).step, now); }
  void End() const { notes.row.last_ended = std::max(notes.row.last_ended, now); }

  void operator()(const model::InstanceStarted&) const { Begin(); }
  void operator()(const model::InstanceForked&) const { Begin(); }
  void Begin() const {
    ++Instances().started;
    DefinitionRow& row = notes.row;
    row.first_started = row.first_started ? std::min(row.first_started, now) : now;
    row.last_started = std::max(row.last_started, now);
  }
  void operator()(const model::InstanceCompleted&) const {
    InstanceCounts& counts = Instances();
    ++counts.completed;
    counts.durations.Add(now.value - before.started.value);
    End();
  }
  void operator()(const model::InstanceFailed&) const {
    ++Instances().failed;
    End();
  }
  void operator()(const model::InstanceCancelled&) const {
    ++Instances().cancelled;
    End();
  }
  void operator()(const model::InstanceTerminated&) const {
    ++Instances().terminated;
    // Its runs end without an event of theirs.
    for (const model::StepRun& run : before.runs) ++notes.Of(run.step, now).cancelled;
    End();
  }
  void operator()(const model::InstanceRetryRequested&) const { ++Instances().retried; }
  void operator()(const model::InstanceMigrated&) const { ++Instances().migrated_out; }

  void operator()(const model::StepActivated& event) const {
    StepCounts& counts = notes.Of(event.step, now);
    ++counts.activated;
    ++counts.attempts;
  }
  void operator()(const model::StepPassed& event) const { ++notes.Of(event.step, now).passed; }
  void operator()(const model::StepSkipped& event) const { ++notes.Of(event.step, now).skipped; }
  void operator()(const model::StepCompleted& event) const {
    const model::StepRun& run = Run(event.run);
    StepCounts& counts = notes.Of(run.step, now);
    ++counts.completed;
    if (run.attempt > run.uncounted + 1) ++counts.retried_completed;
    counts.durations.Add(now.value - run.activated.value);
  }
  void operator()(const model::StepFailed& event) const {
    // With a fallback it has not ended yet.
    if (!event.fallback) ++StepOf(event.run).failed;
  }
  void operator()(const model::StepCancelled& event) const { ++StepOf(event.run).cancelled; }
  void operator()(const model::CompensationWaived& event) const {
    for (const model::StepRun& run : before.runs)
      if (run.purpose == model::Purpose::kCompensation && run.of == event.run)
        ++notes.Of(run.step, now).cancelled;
  }
  void operator()(const model::AttemptStarted& event) const {
    const model::StepRun& run = Run(event.run);
    StepCounts& counts = notes.Of(run.step, now);
    ++counts.attempts;
    // The second one that counts, once: what the engine had stopped begins again under the same
    // count.
    if (run.state != RunState::kHeld && event.attempt == run.uncounted + 2) ++counts.retried;
  }
  void operator()(const model::AttemptFailed& event) const {
    StepCounts& counts = StepOf(event.run);
    ++counts.failed_attempts;
    if (event.kind == "timeout") ++counts.timeouts;
    ++Instances().failed_attempts;
  }
  void operator()(const model::AttemptInterrupted& event) const { ++StepOf(event.run).interrupted; }
  void operator()(const model::TimerElapsed& event) const {
    if (event.kind == model::TimerKind::kAttemptDeadline) ++StepOf(event.run).timeouts;
  }
  template <class Other>
  void operator()(const Other&) const {}
};

size_t StatisticsView::Notes::SizeOf(size_t group) const {
  return std::min(kStepsInARow, definition->steps.size() - group * kStepsInARow);
}

StepCounts& StatisticsView::Notes::Of(StepIndex step, TimeUs time) {
  const size_t group = step.value / kStepsInARow;
  auto& steps = groups[group].days[SlotOf(time, Resolution::kDay)].steps;
  if (steps.empty()) steps.resize(SizeOf(group));
  return steps[step.value % kStepsInARow];
}

RunGauges& StatisticsView::Notes::RunsOf(StepIndex step) {
  const size_t group = step.value / kStepsInARow;
  if (groups[group].runs.empty()) groups[group].runs.resize(SizeOf(group));
  return groups[group].runs[step.value % kStepsInARow];
}

std::string_view StatisticsView::keys() const {
  return "A: all definitions\n"
         "L: the time of the latest record\n"
         "s NAME VERSION GROUP: some steps of a version\n"
         "t RESOLUTION NAME PLACE: a minute, an hour, a day of a definition\n"
         "u NAME VERSION GROUP PLACE: a day of those steps\n"
         "v NAME VERSION: a version\n";
}

StatisticsView::Notes& StatisticsView::NotesOf(DefinitionId definition,
                                               const model::Registry& registry) {
  if (last_notes_ != nullptr && last_definition_ == definition) return *last_notes_;
  const auto [found, is_new] = notes_.try_emplace(definition);
  Notes& notes = found->second;
  if (is_new) {
    const model::RegisteredDefinition* registered = registry.Find(definition);
    CHECK(registered != nullptr, "no definition {}", definition.value);
    notes.name = registered->name;
    notes.version = registered->version;
    notes.definition = registered->definition;
    notes.groups.resize((notes.definition->steps.size() + kStepsInARow - 1) / kStepsInARow);
  }
  last_definition_ = definition;
  last_notes_ = &notes;
  return notes;
}

void StatisticsView::AddStanding(const model::Instance& instance, const model::Registry& registry,
                                 int64_t sign) {
  if (instance.status == model::Status::kNone || model::HasEnded(instance.status)) return;
  Notes& notes = NotesOf(instance.definition, registry);
  notes.row.open += sign;
  if (instance.queued) notes.row.queued += sign;
  if (instance.paused) notes.row.paused += sign;
  for (const model::StepRun& run : instance.runs) {
    if (int64_t* gauge = GaugeOf(notes.row.runs, run)) *gauge += sign;
    if (int64_t* gauge = GaugeOf(notes.RunsOf(run.step), run)) *gauge += sign;
  }
}

void StatisticsView::OnEvent(const model::Event& event, const model::Instance& before,
                             const model::Registry& registry, const RecordInfo& record,
                             ViewWriter& writer) {
  latest_ = std::max(latest_, record.time);
  if (last_seen_ != record.instance) {
    last_seen_ = record.instance;
    if (seen_.insert(record.instance).second) AddStanding(before, registry, -1);
  }
  DefinitionId definition = before.definition;
  if (model::BeginsInstance(event)) {
    definition = model::DefinitionBehind(event);
  } else if (const auto* migrated = std::get_if<model::InstanceMigrated>(&event)) {
    ++NotesOf(migrated->definition, registry).Minute(record.time).migrated_in;
  }
  std::visit(StatisticsCounter{NotesOf(definition, registry), before, record.time}, event);
}

void StatisticsView::OnRegistry(const model::Event& event, const model::Registry& after,
                                const RecordInfo& record, ViewWriter& writer) {
  latest_ = std::max(latest_, record.time);
  if (const auto* registered = std::get_if<model::DefinitionRegistered>(&event)) {
    Notes& notes = NotesOf(registered->definition, after);
    notes.row.registered = record.time;
    notes.state = static_cast<uint32_t>(after.Find(registered->definition)->state);
  } else if (const auto* changed = std::get_if<model::DefinitionStateChanged>(&event)) {
    NotesOf(changed->definition, after).state =
        static_cast<uint32_t>(after.Find(changed->definition)->state);
  }
}

void StatisticsView::OnInstance(const model::Instance& instance, const model::Registry& registry,
                                ViewWriter& writer) {
  AddStanding(instance, registry, 1);
}

// Every step is in its group's row from its registration on.
void StatisticsView::WriteSteps(const Notes& notes, size_t group, ViewWriter& writer) {
  const Group& noted = notes.groups[group];
  const size_t size = notes.SizeOf(group);
  if (noted.days.empty() && noted.runs.empty() && !notes.row.registered) return;
  std::string key = StepsKey(notes.name, notes.version, group);
  auto row = Load<StepsRow>(writer, key);
  row.steps.resize(size);
  for (size_t i = 0; i < size; ++i) {
    const definition::Step& step = notes.definition->steps[group * kStepsInARow + i];
    row.steps[i].step = step.id;
    row.steps[i].type = step.task_type;
    row.steps[i].container = RunsOthers(step);
    if (!noted.runs.empty()) row.steps[i].runs.Merge(noted.runs[i]);
  }
  for (const auto& [day, counts] : noted.days) {
    for (size_t i = 0; i < size; ++i) row.steps[i].counts.Merge(counts.steps[i]);
    MergeSlot(StepsSlotKey(notes.name, notes.version, group, day), day, counts, writer);
  }
  writer.Put(std::move(key), EncodeRow(row));
}

void StatisticsView::Merge(const model::ViewRow& row, ViewWriter& writer) {
  const auto read = [&](auto decoded) {
    CHECK(DecodeRow(row.value, &decoded), "{} bytes are no row of statistics of version {}",
          row.value.size(), row.version);
    return decoded;
  };
  switch (row.key.front()) {
    case 'A':
    case 'v':
      return MergeDefinition(row.key, read(DefinitionRow()), std::nullopt, writer);
    case 's': {
      const StepsRow added = read(StepsRow());
      auto steps = Load<StepsRow>(writer, row.key);
      steps.steps.resize(std::max(steps.steps.size(), added.steps.size()));
      for (size_t i = 0; i < added.steps.size(); ++i) {
        steps.steps[i].counts.Merge(added.steps[i].counts);
        steps.steps[i].runs.Merge(added.steps[i].runs);
      }
      return writer.Put(row.key, EncodeRow(steps));
    }
    case 't': {
      const SlotRow slot = read(SlotRow());
      return MergeSlot(row.key, slot.number, slot.counts, writer);
    }
    case 'u': {
      const StepsSlotRow slot = read(StepsSlotRow());
      return MergeSlot(row.key, slot.number, slot.counts, writer);
    }
    default:  // the time of the latest record: a later one is in the log
      return;
  }
}

void StatisticsView::EndBatch(ViewWriter& writer) {
  DefinitionRow all;
  Series series;
  for (auto& [id, notes] : notes_) {
    for (const auto& [minute, counts] : notes.minutes) {
      notes.row.counts.Merge(counts);
      const TimeUs start(minute * SlotUs(Resolution::kMinute));
      for (const Resolution resolution : kResolutions) {
        const auto number = SlotOf(start, resolution);
        series[notes.name][static_cast<size_t>(resolution)][number].Merge(counts);
        series[""][static_cast<size_t>(resolution)][number].Merge(counts);
      }
    }
    all.Merge(notes.row);
    MergeDefinition(VersionKey(notes.name, notes.version), notes.row, notes.state, writer);
    for (size_t group = 0; group < notes.groups.size(); ++group) WriteSteps(notes, group, writer);
  }
  if (!notes_.empty()) MergeDefinition(AllKey(), all, std::nullopt, writer);
  for (const auto& [name, resolutions] : series)
    for (const Resolution resolution : kResolutions)
      for (const auto& [number, counts] : resolutions[static_cast<size_t>(resolution)])
        MergeSlot(SlotKey(resolution, name, number), number, counts, writer);
  if (latest_ > Load<LatestRow>(writer, LatestKey()).time)
    writer.Put(LatestKey(), EncodeRow(LatestRow{latest_}));
  notes_.clear();
  last_notes_ = nullptr;
  seen_.clear();
  last_seen_ = InstanceId();
  latest_ = TimeUs();
}

}  // namespace stele::projections
