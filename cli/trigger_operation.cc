#include "cli/trigger_operation.h"

#include <fmt/format.h>

#include "cli/given.h"
#include "cli/open_data.h"

namespace stele::cli {

TriggerOperation::TriggerOperation(const Arguments& arguments, const Terminal& terminal, bool quiet)
    : arguments_(arguments),
      triggers_({.loop = engine_.loop(), .clock = &engine_.clock(), .shard = kShard}),
      session_(engine_, terminal, arguments, quiet) {
  triggers_.Tell(&session_);
}

Status TriggerOperation::Open(bool starts) {
  auto asker = WhoAsks(arguments_);
  if (!asker.has_value()) return std::unexpected(asker.error());
  asker_ = *std::move(asker);
  const std::string data = arguments_.Get("--data", kDefaultData);
  STELE_RETURN_IF_ERROR(RequireData(data));
  STELE_RETURN_IF_ERROR(engine_.Open(data, false, &triggers_));
  if (starts) {
    const auto stubs = ParseStubs(arguments_.All("--stub"));
    if (!stubs.has_value()) return std::unexpected(stubs.error());
    engine_.AddExecutors(*stubs, ScriptDirectoriesOf(engine_));
    STELE_RETURN_IF_ERROR(
        engine_.AddWorkers(arguments_, /*lasting=*/false,
                           [this](std::string_view sentence) { session_.Note(sentence); }));
  }
  STELE_RETURN_IF_ERROR(triggers_.Attach(&engine_.shard(), &engine_.store(), &engine_.secrets()));
  engine_.RunUntil([this] { return triggers_.settled(); });
  return {};
}

runtime::Shard::Answer TriggerOperation::Answer() {
  Await();
  return [this](const Result<Position>& answer) {
    Answered(answer.has_value() ? std::nullopt : std::optional(answer.error()));
  };
}

void TriggerOperation::Answered(const std::optional<Error>& refusal) {
  if (refusal.has_value() && !refusal_.has_value()) refusal_ = refusal;
  session_.Answered();
}

Status TriggerOperation::Finish() {
  session_.Run();
  if (refusal_.has_value()) return std::unexpected(*refusal_);
  return {};
}

Result<TriggerId> ParseTriggerId(const std::string& word) {
  const Result<int64_t> number = ParseNumber(word, "a trigger's number", 1, UINT32_MAX);
  if (!number.has_value()) return std::unexpected(number.error());
  return TriggerId(static_cast<uint32_t>(*number));
}

}  // namespace stele::cli
