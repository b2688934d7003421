#include "engine/model/field_codec.h"

#include <fmt/format.h>

namespace stele::model {

Error ErrorOf(const Fault& fault, std::string_view what) {
  switch (fault.kind) {
    case Fault::Kind::kUnknownEnum:
      return {
          ErrorCode::kStoreUnknownFormat,
          fmt::format("Expected a value of '{}' that this build knows but found number {} in {}",
                      fault.field, fault.number, what)};
    case Fault::Kind::kEmptyPayload:
      return {
          ErrorCode::kStoreCorrupt,
          fmt::format("Expected JSON in '{}' but found an empty text in {}", fault.field, what)};
    case Fault::Kind::kOutOfOrder:
      return {ErrorCode::kStoreCorrupt,
              fmt::format("Expected scopes, runs and slots in their order in '{}' but found others "
                          "in {}",
                          fault.field, what)};
    case Fault::Kind::kNone:
      break;
  }
  CHECK(false, "no fault");
  return {};
}

}  // namespace stele::model
