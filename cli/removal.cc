#include "cli/removal.h"

#include <fmt/format.h>

#include "cli/given.h"
#include "cli/open_data.h"
#include "cli/settings.h"
#include "projections/all_views.h"

namespace stele::cli {

Removal::~Removal() {
  engine_.Close();
  service_.reset();
  projector_.reset();
}

Status Removal::Open(const Arguments& arguments) {
  const std::string data = arguments.Get("--data", kDefaultData);
  const auto asker = WhoAsks(arguments);
  if (!asker.has_value()) return std::unexpected(asker.error());
  STELE_RETURN_IF_ERROR(RequireData(data));
  const auto policy = ReadRetention(data);
  if (!policy.has_value()) return std::unexpected(policy.error());
  STELE_RETURN_IF_ERROR(engine_.Open(data, false, this));
  auto projector =
      projections::Projector::Open(engine_.log(), kShard, data + "/views", projections::AllViews());
  if (!projector.has_value()) return std::unexpected(projector.error());
  projector_ = *std::move(projector);
  service_ = std::make_unique<retention::RetentionService>(retention::RetentionParts{
      .store = &engine_.log(),
      .shard = kShard,
      .projector = projector_.get(),
      .views = projections::AllViews(),
      .clock = &clock_,
      .policy = *policy,
      .asker = *asker,
      .problem = [this](const Error& error) { result_ = std::unexpected(error); },
      .at_step = nullptr});
  return {};
}

Status Removal::Run(retention::RetentionService::Task task) {
  projector_->Start();
  service_->Do([this, task = std::move(task)](retention::RetentionService& service) {
    // What was left undone could not be done: what is asked for now would not be either.
    if (result_.has_value()) task(service);
    engine_.shard().Post([this] { engine_.Leave(); });
  });
  service_->Start(&engine_.shard(), /*runs=*/false);
  engine_.Run(nullptr);
  service_->Stop();
  projector_->Stop();
  return result_;
}

void Removal::OnFatal(const Error& error) {
  terminal_.PrintError(error);
  engine_.Leave();
}

}  // namespace stele::cli
