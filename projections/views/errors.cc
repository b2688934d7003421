#include "projections/views/errors.h"

#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "engine/definition/faults.h"
#include "engine/model/codec.h"
#include "projections/keys.h"
#include "projections/page_cursor.h"
#include "projections/row.h"
#include "projections/words.h"

namespace stele::projections {

namespace {

using model::RunState;

struct Count {
  uint64_t value = 0;
  template <class Self, class Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.value);
  }
};

std::string RowKey(const ErrorRow& row) {
  return KeyWriter('e').Text(row.definition).Text(row.step).Text(row.kind).Take();
}

std::string OrderKey(const ErrorRow& row) {
  return KeyWriter('l')
      .Descending(row.last.value)
      .Text(row.definition)
      .Text(row.step)
      .Text(row.kind)
      .Take();
}

void AddTo(ErrorRow& row, const ErrorRow& note) {
  row.count += note.count;
  row.attempts += note.attempts;
  row.steps += note.steps;
  row.incidents += note.incidents;
  row.instances += note.instances;
  row.first = row.first ? std::min(row.first, note.first) : note.first;
  if (note.last < row.last || (note.last == row.last && note.position < row.position)) return;
  row.last = note.last;
  row.position = note.position;
  row.instance = note.instance;
  row.run = note.run;
}

std::string KindOf(std::string_view told) {
  return told == kOtherErrors ? definition::Quote(told)
                              : std::string(CutText(told, kMaxErrorKindBytes));
}

// Its failure is known: what follows is what comes of it.
bool HasFailed(RunState state) {
  return state == RunState::kFailed || state == RunState::kFailing || state == RunState::kParked;
}

}  // namespace

// Notes an event of an instance. Those that are not here are no errors.
struct ErrorCounter {
  ErrorsView& view;
  const model::Instance& before;
  const model::Registry& registry;
  const RecordInfo& record;

  const model::StepRun& Run(RunId id) const {
    const model::StepRun* run = before.FindRun(id);
    CHECK(run != nullptr, "instance {} has no run {}", before.id.value, id.value);
    return *run;
  }
  ErrorsView::Told ThisOne(RunId run) const { return {record.position, run}; }

  // The row of a step's error, or of the instance's when `run` is null.
  ErrorRow& Note(const model::StepRun* run, std::string_view kind) const {
    const model::RegisteredDefinition* definition = registry.Find(before.definition);
    CHECK(definition != nullptr, "no definition {}", before.definition.value);
    ErrorRow& note = view.NoteOf({definition->name,
                                  run == nullptr ? "" : definition->definition->step(run->step).id,
                                  KindOf(kind)});
    note.first = note.first ? std::min(note.first, record.time) : record.time;
    if (std::pair(record.time, record.position) < std::pair(note.last, note.position)) return note;
    note.last = record.time;
    note.position = record.position;
    note.instance = before.id;
    note.run = run == nullptr ? RunId() : run->id;
    return note;
  }
  void FailedAttempt(RunId id, std::string_view kind) const {
    ErrorRow& note = Note(&Run(id), kind);
    ++note.count;
    ++note.attempts;
    view.told_ = ThisOne(id);
  }
  // What a failing run comes to; it is counted unless its attempt or what it holds was.
  template <class Event>
  ErrorRow& Outcome(const Event& event) const {
    const model::StepRun& run = Run(event.run);
    ErrorRow& note = Note(&run, event.kind);
    if (HasFailed(run.state) || view.told_ == ThisOne(event.run)) return note;
    ++note.count;
    if (view.timed_out_ == ThisOne(event.run)) ++note.attempts;
    view.told_ = ThisOne(event.run);
    return note;
  }

  void operator()(const model::AttemptFailed& event) const { FailedAttempt(event.run, event.kind); }
  void operator()(const model::AttemptInterrupted& event) const {
    if (event.by == model::Interruption::kCrash) FailedAttempt(event.run, "interrupted");
  }
  void operator()(const model::TimerElapsed& event) const {
    if (event.kind == model::TimerKind::kAttemptDeadline) view.timed_out_ = ThisOne(event.run);
  }
  void operator()(const model::RetryScheduled& event) const {
    if (view.timed_out_ == ThisOne(event.run)) FailedAttempt(event.run, "timeout");
  }
  void operator()(const model::ScopeClosed& event) const {
    // The run that it belongs to fails with what happened inside.
    const model::Scope* scope = before.FindScope(event.scope);
    if (event.outcome == model::Outcome::kFailed && scope != nullptr)
      view.told_ = ThisOne(scope->owner);
  }
  void operator()(const model::StepFailing& event) const { Outcome(event); }
  void operator()(const model::StepFailed& event) const {
    ErrorRow& note = Outcome(event);
    if (!event.fallback) ++note.steps;
  }
  void operator()(const model::IncidentRaised& event) const { ++Outcome(event).incidents; }
  void operator()(const model::InstanceFailed& event) const {
    ErrorRow& note = Note(nullptr, event.kind);
    ++note.instances;
    // What it was undone for was counted when that began.
    if (!event.run && !event.compensated) ++note.count;
  }
  void operator()(const model::CompensationStarted& event) const {
    const bool is_its_own = event.scope == ScopeId() && !event.run;
    if (is_its_own && event.ends_as == model::Outcome::kFailed) ++Note(nullptr, event.kind).count;
  }
  template <class Other>
  void operator()(const Other&) const {}
};

std::string_view ErrorsView::keys() const {
  return "e DEFINITION STEP KIND: an error\n"
         "l LAST DEFINITION STEP KIND: the order, the latest first\n"
         "n DEFINITION: how many errors it has\n";
}

ErrorRow& ErrorsView::NoteOf(Key key) {
  const auto [found, is_new] = index_.try_emplace(std::move(key), notes_.size());
  if (is_new) {
    ErrorRow& note = notes_.emplace_back();
    std::tie(note.definition, note.step, note.kind) = found->first;
  }
  return notes_[found->second];
}

void ErrorsView::OnEvent(const model::Event& event, const model::Instance& before,
                         const model::Registry& registry, const RecordInfo& record,
                         ViewWriter& writer) {
  std::visit(ErrorCounter{*this, before, registry, record}, event);
}

void ErrorsView::Write(ErrorRow note, ViewWriter& writer) {
  std::optional<std::string> stored = writer.Get(RowKey(note));
  if (!stored.has_value() && note.kind != kOtherErrors) {
    const std::string key = KeyWriter('n').Text(note.definition).Take();
    Count count;
    if (const auto bytes = writer.Get(key); bytes.has_value()) DecodeRow(*bytes, &count);
    if (count.value >= kMaxErrorsOfADefinition) {
      note.step.clear();
      note.kind = kOtherErrors;
      note.run = RunId();
      stored = writer.Get(RowKey(note));
    } else {
      ++count.value;
      writer.Put(key, EncodeRow(count));
    }
  }
  ErrorRow row{.definition = note.definition,
               .step = note.step,
               .kind = note.kind,
               .first = {},
               .last = {},
               .position = {},
               .instance = {},
               .run = {},
               .message = {}};
  if (stored.has_value()) {
    CHECK(DecodeRow(*stored, &row), "a row of {} bytes is not one of errors", stored->size());
    writer.Erase(OrderKey(row));
  }
  AddTo(row, note);
  writer.Put(RowKey(row), EncodeRow(row));
  writer.Put(OrderKey(row), "");
}

void ErrorsView::Merge(const model::ViewRow& row, ViewWriter& writer) {
  // What the rows are ordered and counted by comes with them.
  if (!row.key.starts_with('e')) return;
  ErrorRow note;
  CHECK(DecodeRow(row.value, &note), "{} bytes are no row of errors of version {}",
        row.value.size(), row.version);
  Write(std::move(note), writer);
}

void ErrorsView::EndBatch(ViewWriter& writer) {
  for (ErrorRow& note : notes_) Write(std::move(note), writer);
  notes_.clear();
  index_.clear();
}

namespace {

bool Fits(const ErrorRow& row, const ErrorFilter& filter) {
  const auto is = [](const std::string& wanted, const std::string& found) {
    return wanted.empty() || wanted == found;
  };
  return !Hides(filter.hidden, row.definition) && is(filter.definition, row.definition) &&
         is(filter.step, row.step) && is(filter.kind, row.kind);
}

// The same for filters that are the same.
std::string TextOf(const ErrorFilter& filter, const std::string& course) {
  std::string text = "of errors";
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) text += fmt::format(", {} {}", name, definition::Quote(value));
  };
  add("definition", filter.definition);
  add("step", filter.step);
  add("kind", filter.kind);
  add("since", filter.since_text.empty() && filter.since ? fmt::format("{} µs", filter.since.value)
                                                         : filter.since_text);
  return course.empty() ? text : fmt::format("{}, {}", text, course);
}

}  // namespace

Result<ErrorPage> ListErrors(const ViewReader& reader, const ErrorFilter& filter, size_t limit,
                             std::string_view cursor, const std::string& course) {
  ErrorPage page{.position = reader.position(), .errors = {}, .next = {}};
  const std::string search = TextOf(filter, course);
  TimeUs since = filter.since;
  KeyCursor order = reader.Keys("l");
  if (!cursor.empty()) {
    const Result<PageCursor> place = ReadCursor(cursor, search);
    if (!place.has_value()) return std::unexpected(place.error());
    if (!filter.since_text.empty()) since = place->now;
    order.Seek(place->place);
    if (order.valid() && order.key() == place->place) order.Next();
  }
  size_t looked_at = 0;
  std::string last;
  const auto go_on_behind = [&](const std::string& place) {
    if (!place.empty())
      page.next = WriteCursor({.place = place, .behind = true, .now = since}, search);
  };
  for (; order.valid(); order.Next(), ++looked_at) {
    const bool full = page.errors.size() == limit;
    // That there is one more must not tell of hidden ones.
    if ((full && filter.hidden == nullptr) || looked_at == kMaxErrorsLookedAt) {
      go_on_behind(last);
      break;
    }
    const std::string before = std::exchange(last, std::string(order.key()));
    KeyReader key(order.key());
    key.Byte();
    if (key.Descending() < since.value) break;
    const auto bytes = reader.Get(std::string("e") + std::string(key.rest()));
    if (!bytes.has_value()) return std::unexpected(bytes.error());
    ErrorRow row;
    if (!bytes->has_value() || !DecodeRow(**bytes, &row))
      return Fail(ErrorCode::kStoreCorrupt,
                  fmt::format("Expected a row of the view {} but found none that can be read; "
                              "`stele projections rebuild` makes it anew",
                              kErrorsView));
    if (!Fits(row, filter)) continue;
    if (full) {
      go_on_behind(before);
      break;
    }
    page.errors.push_back(std::move(row));
  }
  STELE_RETURN_IF_ERROR(order.status());
  return page;
}

namespace {

// What was said when the error came, of the events of its record.
struct MessageOf {
  const ErrorRow& row;
  template <class Event>
    requires requires(const Event& e) {
      e.run;
      e.kind.size();
      e.message.size();
    }
  std::string operator()(const Event& event) const {
    const bool is_its =
        std::is_same_v<Event, model::InstanceFailed> ? !row.run : event.run == row.run;
    return is_its && KindOf(event.kind) == row.kind ? event.message : "";
  }
  std::string operator()(const model::AttemptInterrupted& event) const {
    return event.run == row.run && row.kind == "interrupted"
               ? "The engine died while the attempt ran"
               : "";
  }
  std::string operator()(const model::RetryScheduled& event) const {
    return event.run == row.run && row.kind == "timeout" ? "The step's timeout has elapsed" : "";
  }
  template <class Other>
  std::string operator()(const Other&) const {
    return "";
  }
};

}  // namespace

Status ReadMessages(const eventstore::EventStore& log, ShardId shard, ErrorPage& page) {
  for (ErrorRow& row : page.errors) {
    if (row.kind == kOtherErrors) continue;
    const auto cursor = log.Read(shard, row.position);
    if (!cursor.has_value()) return std::unexpected(cursor.error());
    const auto record = (*cursor)->Next();
    if (!record.has_value()) return std::unexpected(record.error());
    if (!record->has_value() || (*record)->position != row.position) continue;
    STELE_RETURN_IF_ERROR(model::DecodeEach((*record)->body, [&](const model::Event& event) {
      if (std::string said = std::visit(MessageOf{row}, event); !said.empty())
        row.message = CutText(said, kMaxErrorMessageBytes);
    }));
  }
  return {};
}

Object ToJson(const ErrorRow& row) {
  const auto whole = [](uint64_t number) { return Value(static_cast<int64_t>(number)); };
  // What failed with it did so, even where the error itself is counted in another row.
  const uint64_t seen = std::max({row.count, row.steps, row.incidents, row.instances});
  return {{"definition", row.definition},
          {"step", row.step.empty() ? Value() : Value(row.step)},
          {"error_type", row.kind},
          {"count", whole(seen)},
          {"own", whole(row.count)},
          {"attempts", whole(row.attempts)},
          {"steps", whole(row.steps)},
          {"incidents", whole(row.incidents)},
          {"instances", whole(row.instances)},
          {"first_occurrence", row.first.value},
          {"last_occurrence", row.last.value},
          {"message", row.message},
          {"instance", whole(row.instance.value)},
          {"run", row.run ? whole(row.run.value) : Value()}};
}

Object ToJson(const ErrorPage& page) {
  Array errors;
  for (const ErrorRow& row : page.errors) errors.push_back(ToJson(row));
  return {{"position", static_cast<int64_t>(page.position.value)},
          {"errors", std::move(errors)},
          {"next", page.next.empty() ? Value() : Value(page.next)}};
}

}  // namespace stele::projections
