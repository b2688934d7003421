#include "projections/views/workers.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "engine/model/worker_actor.h"
#include "projections/keys.h"
#include "projections/row.h"

namespace stele::projections {

namespace {

struct Count {
  uint64_t value = 0;
  template <class Self, class Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.value);
  }
};

std::string RowKey(std::string_view name) {
  return KeyWriter('w').Text(name).Take();
}

void AddTo(WorkerRow& row, const WorkerRow& note) {
  row.completed += note.completed;
  row.failed += note.failed;
  row.first = row.first ? std::min(row.first, note.first) : note.first;
  row.last = std::max(row.last, note.last);
}

void Write(WorkerRow note, ViewWriter& writer) {
  std::optional<std::string> stored = writer.Get(RowKey(note.name));
  if (!stored.has_value() && note.name != kOtherWorkers) {
    Count count;
    if (const auto bytes = writer.Get("n"); bytes.has_value())
      CHECK(DecodeRow(*bytes, &count), "{} bytes are no count of workers", bytes->size());
    if (count.value >= kMaxWorkers) {
      note.name = kOtherWorkers;
      stored = writer.Get(RowKey(note.name));
    } else {
      ++count.value;
      writer.Put("n", EncodeRow(count));
    }
  }
  WorkerRow row{.name = note.name, .first = {}, .last = {}};
  if (stored.has_value())
    CHECK(DecodeRow(*stored, &row), "{} bytes are no row of workers", stored->size());
  AddTo(row, note);
  writer.Put(RowKey(row.name), EncodeRow(row));
}

}  // namespace

std::string_view WorkersView::keys() const {
  return "w NAME: a worker\n"
         "n: how many there are\n";
}

void WorkersView::OnEvent(const model::Event& event, const model::Instance&, const model::Registry&,
                          const RecordInfo& record, ViewWriter&) {
  const std::string_view name = model::WorkerOfActor(record.actor);
  if (name.empty()) return;
  const bool completed = std::holds_alternative<model::AttemptCompleted>(event);
  if (!completed && !std::holds_alternative<model::AttemptFailed>(event)) return;
  const auto found = notes_.try_emplace(std::string(name)).first;
  AddTo(found->second, {.name = {},
                        .completed = completed ? 1u : 0u,
                        .failed = completed ? 0u : 1u,
                        .first = record.time,
                        .last = record.time});
}

void WorkersView::EndBatch(ViewWriter& writer) {
  for (auto& [name, note] : notes_) {
    note.name = name;
    Write(std::move(note), writer);
  }
  notes_.clear();
}

void WorkersView::Merge(const model::ViewRow& row, ViewWriter& writer) {
  if (!row.key.starts_with('w')) return;
  WorkerRow note;
  CHECK(DecodeRow(row.value, &note), "{} bytes are no row of workers of version {}",
        row.value.size(), row.version);
  Write(std::move(note), writer);
}

Result<WorkerList> ListWorkers(const ViewReader& reader) {
  WorkerList list{.position = reader.position(), .workers = {}};
  KeyCursor rows = reader.Keys("w");
  for (; rows.valid(); rows.Next()) {
    WorkerRow row;
    if (!DecodeRow(rows.value(), &row))
      return Fail(ErrorCode::kStoreCorrupt,
                  fmt::format("Expected a row of the view {} but found none that can be read; "
                              "`stele projections rebuild` makes it anew",
                              kWorkersView));
    list.workers.push_back(std::move(row));
  }
  STELE_RETURN_IF_ERROR(rows.status());
  std::ranges::stable_sort(list.workers, std::greater(), &WorkerRow::last);
  return list;
}

Object ToJson(const WorkerRow& row) {
  return {{"name", row.name},
          {"completed", static_cast<int64_t>(row.completed)},
          {"failed", static_cast<int64_t>(row.failed)},
          {"first", row.first.value},
          {"last", row.last.value}};
}

Object ToJson(const WorkerList& list) {
  Array workers;
  for (const WorkerRow& row : list.workers) workers.push_back(ToJson(row));
  return {{"position", static_cast<int64_t>(list.position.value)}, {"workers", std::move(workers)}};
}

}  // namespace stele::projections
