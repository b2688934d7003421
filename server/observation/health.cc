#include "server/observation/health.h"

#include <algorithm>

namespace stele::server {

namespace {

std::string_view DatabaseOf(const Durability& durability) {
  switch (durability.state) {
    case Durability::State::kGood:
      return "ok";
    case Durability::State::kSlow:
      return "slow";
    case Durability::State::kFailed:
      return "failed";
  }
  return "failed";
}

std::string_view ViewsOf(const StoredFigures& stored) {
  if (stored.views_failure.has_value()) return "failed";
  const bool all_serve = std::ranges::all_of(stored.views, &projections::ViewState::serves);
  return all_serve ? "ok" : "building";
}

Value CountOf(int64_t count) {
  return count < 0 ? Value() : Value(count);
}

}  // namespace

Object ToJson(const HealthReport& report) {
  return Object{{"status", report.status},
                {"checks", Object{{"database", report.database},
                                  {"scheduler", report.scheduler},
                                  {"executor", report.executor},
                                  {"views", report.views}}},
                {"stats", Object{{"active_executions", CountOf(report.open)},
                                 {"queued_executions", CountOf(report.queued)},
                                 {"total_workflows", static_cast<int64_t>(report.loop.definitions)},
                                 {"active_workflows",
                                  static_cast<int64_t>(report.loop.active_definitions)}}}};
}

std::string_view Health::scheduler() const {
  if (IsLeaving()) return "stopping";
  return begun_ ? "ok" : "starting";
}

HealthReport Health::Judge(const Reading& reading) const {
  const LoopFigures& loop = reading.loop;
  HealthReport report{.status = "healthy",
                      .database = DatabaseOf(reading.durability),
                      .scheduler = scheduler(),
                      .executor = loop.queued_attempts < loop.max_queued_attempts ? "ok" : "full",
                      .views = ViewsOf(reading.stored),
                      .loop = loop};
  if (reading.stored.work.has_value()) {
    report.open = reading.stored.work->all.open;
    report.queued = reading.stored.work->all.queued;
  }
  if (IsLeaving()) {
    report.status = "draining";
  } else if (!begun_) {
    report.status = "starting";
  } else if (report.database == "failed" || report.views == "failed") {
    report.status = "unhealthy";
  } else if (report.database != "ok" || report.executor != "ok" || report.views != "ok") {
    report.status = "degraded";
  }
  return report;
}

Promised<HealthReport> Health::Look() {
  return figures_.Read().then(
      [this](const Result<std::shared_ptr<const Reading>>& reading) -> Result<HealthReport> {
        if (!reading.has_value()) return std::unexpected(reading.error());
        return Judge(**reading);
      });
}

}  // namespace stele::server
