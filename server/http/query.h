// The query parameters of a request, read by type. A parameter that is asked for as one value is
// refused when it occurs twice, and AllowOnly refuses those that a resource does not know: what is
// misspelt must not look as if it had been heeded.
//
// Thread: any, one object on one.
#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace stele::server::http {

class Query {
 public:
  using Parameters = std::vector<std::pair<std::string, std::string>>;

  Query() = default;
  explicit Query(Parameters parameters) : parameters_(std::move(parameters)) {}

  // All below fail with kBadRequest and a sentence that names the parameter.
  Status AllowOnly(std::span<const std::string_view> names) const;
  Status AllowOnly(std::initializer_list<std::string_view> names) const {
    return AllowOnly(std::span(names.begin(), names.size()));
  }

  // Nothing when it is not there.
  Result<std::optional<std::string>> Text(std::string_view name) const;
  Result<std::optional<int64_t>> Number(std::string_view name, int64_t least, int64_t most) const;
  // "true", "false", "1", "0"; the name alone ("?all") is true.
  Result<std::optional<bool>> Bool(std::string_view name) const;
  // Every value of it, in order.
  std::vector<std::string> All(std::string_view name) const;

  const Parameters& parameters() const { return parameters_; }

 private:
  Parameters parameters_;
};

}  // namespace stele::server::http
