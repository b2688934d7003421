#include "projections/views/closed.h"

#include <fmt/format.h>

#include "base/check.h"
#include "projections/keys.h"
#include "projections/row.h"

namespace stele::projections {

namespace {

std::string PlacePrefix(DefinitionId definition) {
  return KeyWriter('d').Number(definition.value).Take();
}

std::string PlaceKey(DefinitionId definition, ClosedPlace place) {
  return KeyWriter('d')
      .Number(definition.value)
      .Number(static_cast<uint64_t>(std::max<int64_t>(place.ended.value, 0)))
      .Number(place.instance.value)
      .Take();
}

std::string RowKey(InstanceId instance) {
  return KeyWriter('i').Number(instance.value).Take();
}

constexpr char kCalled = 'p';
constexpr char kForked = 'f';

// What came of an instance: `kind` says how.
std::string KinKey(char kind, InstanceId from, InstanceId to) {
  return KeyWriter(kind).Number(from.value).Number(to.value).Take();
}

Result<std::vector<InstanceId>> KinOf(const ViewReader& reader, char kind, InstanceId from) {
  const std::string prefix = KeyWriter(kind).Number(from.value).Take();
  std::vector<InstanceId> found;
  KeyCursor keys = reader.Keys(prefix);
  for (; keys.valid(); keys.Next())
    found.emplace_back(KeyReader(keys.key().substr(prefix.size())).Number());
  STELE_RETURN_IF_ERROR(keys.status());
  return found;
}

std::optional<ClosedRow> RowOf(InstanceId instance, ViewWriter& writer) {
  const auto bytes = writer.Get(RowKey(instance));
  if (!bytes.has_value()) return std::nullopt;
  ClosedRow row;
  CHECK(DecodeRow(*bytes, &row), "the row of instance {} is none", instance.value);
  return row;
}

void Close(const model::Instance& instance, TimeUs ended, ViewWriter& writer) {
  const ClosedRow row{instance.definition, ended, instance.parent_instance, instance.origin};
  writer.Put(RowKey(instance.id), EncodeRow(row));
  if (!row.parent) writer.Put(PlaceKey(row.definition, {ended, instance.id}), "");
}

void Reopen(InstanceId instance, ViewWriter& writer) {
  const std::optional<ClosedRow> row = RowOf(instance, writer);
  if (!row.has_value()) return;
  writer.Erase(RowKey(instance));
  writer.Erase(PlaceKey(row->definition, {row->ended, instance}));
}

}  // namespace

std::string_view ClosedView::keys() const {
  return "d DEFINITION ENDED INSTANCE: one that has ended, and that nobody called\n"
         "i INSTANCE: one that has ended\n"
         "p PARENT CHILD: what an instance called\n"
         "f ORIGIN FORK: what was forked from an instance\n";
}

void ClosedView::OnEvent(const model::Event& event, const model::Instance& before,
                         const model::Registry&, const RecordInfo& record, ViewWriter& writer) {
  if (const auto* started = std::get_if<model::InstanceStarted>(&event)) {
    if (started->parent_instance)
      writer.Put(KinKey(kCalled, started->parent_instance, record.instance), "");
  } else if (const auto* forked = std::get_if<model::InstanceForked>(&event)) {
    writer.Put(KinKey(kForked, forked->origin, record.instance), "");
  } else if (std::holds_alternative<model::InstanceCompleted>(event) ||
             std::holds_alternative<model::InstanceFailed>(event) ||
             std::holds_alternative<model::InstanceCancelled>(event) ||
             std::holds_alternative<model::InstanceTerminated>(event)) {
    Close(before, record.time, writer);
  } else if (std::holds_alternative<model::InstanceRetryRequested>(event)) {
    Reopen(record.instance, writer);
  }
}

void ClosedView::Forget(InstanceId instance, ViewWriter& writer) {
  const std::optional<ClosedRow> row = RowOf(instance, writer);
  if (row.has_value() && row->parent) writer.Erase(KinKey(kCalled, row->parent, instance));
  if (row.has_value() && row->origin) writer.Erase(KinKey(kForked, row->origin, instance));
  Reopen(instance, writer);
}

Result<std::vector<ClosedPlace>> ListClosed(const ViewReader& reader, DefinitionId definition,
                                            ClosedPlace after, TimeUs before, size_t limit) {
  const std::string prefix = PlacePrefix(definition);
  std::vector<ClosedPlace> places;
  KeyCursor keys = reader.Keys(prefix);
  if (after.instance) keys.Seek(PlaceKey(definition, {after.ended, after.instance.Next()}));
  for (; keys.valid() && places.size() < limit; keys.Next()) {
    KeyReader key(keys.key().substr(prefix.size()));
    const TimeUs ended(static_cast<int64_t>(key.Number()));
    if (ended >= before) break;
    places.push_back({ended, InstanceId(key.Number())});
  }
  STELE_RETURN_IF_ERROR(keys.status());
  return places;
}

Result<std::optional<ClosedRow>> FindClosed(const ViewReader& reader, InstanceId instance) {
  const auto bytes = reader.Get(RowKey(instance));
  if (!bytes.has_value()) return std::unexpected(bytes.error());
  if (!bytes->has_value()) return std::nullopt;
  ClosedRow row;
  if (!DecodeRow(**bytes, &row))
    return Fail(ErrorCode::kStoreCorrupt,
                fmt::format("Expected a row of the view {} but found none that can be read; "
                            "`stele projections rebuild` makes it anew",
                            kClosedView));
  return row;
}

Result<std::vector<InstanceId>> CalledBy(const ViewReader& reader, InstanceId parent) {
  return KinOf(reader, kCalled, parent);
}

Result<std::vector<InstanceId>> ForkedFrom(const ViewReader& reader, InstanceId origin) {
  return KinOf(reader, kForked, origin);
}

}  // namespace stele::projections
