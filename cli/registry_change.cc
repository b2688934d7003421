#include "cli/registry_change.h"

#include <fmt/format.h>

#include "cli/given.h"
#include "cli/open_data.h"

namespace stele::cli {

RegistryChange::RegistryChange(const Arguments& arguments)
    : arguments_(arguments),
      triggers_(
          {.loop = engine_.loop(), .clock = &engine_.clock(), .shard = kShard, .next = this}) {}

Status RegistryChange::Open(bool create) {
  auto asker = WhoAsks(arguments_);
  if (!asker.has_value()) return std::unexpected(asker.error());
  asker_ = *std::move(asker);
  const std::string data = arguments_.Get("--data", kDefaultData);
  if (!create) {
    STELE_RETURN_IF_ERROR(RequireData(data));
  }
  STELE_RETURN_IF_ERROR(engine_.Open(data, create, &triggers_));
  return triggers_.Attach(&engine_.shard(), &engine_.store(), &engine_.secrets());
}

runtime::Shard::Answer RegistryChange::Answer() {
  ++awaited_;
  return [this](const Result<Position>& answer) {
    --awaited_;
    if (!answer.has_value() && !refusal_.has_value()) refusal_ = answer.error();
  };
}

Status RegistryChange::Finish() {
  engine_.RunUntil([this] { return awaited_ == 0 && triggers_.settled(); });
  engine_.Leave();
  engine_.Run(nullptr);
  if (refusal_.has_value()) return std::unexpected(*refusal_);
  return {};
}

void RegistryChange::OnFatal(const Error& error) {
  if (!refusal_.has_value()) refusal_ = error;
  engine_.Leave();
}

}  // namespace stele::cli
