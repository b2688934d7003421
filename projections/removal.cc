#include "projections/removal.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/apply/apply.h"
#include "engine/model/codec.h"
#include "engine/model/payload_spans.h"
#include "eventstore/for_each_record.h"

namespace stele::projections {

namespace {

// The body as it reads when its key is destroyed (eventstore/record_cipher.h).
Result<std::string> WithoutPayloads(std::string_view body, const PayloadFinder& finder) {
  std::vector<PayloadSpan> spans;
  if (!finder.Find(body, &spans))
    return Fail(
        ErrorCode::kStoreCorrupt,
        fmt::format("Expected a record's body but found {} bytes that are none", body.size()));
  std::string blanked(body);
  for (const PayloadSpan& span : spans) {
    std::fill_n(blanked.begin() + span.reference, 8, '\0');
    std::fill_n(blanked.begin() + span.begin, span.size, '\0');
  }
  return blanked;
}

}  // namespace

Result<bool> WasCutOut(const eventstore::EventStore& log, ShardId shard,
                       std::span<const InstanceRange> instances) {
  const auto cursor = log.ReadInstance(shard, instances.front().first, Seq(1));
  if (cursor.has_value()) return false;
  if (cursor.error().code == ErrorCode::kInstanceErased) return true;
  return std::unexpected(cursor.error());
}

Result<Position> LastCutPurge(const eventstore::EventStore& log, ShardId shard) {
  const Result<InstanceId> any = log.LastCutInstance(shard);
  if (!any.has_value()) return std::unexpected(any.error());
  if (!*any) return Position();
  model::RegisteredPurge last;
  STELE_RETURN_IF_ERROR(eventstore::ForEachRecord(
      log.ReadInstance(shard, InstanceId(), Seq(1)),
      [&](const eventstore::RecordView& record) -> Status {
        return model::DecodeEach(record.body, [&](const model::Event& event) {
          if (const auto* purged = std::get_if<model::InstancesPurged>(&event))
            last = {record.position, purged->instances, last.position};
        });
      }));
  if (!last.position) return Position();
  const Result<bool> is_cut = WasCutOut(log, shard, last.instances);
  if (!is_cut.has_value()) return std::unexpected(is_cut.error());
  return *is_cut ? last.position : last.before;
}

Status CutMeanwhile(Position purge) {
  return Fail(ErrorCode::kInstanceErased,
              fmt::format("Expected a view from before the purge at position {} but found one that "
                          "is built of what is left; it is built anew",
                          purge.value));
}

Status FeedInstance(const eventstore::EventStore& log, ShardId shard, InstanceId id,
                    const model::Registry& registry, Payloads payloads,
                    std::span<const ViewFeeding> views, model::Instance* at_end) {
  model::Instance instance;
  instance.id = id;
  const model::RecordPayloads finder;
  const auto take = [&](const eventstore::RecordView& record) -> Status {
    const model::RecordContext context{record.position, record.header.time};
    const RecordInfo info{id, record.position, record.header.time, record.header.actor};
    std::string blanked;
    if (payloads == Payloads::kBlanked) {
      auto made = WithoutPayloads(record.body, finder);
      if (!made.has_value()) return std::unexpected(made.error());
      blanked = *std::move(made);
    }
    const std::string_view body = payloads == Payloads::kBlanked ? blanked : record.body;
    return model::DecodeEach(body, [&](const model::Event& event) {
      for (const ViewFeeding& one : views)
        one.view->OnEvent(event, instance, registry, info, *one.writer);
      apply::Apply(instance, event, context);
    });
  };
  STELE_RETURN_IF_ERROR(eventstore::ForEachRecord(log.ReadInstance(shard, id, Seq(1)), take));
  for (const ViewFeeding& one : views) {
    one.view->OnInstance(instance, registry, *one.writer);
    one.view->EndBatch(*one.writer);
  }
  if (at_end != nullptr) *at_end = std::move(instance);
  return {};
}

namespace {

// The messages that instances publish, and those that they meet.
class Messages final : public View {
 public:
  explicit Messages(Leaving& leaving) : leaving_(leaving) {}
  std::string_view name() const override { return "messages"; }
  uint32_t version() const override { return 1; }
  std::string_view keys() const override { return ""; }
  void OnEvent(const model::Event& event, const model::Instance&, const model::Registry&,
               const RecordInfo& record, ViewWriter&) override {
    if (const auto* message = std::get_if<model::MessagePublished>(&event))
      leaving_.messages.push_back({record.position, message->message_id});
    if (const auto* met = std::get_if<model::MessageCorrelated>(&event);
        met != nullptr && met->message_position)
      leaving_.met.push_back({met->message_position, met->message_ordinal});
  }

 private:
  Leaving& leaving_;
};

}  // namespace

Result<Leaving> ReadLeaving(const eventstore::EventStore& log, ShardId shard,
                            const model::Registry& registry, std::span<const InstanceId> instances,
                            std::span<const MakeView> views) {
  std::vector<std::unique_ptr<View>> totals;
  for (const MakeView& make : views)
    if (std::unique_ptr<View> view = make(); view->keeps_totals())
      totals.push_back(std::move(view));
  std::vector<ViewWriter> writers(totals.size());
  std::vector<ViewFeeding> feedings;
  for (size_t i = 0; i < totals.size(); ++i) feedings.push_back({totals[i].get(), &writers[i]});
  Leaving leaving;
  Messages messages(leaving);
  ViewWriter nothing;
  feedings.push_back({&messages, &nothing});
  for (const InstanceId id : instances) {
    model::Instance instance;
    STELE_RETURN_IF_ERROR(
        FeedInstance(log, shard, id, registry, Payloads::kAsTheyAre, feedings, &instance));
    if (!model::HasEnded(instance.status))
      return Fail(ErrorCode::kWrongState,
                  fmt::format("Expected instance {} to have ended but found it open", id.value));
    leaving.last = std::max(leaving.last, instance.position);
    if (!instance.idempotency_key.empty())
      leaving.idempotency_keys.emplace_back(instance.idempotency_key, id);
  }
  for (size_t i = 0; i < totals.size(); ++i) {
    const auto keep = [&](const std::string& key, const std::optional<std::string>& value) {
      if (value.has_value() && !value->empty())
        leaving.totals.push_back(
            {std::string(totals[i]->name()), totals[i]->version(), key, *value});
    };
    STELE_RETURN_IF_ERROR(writers[i].ForEach(keep));
  }
  return leaving;
}

}  // namespace stele::projections
