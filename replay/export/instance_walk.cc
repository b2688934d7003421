#include "replay/export/instance_walk.h"

#include "eventstore/for_each_record.h"

namespace stele::replay {
Status InstanceWalk::Walk(InstanceId instance, RecordFormat& format, const WriteText& write) {
  auto records = source_.RecordsFrom(instance, Seq(1));
  if (!records.has_value() && records.error().code == ErrorCode::kInstanceErased) return {};
  const auto take = [&](const eventstore::RecordView& record) -> Status {
    ExportedRecord exported{.record = record};
    const auto definition = definitions_.Of(record);
    if (!definition.has_value()) return std::unexpected(definition.error());
    exported.definition = *definition;
    if (!payloads_) STELE_RETURN_IF_ERROR(blanked_.Blank(exported.record));
    if (!times_.Holds(record.header.time)) return format.Skip(exported);
    const auto events = format.Write(exported, text_);
    if (!events.has_value()) return std::unexpected(events.error());
    counts_.events += *events;
    ++counts_.records;
    if (text_.size() < kPieceBytes) return {};
    const Status written = write(text_);
    text_.clear();
    return written;
  };
  text_.clear();
  STELE_RETURN_IF_ERROR(eventstore::ForEachRecord(std::move(records), take));
  return text_.empty() ? Status() : write(text_);
}

}  // namespace stele::replay
