// Any bytes as a cron expression: refused with a sentence, or read; what is read survives its
// canonical text, and its calendar ends and agrees with itself in both directions.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "engine/triggers/cron.h"

using stele::ErrorCode;
using stele::triggers::Cron;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto cron = Cron::Parse({reinterpret_cast<const char*>(data), size});
  if (!cron) {
    CHECK(cron.error().code == ErrorCode::kBadCron);
    CHECK(cron.error().message.starts_with("Expected"), "{}", cron.error().message);
    return 0;
  }
  const std::string text = cron->ToText();
  const auto again = Cron::Parse(text);
  CHECK(again.has_value(), "{}", text);
  CHECK(*again == *cron, "{}", text);
  CHECK(again->ToText() == text, "{}", text);
  if (cron->every_us()) return 0;
  int64_t at = 1'767'225'600;
  for (int i = 0; i < 5; ++i) {
    const auto next = cron->Next(at);
    CHECK(next.has_value() && *next > at, "{}", text);
    CHECK(cron->Previous(*next + 1) == *next, "{}", text);
    const auto before = cron->Previous(*next);
    CHECK(!before || *before <= at || i == 0, "{}", text);
    at = *next;
  }
  return 0;
}
