#include "engine/tasks/failure_bounds.h"

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "engine/tasks/bounded_text.h"
#include "engine/tasks/limits.h"

namespace stele::tasks {
namespace {

void Cut(std::string& text, size_t limit) {
  if (text.size() <= limit) return;
  text.resize(Head(text, limit).size());
  text += "…";
}

}  // namespace

void BoundFailure(TaskFailure& failure, size_t max_details_bytes) {
  Cut(failure.kind, kMaxFailureKindBytes);
  Cut(failure.message, kMaxFailureMessageBytes);
  if (!failure.details.has_value()) return;
  const size_t bytes = failure.details.text().size();
  if (bytes <= max_details_bytes) return;
  failure.details = Payload();
  failure.message += fmt::format(" (its details, {} bytes, are more than the {} that are kept)",
                                 bytes, max_details_bytes);
}

}  // namespace stele::tasks
