// JSON text of any kind: refused with an error, or read; what is read survives being written.
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  stele::TextPlace place;
  const stele::Result<stele::Value> value = stele::ParseJson(text, &place);
  if (!value) {
    CHECK(!value.error().message.empty());
    CHECK(place.line >= 1 && place.column >= 1, "{}", value.error().message);
    return 0;
  }
  const std::string written = stele::ToJson(*value);
  const stele::Result<stele::Value> again = stele::ParseJson(written);
  CHECK(again.has_value(), "{}", written);
  CHECK(*again == *value, "{}", written);
  CHECK(stele::ToJson(*again) == written, "{}", written);
  const stele::Result<stele::Value> pretty = stele::ParseJson(stele::ToPrettyJson(*value));
  CHECK(pretty.has_value() && *pretty == *value, "{}", written);
  return 0;
}
