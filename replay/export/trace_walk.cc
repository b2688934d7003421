#include "replay/export/trace_walk.h"

#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/model/codec.h"
#include "eventstore/for_each_record.h"
#include "replay/export/blanked_body.h"

namespace stele::replay {
namespace {

using eventstore::RecordView;

constexpr uint64_t kRecordsBetweenNews = 4096;

// A record that outlives its block.
class Kept {
 public:
  explicit Kept(const RecordView& record)
      : record_(record),
        texts_(std::string(record.header.actor).append(record.header.source)),
        actor_bytes_(record.header.actor.size()),
        body_((record.body.size() + 7) / 8) {
    std::memcpy(body_.data(), record.body.data(), record.body.size());
  }
  RecordView view() const {
    RecordView record = record_;
    record.header.actor = std::string_view(texts_).substr(0, actor_bytes_);
    record.header.source = std::string_view(texts_).substr(actor_bytes_);
    record.body = {reinterpret_cast<const char*>(body_.data()), record_.body.size()};
    return record;
  }
  size_t bytes() const { return sizeof(Kept) + texts_.capacity() + body_.size() * 8; }

 private:
  RecordView record_;  // its views are no longer good
  std::string texts_;
  size_t actor_bytes_;
  std::vector<uint64_t> body_;  // aligned as bodies are
};

struct Waiting {
  std::vector<Kept> records;
  size_t bytes = 0;
  Seq next;  // the event that comes next
};

class Traces {
 public:
  Traces(const eventstore::EventStore& store, InstanceDefinitions& definitions,
         const TraceWalk& walk, TraceFormat& format, const WriteText& write)
      : store_(store), definitions_(definitions), walk_(walk), format_(format), write_(write) {}

  Status Take(const RecordView& record) {
    const InstanceId instance = record.header.instance;
    if (!instance) return {};
    auto at = waiting_.find(instance);
    if (at == waiting_.end()) {
      // One whose begin is not there was given before.
      if (record.header.first_seq != Seq(1)) return {};
      at = waiting_.try_emplace(instance).first;
    }
    Waiting& waiting = at->second;
    const size_t bytes = waiting.records.emplace_back(record).bytes();
    waiting.bytes += bytes;
    bytes_ += bytes;
    waiting.next = Seq(record.header.first_seq.value + record.header.event_count);
    const auto ends = EndsForGood(record);
    if (!ends.has_value()) return std::unexpected(ends.error());
    if (*ends) STELE_RETURN_IF_ERROR(Give(at, /*goes_on=*/false));
    // Instances are numbered in the order in which they began.
    while (bytes_ > walk_.most_bytes && !waiting_.empty())
      STELE_RETURN_IF_ERROR(Give(waiting_.begin(), /*goes_on=*/true));
    return {};
  }

  Status GiveAll() {
    while (!waiting_.empty()) STELE_RETURN_IF_ERROR(Give(waiting_.begin(), /*goes_on=*/false));
    return {};
  }
  const ExportCounts& counts() const { return counts_; }

 private:
  using All = std::map<InstanceId, Waiting>;

  static Result<bool> EndsForGood(const RecordView& record) {
    bool ends = false;
    STELE_RETURN_IF_ERROR(model::DecodeEach(record.body, [&](const model::Event& event) {
      ends |= std::holds_alternative<model::InstanceCompleted>(event) ||
              std::holds_alternative<model::InstanceCancelled>(event) ||
              std::holds_alternative<model::InstanceTerminated>(event);
    }));
    return ends;
  }

  // `goes_on`: what follows is read from where it is.
  Status Give(All::iterator at, bool goes_on) {
    const InstanceId instance = at->first;
    const Waiting waiting = std::move(at->second);
    waiting_.erase(at);
    bytes_ -= waiting.bytes;
    format_.BeginTrace(instance);
    for (const Kept& kept : waiting.records) STELE_RETURN_IF_ERROR(Write(kept.view()));
    if (goes_on)
      STELE_RETURN_IF_ERROR(
          eventstore::ForEachRecord(store_.ReadInstance(walk_.shard, instance, waiting.next),
                                    [&](const RecordView& record) -> Result<bool> {
                                      if (record.position >= walk_.end) return false;
                                      STELE_RETURN_IF_ERROR(Write(record));
                                      return true;
                                    }));
    format_.EndTrace(text_);
    return Flush();
  }

  Status Write(const RecordView& record) {
    ExportedRecord exported{.record = record};
    const auto definition = definitions_.Of(record);
    if (!definition.has_value()) return std::unexpected(definition.error());
    exported.definition = *definition;
    if (!walk_.payloads) STELE_RETURN_IF_ERROR(blanked_.Blank(exported.record));
    if (!walk_.times.Holds(record.header.time)) return format_.Skip(exported);
    const auto events = format_.Write(exported, text_);
    if (!events.has_value()) return std::unexpected(events.error());
    counts_.events += *events;
    ++counts_.records;
    return text_.size() < kPieceBytes ? Status() : Flush();
  }

  Status Flush() {
    const Status written = text_.empty() ? Status() : write_(text_);
    text_.clear();
    return written;
  }

  const eventstore::EventStore& store_;
  InstanceDefinitions& definitions_;
  const TraceWalk& walk_;
  TraceFormat& format_;
  const WriteText& write_;
  BlankedBody blanked_;
  std::string text_;
  ExportCounts counts_;
  All waiting_;
  size_t bytes_ = 0;
};

}  // namespace

Result<ExportCounts> WalkTraces(const eventstore::EventStore& store,
                                InstanceDefinitions& definitions, const TraceWalk& walk,
                                TraceFormat& format, const WriteText& write) {
  Traces traces(store, definitions, walk, format, write);
  uint64_t read = 0;
  const auto take = [&](const RecordView& record) -> Result<bool> {
    if (record.position >= walk.end) return false;
    STELE_RETURN_IF_ERROR(traces.Take(record));
    if (walk.progress && ++read % kRecordsBetweenNews == 0) walk.progress(record.position);
    return true;
  };
  STELE_RETURN_IF_ERROR(eventstore::ForEachRecord(store.Read(walk.shard, Position(1)), take));
  STELE_RETURN_IF_ERROR(traces.GiveAll());
  return traces.counts();
}

Status WalkRecords(const eventstore::EventStore& store, InstanceDefinitions& definitions,
                   const TraceWalk& walk, RecordFormat& format, const WriteText& write) {
  BlankedBody blanked;
  std::string text;
  uint64_t read = 0;
  const auto take = [&](const RecordView& record) -> Result<bool> {
    if (record.position >= walk.end) return false;
    if (!record.header.instance) return true;
    ExportedRecord exported{.record = record};
    const auto definition = definitions.Of(record);
    if (!definition.has_value()) return std::unexpected(definition.error());
    exported.definition = *definition;
    STELE_RETURN_IF_ERROR(blanked.Blank(exported.record));
    const auto written = format.Write(exported, text);
    if (!written.has_value()) return std::unexpected(written.error());
    if (walk.progress && ++read % kRecordsBetweenNews == 0) walk.progress(record.position);
    if (text.size() < kPieceBytes) return true;
    STELE_RETURN_IF_ERROR(write(text));
    text.clear();
    return true;
  };
  STELE_RETURN_IF_ERROR(eventstore::ForEachRecord(store.Read(walk.shard, Position(1)), take));
  return text.empty() ? Status() : write(text);
}

}  // namespace stele::replay
