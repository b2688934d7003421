// Any bytes as a JSON definition, canonical or not: faults or a definition that survives its
// canonical form.

#include "base/check.h"
#include "engine/definition/canonical.h"

using stele::definition::Load;
using stele::definition::LoadResult;
using stele::definition::ReadCanonical;
using stele::definition::Syntax;
using stele::definition::WriteCanonical;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const LoadResult result = Load(text, Syntax::kJson, "fuzz");
  if (!result) {
    CHECK(!result.error().empty());
    return 0;
  }
  const std::string canonical = WriteCanonical(**result);
  const LoadResult again = ReadCanonical(canonical);
  CHECK(again.has_value(), "{}", again.error().front().message);
  CHECK(WriteCanonical(**again) == canonical);
  return 0;
}
