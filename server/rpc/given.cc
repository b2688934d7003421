#include "server/rpc/given.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/repeated_member.h"
#include "base/utf8.h"
#include "server/operations/deeds.h"
#include "server/rpc/limits.h"

namespace stele::server::rpc {

namespace {

std::string_view ViewOf(capnp::Text::Reader text) {
  return {text.begin(), text.size()};
}

bool IsControl(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

}  // namespace

void Given::Add(ErrorCode code, std::string message) {
  if (!fault_.has_value()) fault_ = Error{code, std::move(message)};
}

void Given::Add(const Status& status) {
  if (!status.has_value()) Add(status.error().code, status.error().message);
}

Status Given::status() const {
  if (fault_.has_value()) return std::unexpected(*fault_);
  return {};
}

std::string Given::Text(capnp::Text::Reader text, std::string_view what) {
  if (text.size() > kMaxTextBytes) {
    Add(ErrorCode::kLimitExceeded, fmt::format("{}: Expected at most {} bytes but found {}", what,
                                               kMaxTextBytes, text.size()));
    return {};
  }
  if (!IsUtf8(ViewOf(text))) {
    Add(ErrorCode::kInvalidInput,
        fmt::format("{}: Expected UTF-8 but found bytes that are no text", what));
    return {};
  }
  return std::string(ViewOf(text));
}

std::string Given::Name(capnp::Text::Reader text, std::string_view what) {
  std::string name = Text(text, what);
  if (std::ranges::any_of(name, IsControl))
    Add(ErrorCode::kInvalidInput,
        fmt::format("{}: Expected a text of one line but found a control character", what));
  return name;
}

std::vector<std::string> Given::Names(capnp::List<capnp::Text>::Reader texts,
                                      std::string_view what) {
  std::vector<std::string> names;
  names.reserve(texts.size());
  for (const capnp::Text::Reader text : texts) names.push_back(Name(text, what));
  return names;
}

Value Given::Document(capnp::Text::Reader json, std::string_view what) {
  if (json.size() == 0) return {};
  Result<Value> value = ParseJson(ViewOf(json));
  if (!value.has_value()) {
    Add(value.error().code, fmt::format("{}: {}", what, value.error().message));
    return {};
  }
  const bool may_repeat = value->is_object() || value->is_array();
  if (const std::string twice = may_repeat ? RepeatedMemberOf(ViewOf(json)) : std::string();
      !twice.empty())
    Add(ErrorCode::kInvalidJson,
        fmt::format("{}: Expected each member once but found \"{}\" twice", what, twice));
  return *std::move(value);
}

Payload Given::Json(capnp::Text::Reader json, std::string_view what) {
  const Value value = Document(json, what);
  return json.size() == 0 ? Payload() : Payload::FromValue(value);
}

Payload Given::JsonObject(capnp::Text::Reader json, std::string_view what) {
  if (json.size() == 0) return {};
  const Value value = Document(json, what);
  if (!value.is_object())
    Add(ErrorCode::kInvalidInput,
        fmt::format("{}: Expected an object but found {}", what, KindName(value.kind())));
  return Payload::FromValue(value);
}

std::vector<model::NamedPayload> Given::Variables(capnp::List<api::Variable>::Reader variables) {
  std::vector<model::NamedPayload> named;
  named.reserve(variables.size());
  std::set<std::string_view> names;
  for (const api::Variable::Reader variable : variables) {
    const std::string_view name = ViewOf(variable.getName());
    if (!names.insert(name).second)
      Add(ErrorCode::kInvalidInput,
          fmt::format("variables: Expected each name once but found \"{}\" twice", name));
    Payload value = Json(variable.getValue(), "variables");
    if (!value.has_value()) value = Payload::FromText("null");
    named.push_back({Name(variable.getName(), "variables"), std::move(value)});
  }
  return named;
}

StartRequest Given::Start(api::StartRequest::Reader request) {
  return {.definition = Name(request.getDefinition(), "definition"),
          .version = request.getVersion(),
          .input = JsonObject(request.getInput(), "input"),
          .variables = Variables(request.getVariables()),
          .business_key = Name(request.getBusinessKey(), "businessKey"),
          .unique = request.getUnique(),
          .idempotency_key = Name(request.getIdempotencyKey(), "idempotencyKey"),
          .tags = Names(request.getTags(), "tags"),
          .priority = request.getPriority(),
          .deadline = TimeUs(request.getDeadline()),
          .paused = request.getPaused(),
          .trace_parent = std::string(ViewOf(request.getTraceParent()))};
}

replay::When Given::When(api::Moment::Reader moment) {
  switch (moment.which()) {
    case api::Moment::SEQ:
      return {.seq = Seq(moment.getSeq()), .time = {}};
    case api::Moment::TIME:
      break;
  }
  if (moment.getTime() <= 0)
    Add(ErrorCode::kInvalidInput,
        fmt::format("moment: Expected microseconds since 1970 but found {}", moment.getTime()));
  return {.seq = {}, .time = TimeUs(moment.getTime())};
}

ForkRequest Given::Fork(api::ForkRequest::Reader request) {
  const api::Moment::Reader moment = request.getMoment();
  if (moment.isSeq() && moment.getSeq() == 0)
    Add(ErrorCode::kInvalidInput, "moment: Expected an event or a time but found neither");
  if (request.getPlan().size() != 0 && request.getVersion() == 0)
    Add(ErrorCode::kInvalidInput,
        "plan: Expected beside it the version that it is for but found none");
  return {.at = When(moment),
          .variables = Variables(request.getVariables()),
          .version = request.getVersion(),
          .plan = std::string(JsonObject(request.getPlan(), "plan").text()),
          .business_key = Name(request.getBusinessKey(), "businessKey"),
          .unique = request.getUnique(),
          .idempotency_key = Name(request.getIdempotencyKey(), "idempotencyKey"),
          .deadline = TimeUs(request.getDeadline()),
          .paused = request.getPaused(),
          .resets = request.getResets(),
          .reason = Text(request.getReason(), "reason"),
          .trace_parent = std::string(ViewOf(request.getTraceParent()))};
}

projections::Freshness Given::Freshness(api::Freshness::Reader freshness) {
  const int64_t patience = freshness.getPatience();
  if (patience < 0 || patience > kMaxPatienceUs)
    Add(ErrorCode::kInvalidInput,
        fmt::format("patience: Expected 0 to {} microseconds but found {}", kMaxPatienceUs,
                    patience));
  return {.as_of = freshness.getAsOf(),
          .as_of_us = freshness.getAsOfTime(),
          .after = freshness.getAfter(),
          .patience = std::chrono::ceil<std::chrono::milliseconds>(
              std::chrono::microseconds(std::clamp<int64_t>(patience, 0, kMaxPatienceUs)))};
}

server::Search Given::Search(api::Search::Reader search) {
  const auto limit =
      LimitOf(search.getLimit(), projections::kDefaultPageRows, projections::kMaxPageRows);
  if (!limit.has_value()) Add(limit.error().code, limit.error().message);
  return {.query = Text(search.getQuery(), "query"),
          .sort = Text(search.getSort(), "sort"),
          .cursor = Text(search.getCursor(), "cursor"),
          .limit = limit.value_or(projections::kDefaultPageRows),
          .freshness = Freshness(search.getFreshness())};
}

projections::StatisticsScope Given::Scope(api::StatisticsScope::Reader scope) {
  return {.definition = Name(scope.getDefinition(), "definition"),
          .version = scope.getVersion(),
          .from = TimeUs(scope.getFrom()),
          .to = TimeUs(scope.getTo())};
}

EventFilter Given::Filter(api::EventFilter::Reader filter) {
  std::vector<std::string> names = Names(filter.getEvents(), "events");
  return {.instance = InstanceId(filter.getInstance()),
          .definition = Name(filter.getDefinition(), "definition"),
          .names = {std::make_move_iterator(names.begin()), std::make_move_iterator(names.end())}};
}

replay::DeedFilter Given::Deeds(api::ReportFilter::Reader filter) {
  auto kinds = DeedKindsOf(Names(filter.getKinds(), "kinds"));
  if (!kinds.has_value()) Add(kinds.error().code, "kinds: " + kinds.error().message);
  return {.instance = InstanceId(filter.getInstance()),
          .definition = Name(filter.getDefinition(), "definition"),
          .actor = Name(filter.getActor(), "actor"),
          .since = TimeUs(filter.getSince()),
          .until = TimeUs(filter.getUntil()),
          .kinds = kinds.has_value() ? *std::move(kinds) : std::vector<replay::DeedKind>(),
          .all = filter.getAll()};
}

Result<size_t> LimitOf(uint32_t limit, size_t usual, size_t most) {
  if (limit == 0) return usual;
  if (limit <= most) return limit;
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("limit: Expected 1 to {} but found {}", most, limit));
}

}  // namespace stele::server::rpc
