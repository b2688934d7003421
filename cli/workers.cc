#include "cli/workers.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/given.h"
#include "engine/runtime/custom_types.h"

namespace stele::cli {

namespace {

Result<std::vector<std::string>> ParseTypes(std::string_view list) {
  std::vector<std::string> types;
  for (;;) {
    const size_t comma = list.find(',');
    std::string type(list.substr(0, comma));
    if (const Status fits = runtime::CheckTypeName(type); !fits.has_value())
      return std::unexpected(fits.error());
    if (std::ranges::find(types, type) == types.end()) types.push_back(std::move(type));
    if (comma == std::string_view::npos) return types;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace

Result<std::vector<WorkerSpec>> ParseWorkers(const Arguments& arguments) {
  const auto slots = GivenNumber(arguments, "--worker-slots", 1, tasks::kMaxWorkerSlots);
  if (!slots.has_value()) return std::unexpected(slots.error());
  const auto lease = GivenDuration(arguments, "--worker-lease");
  if (!lease.has_value()) return std::unexpected(lease.error());
  std::vector<WorkerSpec> specs;
  for (const std::string& word : arguments.All("--worker")) {
    const size_t equals = word.find('=');
    if (equals == 0 || equals == std::string::npos || equals + 1 == word.size())
      return Fail(ErrorCode::kUsage,
                  fmt::format("Expected --worker TYPE[,TYPE…]=COMMAND but found \"{}\"", word));
    auto types = ParseTypes(std::string_view(word).substr(0, equals));
    if (!types.has_value()) return std::unexpected(types.error());
    specs.push_back({*std::move(types), word.substr(equals + 1),
                     static_cast<uint32_t>(slots->value_or(1)), lease->value_or(0)});
  }
  if (specs.empty() && (slots->has_value() || lease->has_value()))
    return Fail(ErrorCode::kUsage,
                fmt::format("Expected --worker beside {} but found none",
                            slots->has_value() ? "--worker-slots" : "--worker-lease"));
  return specs;
}

void WorkerPrograms::Add(std::vector<WorkerSpec> specs, bool lasting,
                         std::function<void(std::string_view)> note,
                         std::function<void()> given_up) {
  for (WorkerSpec& spec : specs) {
    auto options =
        tasks::WorkerProcessOptions::ForCommand(std::move(spec.command), std::move(spec.types));
    options.slots = spec.slots;
    options.lease_us = spec.lease_us;
    options.max_starts = lasting ? 0 : tasks::kMaxWorkerStarts;
    options.note = note;
    options.on_given_up = given_up;
    added_.push_back(std::move(options));
  }
}

void WorkerPrograms::Start() {
  for (tasks::WorkerProcessOptions& options : std::exchange(added_, {}))
    running_.push_back(std::make_unique<tasks::WorkerProcess>(loop_, pool_, std::move(options)));
}

void WorkerPrograms::End(std::function<void()> ended) {
  // One more than the programs: `ended` comes behind the last call.
  auto left = std::make_shared<size_t>(running_.size() + 1);
  const auto one_less = [left, ended = std::move(ended)] {
    if (--*left == 0) ended();
  };
  for (const auto& program : running_) program->End(one_less);
  one_less();
}

}  // namespace stele::cli
