// JSON leaves open what a member that occurs twice means; where a person wrote the text, it is
// refused.
#pragma once

#include <string>
#include <string_view>

namespace stele {

// The key of a member that occurs twice in one object of the text; empty when there is none.
// REQUIRES: it is JSON.
std::string RepeatedMemberOf(std::string_view json);

}  // namespace stele
