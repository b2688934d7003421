#include "server/rest/forking.h"

#include <fmt/format.h>

#include "base/json.h"
#include "server/rest/moments.h"

namespace stele::server::rest {

Result<replay::When> GivenPlace(const Call& call, TimeUs now) {
  const auto time = GivenMoment(call, "at", now);
  if (!time.has_value()) return std::unexpected(time.error());
  if (call.Find("seq") == nullptr) {
    if (*time) return replay::When{.seq = {}, .time = *time};
    return Fail(ErrorCode::kInvalidInput, "Expected a member \"seq\" or \"at\" but found neither");
  }
  if (*time) return Fail(ErrorCode::kBadRequest, "Expected one of seq and at but found both");
  const int64_t seq = call.Number("seq", 0);
  if (seq < 1)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("Expected the number of an event, from 1, for seq but found {}", seq));
  return replay::When{.seq = Seq(static_cast<uint64_t>(seq)), .time = {}};
}

Result<std::string> GivenPlan(const Call& call, bool has_target) {
  const Value* plan = call.Find("plan");
  if (plan == nullptr) return std::string();
  if (has_target) return stele::ToJson(*plan);
  return Fail(ErrorCode::kInvalidInput,
              "Expected beside plan the version that it is for but found none");
}

}  // namespace stele::server::rest
