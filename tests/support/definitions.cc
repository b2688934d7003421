#include "tests/support/definitions.h"

#include "base/check.h"

namespace stele::test {

std::shared_ptr<const definition::Definition> Load(std::string_view yaml) {
  definition::LoadResult loaded = definition::Load(yaml, definition::Syntax::kYaml, "test");
  if (!loaded.has_value()) {
    std::string faults;
    for (const definition::Fault& fault : loaded.error())
      faults += definition::FormatFault("test.yml", fault) + "\n";
    CHECK(false, "the definition has faults:\n{}\n{}", faults, yaml);
  }
  return *std::move(loaded);
}

}  // namespace stele::test
