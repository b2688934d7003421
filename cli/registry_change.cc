#include "cli/registry_change.h"

#include <fmt/format.h>

#include "cli/given.h"
#include "cli/open_data.h"

namespace stele::cli {

Status RegistryChange::Open(bool create) {
  auto actor = ActorOf(arguments_);
  if (!actor.has_value()) return std::unexpected(actor.error());
  actor_ = *std::move(actor);
  const std::string data = arguments_.Get("--data", kDefaultData);
  if (!create && !HasData(data))
    return Fail(ErrorCode::kStoreNotFound,
                fmt::format("Expected the data of earlier runs in {} but found none; --data names "
                            "another directory",
                            data));
  return engine_.Open(data, create, this);
}

runtime::Shard::Answer RegistryChange::Answer() {
  return [this](const Result<Position>& answer) {
    if (!answer.has_value() && !refusal_.has_value()) refusal_ = answer.error();
  };
}

Status RegistryChange::Finish() {
  engine_.LeaveBehindInbox();
  engine_.Run(nullptr);
  if (refusal_.has_value()) return std::unexpected(*refusal_);
  return {};
}

void RegistryChange::OnFatal(const Error& error) {
  if (!refusal_.has_value()) refusal_ = error;
  engine_.Leave();
}

}  // namespace stele::cli
