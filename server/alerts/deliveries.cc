#include "server/alerts/deliveries.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/json.h"
#include "engine/model/codec.h"
#include "engine/runtime/secret_insertion.h"
#include "engine/triggers/firing_input.h"
#include "eventstore/for_each_record.h"

namespace stele::server::alerts {

namespace {

// Up to where a rule's notices are done with: the setting behind kDeliveryPrefix.
struct Mark {
  Position position;
  Seq seq;
};

std::optional<Value> MarkOf(const model::Registry& registry, const std::string& rule) {
  const auto found = registry.settings.find(std::string(kDeliveryPrefix) + rule);
  if (found == registry.settings.end()) return std::nullopt;
  auto mark = ParseJson(found->second);
  if (!mark.has_value() || !mark->is_object()) return std::nullopt;
  return *std::move(mark);
}

uint64_t NumberOf(const Value& mark, std::string_view member) {
  const Value* number = mark.Find(member);
  return number != nullptr && number->is_int() ? static_cast<uint64_t>(number->as_int()) : 0;
}

struct Scan {
  std::map<std::string, Mark> marks;  // of the rules that are looked for
  Seq from;                           // of the registry
  Position end;
};

Scan ScanOf(const model::Registry& registry, const std::vector<const Rule*>& rules, Position end) {
  Scan scan{.marks = {}, .from = registry.seq.Next(), .end = end};
  for (const Rule* rule : rules) {
    Mark mark{.position = {}, .seq = rule->since.Next()};
    if (const auto found = MarkOf(registry, rule->name))
      mark = {Position(NumberOf(*found, "position")),
              std::max(mark.seq, Seq(NumberOf(*found, "seq")))};
    scan.from = std::min(scan.from, mark.seq);
    scan.marks.emplace(rule->name, mark);
  }
  return scan;
}

Result<std::vector<Notice>> ReadNotices(const eventstore::EventStore& log, ShardId shard,
                                        const Scan& scan) {
  std::vector<Notice> notices;
  std::map<std::string, TimeUs> since;
  const auto take = [&](const model::AlertChanged& changed, const eventstore::RecordView& record) {
    if (changed.firing) since[changed.rule] = record.header.time;
    const auto mark = scan.marks.find(changed.rule);
    if (mark == scan.marks.end() || record.position <= mark->second.position) return;
    notices.push_back(
        {.rule = changed.rule,
         .firing = changed.firing,
         .position = record.position,
         .seq = record.header.first_seq,
         .time = record.header.time,
         .since = since.contains(changed.rule) ? since[changed.rule] : record.header.time,
         .document = changed.document});
  };
  STELE_RETURN_IF_ERROR(eventstore::ForEachRecord(
      log.ReadInstance(shard, InstanceId(), scan.from),
      [&](const eventstore::RecordView& record) -> Result<bool> {
        if (record.position >= scan.end) return false;
        STELE_RETURN_IF_ERROR(model::DecodeEach(record.body, [&](const model::Event& event) {
          if (const auto* changed = std::get_if<model::AlertChanged>(&event))
            take(*changed, record);
        }));
        return true;
      }));
  return notices;
}

}  // namespace

Deliveries::Deliveries(Desk& desk, FindRule find, Note note, Retries retries)
    : desk_(desk), find_(std::move(find)), note_(std::move(note)), retries_(retries) {}

Deliveries::~Deliveries() noexcept {
  while (!waiting_.empty()) Forget(std::string(waiting_.begin()->first));
}

void Deliveries::Forget(const std::string& rule) {
  const auto found = waiting_.find(rule);
  if (found == waiting_.end()) return;
  if (found->second.under_way) found->second.executor->Cancel(found->second.key, [] {});
  waiting_.erase(found);
}

Promised<std::vector<Notice>> Deliveries::ReadOutstanding(const std::vector<const Rule*>& rules,
                                                          Position end) {
  return desk_.Read(
      [log = desk_.engine().store, shard = desk_.engine().shard_id,
       scan = ScanOf(desk_.registry(), rules, end)] { return ReadNotices(*log, shard, scan); });
}

void Deliveries::Add(Notice notice) {
  const std::string rule = notice.rule;
  Waiting& waiting = waiting_[rule];
  const auto place =
      std::ranges::lower_bound(waiting.notices, notice.position, {}, &Notice::position);
  if (place != waiting.notices.end() && place->position == notice.position) return;
  // What is under way stays the first.
  waiting.notices.insert(
      waiting.under_way && place == waiting.notices.begin() ? std::next(place) : place,
      std::move(notice));
  if (waiting.notices.size() > kMaxWaitingDeliveries && !waiting.under_way) {
    waiting.error = "too many others wait behind it";
    return Settle(rule, false);
  }
  if (waiting.attempts == 0) Send(rule);
}

void Deliveries::Send(const std::string& rule) {
  const auto found = waiting_.find(rule);
  if (found == waiting_.end() || found->second.under_way || desk_.closed()) return;
  const Rule* known = find_(rule);
  if (found->second.notices.empty() || known == nullptr || !known->notify.has_value()) {
    waiting_.erase(found);
    return;
  }
  Waiting& waiting = found->second;
  auto request = RequestOf(*known, waiting.notices.front());
  if (!request.has_value()) return Failed(rule, request.error().ToString());
  waiting.under_way = true;
  waiting.key = request->key;
  waiting.executor = desk_.engine().tasks->Find(known->notify->type);
  // It may answer before it returns.
  waiting.executor->Start(*std::move(request), [this, rule, there = std::weak_ptr(is_there_)](
                                                   const tasks::TaskResult& result) {
    if (!there.expired()) Took(rule, result);
  });
}

Result<tasks::TaskRequest> Deliveries::RequestOf(const Rule& rule, const Notice& notice) {
  const Object nothing;
  auto rendered = rule.notify->config.Render(triggers::RootsEnvironment(nothing));
  if (!rendered.has_value()) return std::unexpected(rendered.error());
  const bool to_people = rule.notify->type == "notification";
  tasks::TaskRequest request{
      .key = {InstanceId(), RunId(next_run_++), 1},
      .task_type = to_people ? std::string_view("notification") : std::string_view("webhook"),
      .step_id = "alert",
      .definition = "",
      .config = std::move(rendered->value),
      .input = ToJson(notice),
      .secrets = {},
      .timeout_us = kDeliveryTimeoutUs};
  for (const expression::SecretUse& use : rendered->secrets)
    STELE_RETURN_IF_ERROR(runtime::InsertSecret(request, use, *desk_.engine().secrets));
  Object& config = request.config.as_object();
  Value* headers = config.Find("headers");
  if (headers == nullptr || !headers->is_object()) headers = &config.Set("headers", Object());
  headers->as_object().Set("Idempotency-Key", notice.key());
  if (const Value* message = request.input.Find("message"); to_people && message != nullptr)
    config.Set("message", *message);
  return request;
}

void Deliveries::Took(const std::string& rule, const tasks::TaskResult& result) {
  const auto found = waiting_.find(rule);
  if (found == waiting_.end() || !found->second.under_way) return;
  found->second.under_way = false;
  if (result.outcome.has_value()) return Settle(rule, true);
  Failed(rule, fmt::format("{}: {}", result.outcome.error().kind, result.outcome.error().message));
}

void Deliveries::Failed(const std::string& rule, std::string error) {
  Waiting& waiting = waiting_[rule];
  ++failed_;
  ++waiting.attempts;
  waiting.error = std::move(error);
  const bool goes_on = waiting.attempts < retries_.attempts;
  note_(rule, fmt::format("Expected the alert {} to be taken but attempt {} found {}{}",
                          waiting.notices.front().key(), waiting.attempts, waiting.error,
                          goes_on ? "" : "; it is given up"));
  if (!goes_on) return Settle(rule, false);
  const uint32_t doublings = std::min(waiting.attempts - 1, 30u);
  const int64_t wait = std::min(retries_.first_us << doublings, retries_.last_us);
  SendBehind(rule, desk_.timer().afterDelay(wait * kj::MICROSECONDS));
}

void Deliveries::SendBehind(const std::string& rule, kj::Promise<void> wait) {
  const uint64_t turn = waiting_[rule].turn = next_turn_++;
  timers_.add(wait.then([this, rule, turn] {
    const auto found = waiting_.find(rule);
    if (found != waiting_.end() && found->second.turn == turn) Send(rule);
  }));
}

void Deliveries::taskFailed(kj::Exception&& exception) {
  CHECK(false, "a timer fails: {}", exception.getDescription().cStr());
}

void Deliveries::Settle(const std::string& rule, bool was_taken) {
  Waiting& waiting = waiting_[rule];
  const Notice notice = std::move(waiting.notices.front());
  waiting.notices.pop_front();
  ++(was_taken ? delivered_ : given_up_);
  Object mark{{"position", static_cast<int64_t>(notice.position.value)},
              {"seq", static_cast<int64_t>(notice.seq.value)},
              {"state", was_taken ? "delivered" : "failed"},
              {"attempts", static_cast<int64_t>(waiting.attempts + (was_taken ? 1 : 0))},
              {"time", desk_.Now().value}};
  if (!was_taken) mark.Set("error", waiting.error);
  waiting.attempts = 0;
  waiting.error.clear();
  desk_.shard().ChangeSetting(std::string(kDeliveryPrefix) + rule, stele::ToJson(Value(mark)), "",
                              [](const Result<Position>&) {});
  SendBehind(rule, kj::READY_NOW);
}

Value Deliveries::LastOf(const std::string& rule) const {
  const auto found = waiting_.find(rule);
  if (found != waiting_.end() && !found->second.notices.empty()) {
    const Waiting& waiting = found->second;
    Object shown{{"state", waiting.attempts == 0 ? "sending" : "retrying"},
                 {"position", static_cast<int64_t>(waiting.notices.front().position.value)},
                 {"attempts", static_cast<int64_t>(waiting.attempts)}};
    if (!waiting.error.empty()) shown.Set("error", waiting.error);
    return shown;
  }
  return LastDeliveryOf(desk_.registry(), rule);
}

Value LastDeliveryOf(const model::Registry& registry, const std::string& rule) {
  auto mark = MarkOf(registry, rule);
  if (!mark.has_value()) return {};
  mark->as_object().Erase("seq");
  return *std::move(mark);
}

}  // namespace stele::server::alerts
