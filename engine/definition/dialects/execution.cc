// What every notation says in the same words about how a definition is executed: how much of it
// runs at once, how often it may begin, in which order it waits, what its input must be.

#include "engine/definition/dialects/fields.h"
#include "engine/definition/json_schema.h"
#include "engine/definition/limits.h"

namespace stele::definition {
namespace {

Concurrency ReadConcurrency(const Node& node, Lowering& lowering) {
  Concurrency concurrency{.key = NoKey(), .limit = 1};
  MapReader reader(node, "a concurrency", lowering.faults);
  if (const Node* key = reader.Take({"key", "group"})) {
    if (key->is_scalar())
      concurrency.key = lowering.compiler.Rendered(*key);
    else
      lowering.Add(ErrorCode::kInvalidDefinition, key->place,
                   "Expected a string as `key` but found " + Describe(*key));
  }
  if (const auto limit = reader.Integer({"limit", "max_concurrent"}, 1, kMaxConcurrency))
    concurrency.limit = static_cast<uint32_t>(*limit);
  reader.Finish();
  return concurrency;
}

RateLimit ReadRate(const Node& node, Lowering& lowering) {
  RateLimit rate;
  MapReader reader(node, "a rate limit", lowering.faults);
  if (reader.Require({"count", "limit"}) != nullptr)
    rate.count =
        static_cast<uint32_t>(reader.Integer({"count", "limit"}, 1, kMaxConcurrency).value_or(0));
  if (const Node* per = reader.Take("per")) {
    rate.per_us = reader.Duration({"per"}).value_or(rate.per_us);
    if (rate.per_us == 0) {
      rate.per_us = RateLimit().per_us;
      lowering.Add(ErrorCode::kBadDuration, per->place,
                   "Expected a duration above 0 as `per` but found " + Describe(*per));
    }
  }
  reader.Finish();
  return rate;
}

}  // namespace

void ReadLimits(MapReader& reader, std::string_view plain, std::optional<Concurrency>& concurrency,
                RateLimit& rate, Lowering& lowering) {
  const Node* node = reader.Take("concurrency");
  if (node != nullptr && node->is_map())
    concurrency = ReadConcurrency(*node, lowering);
  else if (node != nullptr)
    if (const auto limit = reader.Integer({"concurrency"}, 1, kMaxConcurrency))
      concurrency = Concurrency{NoKey(), static_cast<uint32_t>(*limit)};
  if (!plain.empty()) {
    if (const auto limit = reader.Integer({plain}, 1, kMaxConcurrency)) {
      if (concurrency)
        lowering.Add(ErrorCode::kInvalidDefinition, reader.Take(plain)->place,
                     "Expected one limit but found `max_concurrent` beside `concurrency`");
      concurrency = Concurrency{NoKey(), static_cast<uint32_t>(*limit)};
    }
  }
  if (const Node* limit = reader.Take({"rate_limit", "rate"})) rate = ReadRate(*limit, lowering);
}

void ReadExecution(MapReader& reader, Lowering& lowering) {
  Definition& head = lowering.draft.head;
  if (const auto deadline = reader.Duration({"timeout", "deadline"})) head.deadline_us = *deadline;
  if (const auto kept = reader.Duration({"retention"})) head.retention_us = *kept;
  if (const auto priority = reader.Integer({"priority"}, kMinPriority, kMaxPriority))
    head.priority = static_cast<int32_t>(*priority);
  ReadLimits(reader, "max_concurrent", head.concurrency, head.rate, lowering);
  const Node* schema = reader.Take("input_schema");
  if (schema == nullptr) return;
  head.input_schema = ToValue(*schema);
  const auto compiled = JsonSchema::Compile(head.input_schema);
  if (compiled) return;
  for (const SchemaFault& fault : compiled.error())
    lowering.Add(ErrorCode::kInvalidDefinition, PlaceAt(*schema, fault.pointer), fault.message);
}

}  // namespace stele::definition
